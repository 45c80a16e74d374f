"""A dry run generates no data, and says what it would do once they are there."""

import pytest

from prior_bench.cli import main
from prior_bench.data.generated import not_yet, nothing_generated
from prior_bench.data.open import locate, open_dataset
from prior_bench.errors import NotGeneratedError
from prior_bench.pretraining import identity
from prior_bench.suites.plan import expand
from prior_bench.suites.suite import load_suite

ONLY = ("backbone=Random", "backbone=PRIOR", "task=zero_shot", "task=segmentation")


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PRIOR_BENCH_SAMPLE_SIZE", "tiny")
    for variable in ("PRIOR_BENCH_DATA", "PRIOR_BENCH_CACHE", "PRIOR_BENCH_RESULTS"):
        monkeypatch.delenv(variable, raising=False)


def test_data_that_are_not_there_are_not_generated(tmp_path):
    with nothing_generated():
        assert not_yet("sample:chexpert") and not not_yet("chexpert@folder")
        with pytest.raises(NotGeneratedError, match="sample:chexpert: is not generated yet"):
            open_dataset("sample:chexpert")
    assert not not_yet("sample:chexpert") and list(tmp_path.iterdir()) == []
    assert len(open_dataset("sample:chexpert"))
    with nothing_generated():
        assert not not_yet("sample:chexpert") and len(open_dataset("sample:chexpert"))


def test_a_dry_run_without_data_has_all_cells_and_writes_nothing(tmp_path, capsys):
    only = [word for filtered in ONLY for word in ("--only", filtered)]
    assert main(["run", "demo", "--dry-run", *only]) == 0
    first = capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []
    assert "first: generate synthetic data" in first and "first: pre-train PRIOR, seed 0" in first
    assert "no estimate: nothing of these kinds has run on this machine" in first
    open_dataset("sample:mimic_cxr")
    assert main(["run", "demo", "--dry-run", *only]) == 0
    second = capsys.readouterr().out
    assert second == "".join(line for line in first.splitlines(True) if "generate synthetic" not in line)


def test_a_plan_has_keys_where_nothing_is_forbidden():
    suite = load_suite("demo")
    with nothing_generated():
        ahead = expand(suite, only=ONLY, tolerate_absent=True).runs
    assert not any(run.key for run in ahead)
    runs = expand(suite, only=ONLY).runs
    assert [run.label for run in runs] == [run.label for run in ahead]
    assert [run.reason for run in runs] == [run.reason for run in ahead]
    assert all(run.key for run in runs if not run.reason)


def test_weights_wait_for_the_data_that_they_are_trained_on(tmp_path, monkeypatch):
    folder = locate("sample:chexpert")[2]
    identity._fingerprint.cache_clear()
    monkeypatch.setenv("PRIOR_BENCH_DATA", str(tmp_path / "others"))
    suite = tmp_path / "suite.py"
    suite.write_text(
        "name = 'waiting'\nseeds = [0]\n"
        "backbones = [dict(name='PRIOR', type='pretrain', config='prior_sample')]\n"
        "evaluations = [dict(task='classification', protocol='demo/linear_probe', "
        f"data='chexpert@{folder}')]\n"
    )
    with nothing_generated():
        (run,) = expand(load_suite(str(suite)), tolerate_absent=True).runs
    assert (run.key, run.reason) == ("", "") and not (tmp_path / "others").exists()
