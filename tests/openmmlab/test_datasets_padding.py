"""Detection pads an input with black, which is another number in each channel."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from prior_bench.api import InputSpec
from prior_bench.data.images.transforms import dense_transform
from prior_bench.openmmlab.datasets import DetectionDataset


def test_padding_is_black_in_every_channel(tmp_path):
    spec = InputSpec(size=40, mean=(0.4, 0.5, 0.6), std=(0.2, 0.25, 0.5), resize="squash")
    Image.fromarray(np.full((50, 50), 255, np.uint8)).save(tmp_path / "white.png")
    manifest = SimpleNamespace(path=lambda row: tmp_path / "white.png", cell=lambda name, row: [])
    data = DetectionDataset(manifest, dense_transform(spec), ("Opacity",), spec, divisor=32)
    inputs = data.sample(0)["inputs"]
    assert inputs.shape == (3, 64, 64)
    for channel, mean, std in zip(inputs, spec.means, spec.stds, strict=True):
        assert channel[:40, :40].unique().tolist() == pytest.approx([(1 - mean) / std])
        for padding in (channel[40:], channel[:, 40:]):
            assert padding.unique().tolist() == pytest.approx([-mean / std])
