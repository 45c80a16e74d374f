"""Every tensor of every released file is accounted for; a spoiled file is refused by the tensor's name."""

import pytest
import torch
from known_files import KNOWN
from released_files import LAYOUTS, WITH_TEXT, light, write

from prior_bench.backbones.checkpoint import CheckpointFile
from prior_bench.backbones.released import match_released, wanted_shapes
from prior_bench.checkpoints.layouts import known_layouts
from prior_bench.errors import BenchError


def a_used_tensor(name):
    return sorted(match_released(light(name)).mapping.values())[7]


def refusal(tmp_path, name, tensors):
    with pytest.raises(BenchError) as caught:
        CheckpointFile("row", str(write(tmp_path, name, tensors))).check()
    assert caught.value.where == tmp_path / f"{name}.ckpt"
    return str(caught.value)


def test_every_known_layout_has_a_key_list():
    names = {layout.name for layout in known_layouts()}
    assert names - KNOWN.keys() == set(LAYOUTS.values()) and len(names) == len(known_layouts())


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_tensor_is_accounted_for(name):
    tensors = light(name)
    found = match_released(tensors)
    assert found.layout.name == LAYOUTS[name] and found.problems == () and found.share == 1
    assert sorted([*found.mapping.values(), *found.unused]) == sorted(tensors)
    assert all(found.unused.values())
    ours = wanted_shapes(found.layout.name)
    assert ours.keys() - found.mapping.keys() <= {entry[0] for entry in found.layout.supplied}
    assert all(
        tensors[theirs].numel() == torch.Size(ours[name]).numel() for name, theirs in found.mapping.items()
    )


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_wrapper_before_every_name_is_seen(name):
    found = match_released({f"module.{key}": tensor for key, tensor in light(name).items()})
    assert (found.layout.name, found.wrapper, found.problems) == (LAYOUTS[name], "module.", ())


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_missing_tensor_is_refused(name, tmp_path):
    tensors = light(name)
    del tensors[key := a_used_tensor(name)]
    message = refusal(tmp_path, name, tensors)
    assert f"looks like {LAYOUTS[name]}, but 1 tensor(s) do not fit: missing {key}" in message


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_renamed_tensor_is_refused(name, tmp_path):
    tensors = light(name)
    key = a_used_tensor(name)
    tensors[f"{key}_v2"] = tensors.pop(key)
    message = refusal(tmp_path, name, tensors)
    assert f"missing {key}" in message and f"unknown {key}_v2" in message


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_misshapen_tensor_is_refused(name, tmp_path):
    tensors = light(name)
    shape = list(tensors[key := a_used_tensor(name)].shape)
    tensors[key] = torch.zeros(1).expand(3, *shape)
    message = refusal(tmp_path, name, tensors)
    assert f"misshapen {key} {[3, *shape]} instead of {shape}" in message


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_truncated_file_is_refused(name, tmp_path):
    path = write(tmp_path, name, light(name))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(BenchError, match=f"{name}.ckpt: truncated"):
        CheckpointFile("row", str(path)).check()


def test_an_unused_tensor_that_newer_libraries_do_not_store_may_be_absent():
    tensors = light("gloria_resnet50")
    del tensors["gloria.text_encoder.model.embeddings.position_ids"]
    assert match_released(tensors).problems == ()


def test_only_listed_tensors_may_have_other_shapes():
    tensors = light("gloria_resnet50")
    tensors["gloria.img_encoder.global_embedder.weight"] = torch.zeros(1).expand(768, 2048, 1, 1)
    assert match_released(tensors).problems == (
        "misshapen gloria.img_encoder.global_embedder.weight [768, 2048, 1, 1] instead of [768, 2048]",
    )


@pytest.mark.parametrize("name", WITH_TEXT)
def test_without_its_tokenizer_a_file_is_still_an_image_encoder(name, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    source = CheckpointFile("row", str(write(tmp_path, name, light(name))))
    source.check()
    assert not source.has_text
    assert "tokenizer='PATH' in the suite's row" in source.text_problem
