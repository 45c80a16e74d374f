"""What a dry run generates is not kept, and gives the same keys."""

import pytest

from prior_bench.paths import for_now, generated_root
from prior_bench.sample import sample_root
from prior_bench.suites.plan import expand
from prior_bench.suites.suite import load_suite


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PRIOR_BENCH_SAMPLE_SIZE", "tiny")
    for variable in ("PRIOR_BENCH_DATA", "PRIOR_BENCH_CACHE", "PRIOR_BENCH_RESULTS"):
        monkeypatch.delenv(variable, raising=False)


def test_a_part_that_is_there_is_used_and_others_are_temporary(tmp_path):
    (tmp_path / "data/sample-2/one").mkdir(parents=True)
    with for_now():
        assert generated_root("sample-2", "one").resolve() == tmp_path / "data/sample-2"
        elsewhere = generated_root("sample-2", "two")
        elsewhere.mkdir(parents=True)
        assert tmp_path not in elsewhere.parents
    assert not elsewhere.exists()
    assert generated_root("sample-2", "two").resolve() == tmp_path / "data/sample-2"


@pytest.mark.slow
def test_a_plan_made_for_now_leaves_nothing_and_has_the_keys_of_the_run(tmp_path):
    only = ["backbone=Random", "task=zero_shot", "task=segmentation"]
    with for_now():
        keys = [run.key for run in expand(load_suite("demo"), only=only, tolerate_absent=True).runs]
        place = sample_root("chexpert")
        assert place.is_dir()
    assert not place.exists() and list(tmp_path.iterdir()) == []
    assert all(keys) and keys == [run.key for run in expand(load_suite("demo"), only=only).runs]
    assert (tmp_path / "data/sample-2-tiny").is_dir()
