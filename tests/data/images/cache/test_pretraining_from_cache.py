"""Pre-training reads the cache where its data reference says ``cache=SIZE``."""

import numpy as np
import pytest
import torch

from prior_bench.data.images.cache import build as building
from prior_bench.data.images.cache.build import build
from prior_bench.data.images.decode import reduced
from prior_bench.data.images.read import read_image
from prior_bench.data.open import open_dataset
from prior_bench.pretraining.config import Data
from prior_bench.pretraining.dataset import PairDataset, read_pairs


@pytest.fixture
def table(originals, monkeypatch):
    monkeypatch.setattr(building, "SHARD_IMAGES", 5)
    place = originals.root / "pairs.csv"
    lines = [f"{name},There is edema in number {i}.,train" for i, name in enumerate(originals.table["image"])]
    place.write_text("\n".join(["image,report,split", *lines]))
    return {"type": "csv", "root": str(place)}


def raw(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pixels.copy())


def test_pairs_have_the_cached_images(table):
    manifest = open_dataset(table)
    build(manifest, 48)
    served = PairDataset(read_pairs(Data(dataset={**table, "cache": 48})), raw)
    assert len(served) == 12
    for i in range(12):
        image, text = served[(0, i)]
        assert torch.equal(image, raw(reduced(read_image(manifest.path(i)), 48)))
        assert text == (f"There is edema in number {i}.",)


def test_images_kept_in_memory_are_read_in_the_order_of_the_disk(table, monkeypatch):
    build(open_dataset(table), 48)
    pairs = read_pairs(Data(dataset={**table, "cache": 48}))
    read = []
    shard = "prior_bench.data.images.cache.shard.Shard.read"
    real = building.Shard.read
    monkeypatch.setattr(shard, lambda self, name: (read.append((self.path.name, name)), real(self, name))[1])
    in_memory = PairDataset(pairs, raw, cache_size=48)
    assert [name for _, name in read] == sorted(name for _, name in read) and len(read) == 12
    changes = sum(one[0] != other[0] for one, other in zip(read, read[1:], strict=False))
    assert changes == 2, "three shards, each read through before the next"
    from_disk = PairDataset(pairs, raw)
    assert all(torch.equal(in_memory[(0, i)][0], from_disk[(0, i)][0]) for i in range(12))
