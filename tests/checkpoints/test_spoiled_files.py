"""Files that are no weights, weights that are not numbers, and files with two sets of weights."""

import pytest
import timm
import torch

from prior_bench.api import LoadContext
from prior_bench.backbones.checkpoint import CheckpointFile
from prior_bench.backbones.describe import as_text, describe
from prior_bench.backbones.reference import backbone_row
from prior_bench.checkpoints.files import other_weights, read_tensors
from prior_bench.errors import BenchError

HALF = dict(mean=0.5, std=0.5)


@pytest.mark.parametrize(
    "content, message",
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 9\n", "a pointer of Git LFS"),
        (b"<!DOCTYPE html><html><title>Google Drive - Virus scan warning</title>", "is a web page"),
        (b"\n<HTML><body>403</body>", "is a web page"),
    ],
)
@pytest.mark.parametrize("name", ["weights.pth", "model.safetensors"])
def test_what_is_saved_in_place_of_weights_is_called_what_it_is(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BenchError, match=message):
        read_tensors(tmp_path / name)


def state(**changes):
    torch.manual_seed(0)
    return {**timm.create_model("resnet18", num_classes=0).state_dict(), **changes}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_numbers_are_refused_by_name(tmp_path, value):
    path, spoiled = tmp_path / "weights.pth", state()
    spoiled["layer3.1.conv2.weight"][0, 0, 0, 0] = value
    torch.save(spoiled, path)
    with pytest.raises(BenchError, match=r"weights.pth: layer3.1.conv2.weight contains NaN .* \(1 value\)\n"):
        CheckpointFile("row", str(path), input=HALF).load(0, LoadContext())
    found = describe(path)
    assert found.problems == ("layer3.1.conv2.weight contains NaN or infinity (1 value)",)
    assert "the file is refused" in as_text(found)


def test_the_user_may_allow_them_and_the_record_lists_them(tmp_path):
    path, spoiled = tmp_path / "weights.pth", state()
    spoiled["layer3.1.conv2.weight"][0, 0, 0, 0] = float("nan")
    torch.save(spoiled, path)
    allowed = CheckpointFile("row", str(path), input=HALF, allow_nonfinite=True)
    backbone = allowed.load(0, LoadContext())
    assert backbone.provenance["nonfinite"] == ["layer3.1.conv2.weight contains NaN or infinity (1 value)"]
    assert torch.isnan(dict(backbone.image_encoder.model.named_parameters())["layer3.1.conv2.weight"]).any()
    refusing = CheckpointFile("row", str(path), input=HALF)
    assert allowed.identity(0) == refusing.identity(0)  # the same weights
    with pytest.raises(BenchError, match="--allow-nonfinite"):  # and the permission has ended
        refusing.load(0, LoadContext())
    assert backbone_row(str(path), allow_nonfinite=True)["allow_nonfinite"] is True
    with pytest.raises(BenchError, match="only a checkpoint file can be loaded so"):
        backbone_row("random:resnet18", allow_nonfinite=True)


@pytest.mark.parametrize("average", [state(), {"state_dict": state(), "decay": 0.99}])
def test_a_second_set_of_weights_is_named(tmp_path, average):
    path = tmp_path / "weights.pth"
    optimizer = {"state": {0: {"exp_avg": torch.zeros(3)}}, "param_groups": []}
    torch.save({"model": state(), "model_ema": average, "optimizer": optimizer, "epoch": 3}, path)
    assert other_weights(path) == ("model_ema",)
    assert "further weights in the file, which are not used: model_ema" in as_text(describe(path))
    backbone = CheckpointFile("row", str(path), input=HALF).load(0, LoadContext())
    assert backbone.provenance["unused_weights"] == "model_ema"


def test_one_set_of_weights_needs_no_word(tmp_path):
    torch.save({"state_dict": state(), "epoch": 3}, tmp_path / "weights.pth")
    assert other_weights(tmp_path / "weights.pth") == ()
    assert "further weights" not in as_text(describe(tmp_path / "weights.pth"))


def test_statistics_of_each_channel_are_printed(tmp_path):
    torch.save(state(), tmp_path / "pytorch_model.bin")
    stated = (
        '{"architecture": "resnet18", "pretrained_cfg": {"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.2, 0.2]}}'
    )
    (tmp_path / "config.json").write_text(stated)
    assert "mean 0.4 / 0.5 / 0.6, std 0.2, resize" in as_text(describe(tmp_path))


def test_a_header_of_a_million_tensors_is_not_read(tmp_path):
    header = b"{" + b" " * (17 << 20) + b"}"
    (tmp_path / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(BenchError, match="its header has 17 MiB; at most 16 are read"):
        read_tensors(tmp_path / "model.safetensors")
