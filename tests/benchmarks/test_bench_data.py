import numpy as np
import pytest

from benchmarks import data
from prior_bench.data.cache.build import build
from prior_bench.data.cache.reference import use_cache
from prior_bench.data.images import read_image


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


def test_benchmark_prints_every_kind_and_both_loaders(capsys):
    sizes = ["--images", "2", "--height", "120", "--width", "100", "--size", "64", "--input", "32"]
    data.main([*sizes, "--encoder", "resnet18", "--batch", "2", "--repeats", "1", "--threads", "1"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[3:6]] == list(data.KINDS)
    assert all(line.endswith(" x") for line in lines[3:6])
    assert "resnet18, forward and backward at B=2" in lines[7]
    assert [line.split()[2] for line in lines[8:]] == ["cache", "originals"]
    assert all(line.endswith("x the encoder") for line in lines[8:])
