"""What a file says of its model makes us read, fetch, run and overwrite nothing."""

import json

import pytest
import torch
from safetensors.torch import save_file

from prior_bench.api import LoadContext
from prior_bench.backbones.checkpoint import CheckpointFile
from prior_bench.errors import BenchError

INPUT = dict(size=64, channels=3, mean=0.5, std=0.5, resize="pad")
IMAGE = {"model_name": "resnet18"}
BERT = {"config": {"hidden_size": 16}}


def ours(folder, told_method, **changes):
    """A file that says it is ours, and says this of its method."""
    told = {"schema": 1, "method": told_method, "tokenizer": "", "input": INPUT, "provenance": {}, **changes}
    path = folder / "w.safetensors"
    save_file({"w": torch.ones(1)}, path, metadata={"prior_bench": json.dumps(told)})
    return path


def refusal(path):
    with pytest.raises(BenchError) as caught:
        source = CheckpointFile("row", str(path))
        source.check()
        source.load(0, LoadContext())
    assert str(path.parent) in str(caught.value)
    return str(caught.value)


def test_a_function_named_as_method_is_not_called(tmp_path):
    (precious := tmp_path / "precious.txt").write_text("x")
    method = {"type": "logging:basicConfig", "filename": str(precious), "filemode": "w"}
    path = ours(tmp_path, {**method, "image_encoder": IMAGE, "text_encoder": BERT})
    assert "names the method 'logging:basicConfig', which is not registered" in refusal(path)
    assert "--method logging:basicConfig" in refusal(path)
    assert precious.read_text() == "x"
    with pytest.raises(BenchError, match="which is not a model class"):  # not even if the user names it
        CheckpointFile("row", str(path), method="logging:basicConfig").check()
    assert precious.read_text() == "x"


@pytest.mark.parametrize(
    "image, named",
    [
        ({"pretrained": True}, "pretrained"),
        ({"model_args": {"checkpoint_path": "other.pth"}}, "model_args.checkpoint_path"),
        ({"model_args": {"pretrained": True}}, "model_args.pretrained"),
        ({"model_args": {"pretrained_cfg": {"file": "other.pth"}}}, "model_args.pretrained_cfg"),
        ({"model_args": {"pretrained_model_args": {}}}, "model_args.pretrained_model_args"),
    ],
)
def test_an_image_encoder_names_no_other_weights(tmp_path, image, named):
    path = ours(tmp_path, {"image_encoder": {**IMAGE, **image}})
    assert f"describes its model with keys that a file may not set: {named}" in refusal(path)


@pytest.mark.parametrize(
    "text, named",
    [
        ({"name": "someone/model"}, "name"),
        ({"config": {"auto_map": {"AutoModel": "code.Model"}}}, "config.auto_map"),
        ({"config": {"attn_implementation": "someone/kernels"}}, "config.attn_implementation"),
        ({"config": {"_attn_implementation": "someone/kernels"}}, "config._attn_implementation"),
        ({"config": {"part": {"_attn_implementation_internal": "a/b"}}}, "_attn_implementation_internal"),
    ],
)
def test_a_text_encoder_names_no_hub(tmp_path, text, named):
    path = ours(tmp_path, {"type": "convirt", "image_encoder": IMAGE, "text_encoder": text})
    assert named in refusal(path)


def test_a_folder_names_no_other_weights(tmp_path):
    save_file({"w": torch.ones(1)}, tmp_path / "model.safetensors")
    config = {"architecture": "resnet18", "model_args": {"checkpoint_path": "other.pth"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert (
        "config.json: describes its model with keys that a file may not set: model_args.checkpoint_path"
        in refusal(tmp_path)
    )


@pytest.mark.parametrize(
    "changes", [{"input": {"sighs": 3}}, {"method": []}, {"schema": "one"}, {"more": 1}, {"provenance": 3}]
)
def test_damaged_metadata_is_one_message(tmp_path, changes):
    path = ours(tmp_path, {"image_encoder": IMAGE}, **changes)
    assert "w.safetensors: damaged: its metadata cannot be read" in refusal(path)
    save_file({"w": torch.ones(1)}, path, metadata={"prior_bench": "{"})
    assert "damaged" in refusal(path)


@pytest.mark.parametrize("more", [{"sighs": 3}, {"_scope_": "somewhere"}])
def test_arguments_that_the_code_does_not_know_are_one_message(tmp_path, more):
    method = {"type": "convirt", "image_encoder": IMAGE, "text_encoder": BERT, **more}
    assert "method 'convirt' cannot be built" in refusal(ours(tmp_path, method))


def test_what_transformers_itself_writes_is_no_reason(tmp_path):
    config = {"_attn_implementation": "sdpa", "_attn_implementation_autoset": True, "hidden_size": 16}
    method = {"type": "convirt", "image_encoder": IMAGE, "text_encoder": {"config": config}}
    assert "cannot be built" in refusal(ours(tmp_path, method))  # for want of a tokenizer only
