import numpy as np
import pytest

from benchmarks import data, shard_reading
from prior_bench.data.images.cache import reading, sequential
from prior_bench.data.images.cache.build import build
from prior_bench.data.images.cache.reference import use_cache
from prior_bench.data.images.read import read_image
from prior_bench.pretraining import dataset


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PRIOR_BENCH_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("kind", data.KINDS)
def test_originals_are_what_they_say(tmp_path, kind):
    made = data.make_originals(tmp_path / kind, kind, 2, (120, 100))
    one, other = (read_image(made.path(row)) for row in range(2))
    assert one.shape == (120, 100) and one.std() > 20
    assert not np.array_equal(one, other)


def test_a_cache_that_differs_is_found(tmp_path):
    made = data.make_originals(tmp_path / "jpg", "jpg", 1, (120, 100))
    build(made, 64)
    cached = use_cache(made, 64, "jpg")
    data.assert_same(made, cached, 64)
    with pytest.raises(AssertionError, match="differs"):
        data.assert_same(made, cached, 60)


def test_both_orders_read_the_same_images_and_the_cache_opens_again(tmp_path, monkeypatch):
    shards = shard_reading.make_shards(tmp_path, 300, 16)
    assert len(shards.pairs) == 512 and read_image(shards.pairs[0].images[0]).shape == (16, 13)
    read = []
    real = dataset.read_image
    for module in (dataset, sequential):
        monkeypatch.setattr(module, "read_image", lambda path: (read.append(path), real(path))[1])
    seen = {}
    for order in shard_reading.ORDERS:
        read.clear()
        assert shard_reading.read_pixels(shards, order, 32) == 512
        seen[order] = list(read)
        shard_reading.forget(shards)
        assert not reading._open
    one, other = seen.values()
    assert sorted(one) == sorted(other) == sorted(pair.images[0] for pair in shards.pairs) and one != other


@pytest.mark.slow
def test_benchmark_prints_every_kind_both_orders_and_all_loaders(capsys):
    sizes = ["--images", "2", "--height", "120", "--width", "100", "--size", "64", "--input", "32"]
    sizes += ["--cached", "256"]
    data.main([*sizes, "--encoder", "resnet18", "--batch", "2", "--repeats", "1", "--threads", "1"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[3:6]] == list(data.KINDS)
    assert all(line.endswith(" x") for line in lines[3:6])
    assert "256 cached images, pixels only" in lines[7]
    assert [line.split()[0] for line in lines[10:12]] == ["cold", "warm"]
    assert "resnet18, forward and backward at B=2" in lines[13]
    names = ["cache, tasks", "cache, at random", "cache, shard by shard", "originals"]
    assert [line.split("from ")[1].split("  ")[0] for line in lines[14:]] == names
    assert all(line.endswith("x the encoder") for line in lines[14:])
