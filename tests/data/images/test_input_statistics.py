"""The statistics of an input: one number for all channels, or one for each."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional as reference

from prior_bench.api import InputSpec, LoadContext
from prior_bench.backbones.checkpoint import CheckpointFile
from prior_bench.backbones.timm import TimmWeights
from prior_bench.data.images.transforms import eval_transform, normalise
from prior_bench.encoders.image import ImageEncoder
from prior_bench.errors import BenchError
from prior_bench.versions import MACHINERY, statistics_part

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def test_each_channel_has_its_own_statistics():
    pixels = torch.arange(256, dtype=torch.uint8).view(1, 16, 16)
    found = normalise(pixels, InputSpec(size=16, mean=MEAN, std=STD))
    three = reference.to_dtype(pixels, torch.float32, scale=True).expand(3, -1, -1)
    torch.testing.assert_close(found, reference.normalize(three, list(MEAN), list(STD)))


def test_one_number_for_three_channels_is_the_same_number_three_times():
    pixels = torch.arange(256, dtype=torch.uint8).view(1, 16, 16)
    one, three = (
        InputSpec(size=16, mean=0.4, std=0.2),
        InputSpec(size=16, mean=[0.4] * 3, std=(0.2, 0.2, 0.2)),
    )
    assert one == three and three.mean == 0.4
    assert torch.equal(normalise(pixels, one), normalise(pixels, three))
    mixed = InputSpec(size=16, mean=0.4, std=(0.2, 0.2, 0.4))
    found = normalise(pixels, mixed)
    torch.testing.assert_close(found[0], normalise(pixels, one)[0])
    torch.testing.assert_close(found[2], found[0] / 2)


def test_it_survives_the_metadata_of_a_checkpoint():
    spec = InputSpec(mean=MEAN, std=STD)
    assert InputSpec(**json.loads(json.dumps(asdict(spec)))) == spec
    assert spec.means == MEAN and InputSpec(channels=1, std=0.2).stds == (0.2,)


@pytest.mark.parametrize(
    "given",
    [
        dict(mean=MEAN, channels=1),
        dict(std=(0.2, 0.2)),
        dict(std=0),
        dict(std=(0.2, 0.0, 0.2)),
        dict(mean="0.5"),
        dict(mean=float("nan")),
        dict(mean=()),
        dict(mean=True),
    ],
)
def test_wrong_statistics_are_refused_by_name(given):
    with pytest.raises(BenchError, match=r"input: (mean|std) (is|has)"):
        InputSpec(**given)


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "resnet18.pth"
    torch.save(ImageEncoder("resnet18", in_channels=3).model.state_dict(), path)
    return str(path)


def test_weights_of_timm_bring_the_statistics_of_each_channel(weights):
    spec = TimmWeights("row", "resnet18", file=weights).load(0, LoadContext()).input
    assert (spec.size, spec.mean, spec.std) == (224, MEAN, STD)
    grey = TimmWeights("row", dict(model_name="resnet18", in_channels=1), file=weights).load(0, LoadContext())
    assert grey.input.mean == pytest.approx(sum(MEAN) / 3)
    given = dict(model_name="resnet18", input=dict(mean=0.3, size=96))
    spec = TimmWeights("row", given, file=weights).load(0, LoadContext()).input
    assert (spec.size, spec.mean, spec.std) == (96, 0.3, STD)


@pytest.mark.parametrize("encoder", ["resnet18", dict(model_name="resnet18", in_channels=1)])
def test_the_key_of_a_file_tells_its_old_input_from_its_new_one(weights, monkeypatch, encoder):
    source = TimmWeights("row", encoder, file=weights)
    now = source.identity(0)
    monkeypatch.setitem(MACHINERY, "input_statistics", replace(MACHINERY["input_statistics"], version=1))
    assert source.identity(0) != now


def test_a_folder_states_the_statistics_of_each_channel(tmp_path, weights):
    config = dict(architecture="resnet18", pretrained_cfg=dict(mean=MEAN, std=STD, input_size=[3, 64, 64]))
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "resnet18.pth").rename(tmp_path / "pytorch_model.bin")
    folder = CheckpointFile("row", str(tmp_path))
    backbone = folder.load(0, LoadContext())
    assert (backbone.input.size, backbone.input.mean, backbone.input.std) == (64, MEAN, STD)
    image = np.full((40, 60), 128, np.uint8)
    channels = eval_transform(backbone.input)(image)[:, 32, 32]
    assert channels.tolist() == pytest.approx([(128 / 255 - m) / s for m, s in zip(MEAN, STD, strict=True)])
    stated = CheckpointFile("row", str(tmp_path), input=dict(mean=0.5, std=0.5))
    assert stated.load(0, LoadContext()).input.mean == 0.5 and stated.identity(0) != folder.identity(0)


def test_only_identities_with_stated_statistics_have_their_version():
    assert statistics_part({"pretrained": True}) == ("input_statistics",)
    assert statistics_part({"pretrained": "file.pth", "input": {"mean": 0.5}}) == ("input_statistics",)
    assert statistics_part({"pretrained": True, "input": {"mean": 0.5, "std": 0.25}}) == ()
    assert statistics_part({"pretrained": True, "in_channels": 1}) == ()
    assert statistics_part({"model_name": "resnet18"}) == ()
