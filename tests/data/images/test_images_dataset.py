"""The torch data set over a manifest, on real radiographs."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from prior_bench.api import InputSpec
from prior_bench.data.images.dataset import ImageDataset
from prior_bench.data.images.read import read_image
from prior_bench.data.images.transforms import eval_transform
from prior_bench.data.readers.csv.reader import read
from prior_bench.errors import BenchError

REAL = Path(__file__).parents[1] / "hannover_cxr" / "metadata.csv"


def test_batches_carry_their_rows():
    manifest = read(REAL)
    transform = eval_transform(InputSpec(size=64, channels=1))
    dataset = ImageDataset(manifest, transform)
    batches = list(DataLoader(dataset, batch_size=5))
    images, rows = torch.cat([b[0] for b in batches]), torch.cat([b[1] for b in batches])
    assert len(dataset) == 12 and images.shape == (12, 1, 64, 64) and rows.tolist() == list(range(12))
    torch.testing.assert_close(images[7], transform(read_image(manifest.path(7))))
    assert images.std() > 0.2 and np.isfinite(images.numpy()).all()


def test_unreadable_image_is_named(tmp_path):
    (tmp_path / "a.png").write_text("no image")
    (tmp_path / "own.csv").write_text("image,y\na.png,1\n")
    with pytest.raises(BenchError, match="a.png: not a readable image"):
        ImageDataset(read(tmp_path / "own.csv"), eval_transform(InputSpec(size=8)))[0]
