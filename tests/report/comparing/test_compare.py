import pytest
from fixed_store import spec
from scored_store import save, scored

from prior_bench.api import RunRecord
from prior_bench.errors import BenchError
from prior_bench.report.comparing.compare import compare_runs, compare_stores, lines_text, spec_differences
from prior_bench.report.runs.find_run import find_run, find_store
from prior_bench.report.runs.run_text import run_text
from prior_bench.store.store import Store


def test_two_runs_metric_by_metric(tmp_path):
    store = Store(tmp_path / "s")
    low, high = save(store, "Low", 0.5), save(store, "High", 2.0, fraction=0.1)
    lines = {line.what: line for line in compare_runs(low, high)}
    assert list(lines) == ["auroc", "f1"]
    assert lines["auroc"].second - lines["auroc"].first == pytest.approx(lines["auroc"].tested.value)
    assert lines["auroc"].verdict == "better, significant" and lines["auroc"].tested.interval[0] > 0
    assert {line.verdict for line in compare_runs(high, low)} == {"worse, significant"}
    assert spec_differences(low, high) == ["backbone.name: Low, High", "fraction: 1.0, 0.1"]
    text = lines_text(lines.values(), "a", "b")
    assert "< 0.001" in text and "better, significant" in text


def test_a_run_against_itself_and_without_predictions(tmp_path):
    run = save(Store(tmp_path / "s"), "A", 1.0)
    assert {line.verdict for line in compare_runs(run, run)} == {"equal"}
    bare = Store(tmp_path / "t")
    bare.save(RunRecord("x", "done", run.spec, metrics={"auroc": 0.5}))
    verdict = compare_runs(run, find_run(str(bare.runs / "x")))[0].verdict
    assert verdict == "worse, not tested: no stored predictions"


def test_an_undefined_metric_is_said_and_the_others_are_compared(tmp_path):
    store = Store(tmp_path / "s")
    one, two = save(store, "A", 1.0), save(store, "B", 2.0)
    two.record.metrics["auroc"] = float("nan")
    verdicts = {line.what: line.verdict for line in compare_runs(one, two)}
    assert verdicts["auroc"] == "undefined" and verdicts["f1"] != "undefined"


def test_runs_that_cannot_be_compared(tmp_path):
    store = Store(tmp_path / "s")
    run = save(store, "A", 1.0)
    other = spec("A", "retrieval", "mimic_cxr", "demo/retrieval")
    store.save(RunRecord("r", "done", other, metrics={"median_rank": 3.0}))
    store.save(RunRecord("f", "failed", run.spec, error="broken"))
    with pytest.raises(BenchError, match="share no metric"):
        compare_runs(run, find_run(str(store.runs / "r")))
    with pytest.raises(BenchError, match="failed"):
        compare_runs(run, find_run(str(store.runs / "f")))


def test_two_stores_evaluation_by_evaluation(tmp_path):
    first = scored(tmp_path / "a", {"Same": 1.0, "Only": 1.0})
    second = scored(tmp_path / "b", {"Same": 1.0})
    better = save(second, "Same", 3.0, seed=0)
    lines, missing = compare_stores(first, second)
    assert len(lines) == 1 and lines[0].what.startswith("Same · classification · chexpert")
    mean = (better.record.metrics["auroc"] + second.get("same-1").metrics["auroc"]) / 2
    assert lines[0].second == pytest.approx(mean) and lines[0].tested.seeds == 2
    assert len(missing) == 1 and missing[0].startswith("only in a: Only")
    lacking = save(second, "Same", 1.0, seed=1)
    lacking.record.metrics.clear()
    second.save(lacking.record)
    assert compare_stores(first, second)[0][0].tested.seeds == 1
    other = Store(tmp_path / "d")
    save(other, "Same", 1.0, seed=5)
    lines, missing = compare_stores(first, other)
    assert lines == [] and missing[0].startswith("no seed with auroc in both: Same · classification")
    with pytest.raises(BenchError, match="no evaluation in common"):
        compare_stores(first, scored(tmp_path / "c", {"Else": 1.0}))


def test_runs_are_found_by_key_beginning_of_it_suite_and_folder(tmp_path):
    store = scored(tmp_path / "results" / "suite", {"Alpha": 1.0})
    for name in ("alpha-0", "suite/alpha-0", str(store.runs / "alpha-0")):
        assert find_run(name).key == "alpha-0"
    assert find_store("suite").root == store.root and find_store("nothing") is None
    with pytest.raises(BenchError, match="2 runs fit 'alp'"):
        find_run("alp")
    for name in ("zeta", "suite/zeta", "nothing/alpha-0"):
        with pytest.raises(BenchError, match="no run 'suite/zeta'|no run 'zeta'|no store 'nothing'"):
            find_run(name)


def test_everything_about_a_run(tmp_path):
    store = Store(tmp_path / "s")
    run = save(store, "A", 1.0)
    run.record.history = [{"epoch": e, "loss": 1 / e} for e in range(1, 31)]
    run.record.provenance = {"command": "prior-bench run x", "versions": {"torch": "2.6"}}
    run.record.split = {"rule": "default", "hash": "abc"}
    text = run_text(run.record, store, resamples=20)
    for part in ("record a-0, done", "fraction: 1.0", "protocol demo/linear_probe", "95 % interval", " to "):
        assert part in text
    assert "20 more lines in between" in text and "prior-bench run x" in text and "hash abc" in text
    store.save(run.record, {"id": store.predictions("a-0")["id"]})
    assert "No intervals: predictions have no 'patient_id' to resample by." in run_text(run.record, store)
    failed = RunRecord("f", "failed", run.spec, error="it broke")
    store.save(failed, traceback="Traceback")
    text = run_text(failed, store)
    assert "error: it broke" in text and str(store.runs / "f" / "traceback.txt") in text
