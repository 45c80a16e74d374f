import math

import fake_parts
import pytest

from prior_bench.engine import clock as clocks
from prior_bench.engine.execute import Overwrite, evaluate, to_do
from prior_bench.store.store import Store
from prior_bench.suites.plan import expand
from prior_bench.suites.suite import Suite, load_suite


def tiny(tmp_path, **changes) -> Suite:
    suite = load_suite(str(fake_parts.suite_config(tmp_path)))
    for name, value in changes.items():
        setattr(suite, name, value)
    return suite


def run(suite, **options):
    lines = []
    store = Store.of(suite.name)
    return evaluate(expand(suite), store, device="cpu", say=lines.append, **options), store, lines


def log_of(store) -> list[tuple[str, str]]:
    return [tuple(line.split("\t")[1:3]) for line in (store.root / "runs.log").read_text().splitlines()]


def test_every_cell_is_run_once_and_each_backbone_loaded_once_per_seed(tmp_path, parts):
    outcome, store, lines = run(tiny(tmp_path))
    assert len(outcome.ran) == len(outcome.records) == 14 and not outcome.failed
    assert parts.FakeBackbone.loads == [("Low", 0), ("Low", 1), ("High", 0), ("High", 1)]
    assert len(parts.FakeTask.runs) == 14
    record = outcome.records[outcome.ran[0]]
    assert 0.56 < record.metrics["auroc"] < 0.57 and math.isnan(record.metrics["auroc/Effusion"])
    assert record.trivial == {"chance": {"auroc": 0.5}}
    assert record.split["test"] == 4
    assert record.provenance["versions"]["python"] and record.provenance["wall_seconds"] >= 0
    assert all(gib > 0 for gib in record.provenance["peak_gib"].values())
    assert record.provenance["backbone"] == {"from": "nowhere"}
    assert record.provenance["input"]["size"] == 224
    assert store.predictions(record.key)["meta_classes"].tolist() == list(parts.CLASSES)
    assert not list((store.root / "work").iterdir())
    assert log_of(store)[:2] == [("started", record.key), ("finished", record.key)]
    assert lines[1].startswith("[1/14] Low · fake · fake · fake/plain · 10 % · seed 0: auroc 0.56")
    assert "elapsed, about" in lines[1] and "left" not in lines[-1]


def test_weights_that_ignore_the_seed_are_loaded_once(tmp_path, parts):
    run(tiny(tmp_path, backbones=[dict(name="Fixed", type="fake", seeded=False)]))
    assert parts.FakeBackbone.loads == [("Fixed", 0)]


def test_finished_runs_are_skipped(tmp_path, parts):
    suite = tiny(tmp_path)
    first, store, _ = run(suite)
    parts.register()
    second, _, _ = run(suite)
    assert second.ran == [] and len(second.skipped) == 14
    assert second.records == first.records
    assert parts.FakeTask.runs == parts.FakeBackbone.loads == []


def test_a_failure_is_recorded_and_stops_nobody(tmp_path, parts):
    suite = tiny(tmp_path)
    suite.evaluations[0]["protocol"] = "fake/unlucky"
    outcome, store, lines = run(suite)
    assert len(outcome.failed) == 4 and len(outcome.ran) == 10
    failed = outcome.records[outcome.failed[0]]
    assert failed.error == "ValueError: seed 1 is not lucky" and failed.metrics == {}
    traceback = (store.runs / failed.key / "traceback.txt").read_text()
    assert "fake_parts.py" in traceback and traceback.endswith("ValueError: seed 1 is not lucky\n")
    assert sum("FAILED: ValueError" in line for line in lines) == 4


def test_a_result_that_cannot_be_stored_is_a_failure_like_any_other(tmp_path):
    suite = tiny(tmp_path)
    suite.evaluations[1]["protocol"] = "fake/unstorable"
    outcome, store, _ = run(suite)
    assert len(outcome.failed) == 4 and len(outcome.ran) == 10
    assert outcome.records[outcome.failed[0]].error.startswith("predictions['meta_classes']: must contain")
    assert not [path for path in store.runs.iterdir() if path.name.startswith(".")]


def test_output_that_nobody_reads_is_no_failure_of_a_run(tmp_path):
    def say(line):
        raise BrokenPipeError

    store = Store.of("tiny")
    with pytest.raises(BrokenPipeError):
        evaluate(expand(tiny(tmp_path)), store, device="cpu", say=say)
    assert not store.records()


@pytest.mark.parametrize(
    "overwrite, again", [(Overwrite.SKIP, 0), (Overwrite.FAILED, 4), (Overwrite.ALL, 14)]
)
def test_overwrite_policies(tmp_path, overwrite, again):
    suite = tiny(tmp_path)
    suite.evaluations[0]["protocol"] = "fake/unlucky"
    first, store, _ = run(suite)
    plan = expand(suite)
    assert len(to_do(plan, store, overwrite)) == again
    second, _, _ = run(suite, overwrite=overwrite)
    assert len([event for event, _ in log_of(store) if event == "started"]) == 14 + again
    assert len(second.failed) == 4


def test_a_backbone_that_cannot_be_loaded_fails_its_runs_only(tmp_path, parts):
    rows = [dict(name="Broken", type="fake", broken=True), dict(name="Whole", type="fake", value=2.0)]
    outcome, _, _ = run(tiny(tmp_path, backbones=rows))
    assert len(outcome.failed) == len(outcome.ran) == 8
    assert parts.FakeBackbone.loads == [("Broken", 0), ("Broken", 1), ("Whole", 0), ("Whole", 1)]
    assert {outcome.records[key].error for key in outcome.failed} == {"RuntimeError: no weights today"}


@pytest.mark.parametrize(
    "protocol, error",
    [
        ("fake/spoils", "fake: the task changed the backbone's weights in place"),
        ("fake/spoils_and_fails", "ValueError: half way"),
    ],
)
def test_a_task_that_changes_the_backbone_fails_and_the_next_gets_fresh_weights(tmp_path, protocol, error):
    suite = tiny(tmp_path, seeds=[0], backbones=[dict(name="A", type="fake")])
    clean = run(suite)[0]
    suite.name = "spoilt"
    suite.evaluations.insert(0, dict(task="fake", data="fake", protocol=protocol))
    spoilt, _, _ = run(suite)
    assert [spoilt.records[key].error.split("\n")[0] for key in spoilt.failed] == [error]
    assert {key: spoilt.records[key].metrics["auroc"] for key in clean.ran} == {
        key: record.metrics["auroc"] for key, record in clean.records.items()
    }


def test_a_result_does_not_depend_on_which_runs_went_before(tmp_path):
    suite = tiny(tmp_path)
    whole = run(suite)[0].records
    suite.name = "part"
    part = evaluate(expand(suite, only=["fraction=1", "seed=1"]), Store.of("part"), device="cpu", say=str)
    assert len(part.ran) == 5
    for key in part.ran:
        assert part.records[key].metrics["auroc"] == whole[key].metrics["auroc"]


def test_interruption_keeps_what_is_finished_and_the_scratch_folder(tmp_path, parts, monkeypatch):
    suite = tiny(tmp_path)
    plan, store = expand(suite), Store.of(suite.name)
    original = parts.FakeTask.run

    def interrupted(self, backbone, data, protocol, context):
        if len(parts.FakeTask.runs) == 3:
            (context.work_dir / "checkpoint").write_text("half way")
            raise KeyboardInterrupt
        return original(self, backbone, data, protocol, context)

    monkeypatch.setattr(parts.FakeTask, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        evaluate(plan, store, device="cpu", say=str)
    assert len(store.records()) == 3
    assert [p.read_text() for p in (store.root / "work").glob("*/checkpoint")] == ["half way"]
    monkeypatch.setattr(parts.FakeTask, "run", original)
    assert len(evaluate(plan, store, device="cpu", say=str).ran) == 11


def test_the_plan_is_noted_with_reasons_and_a_part_leaves_the_rest(tmp_path):
    suite = tiny(tmp_path)
    _, store, _ = run(suite)
    noted = store.plan()
    assert len(noted) == 16 and sum(cell["reason"] == "no text encoder" for cell in noted) == 2
    suite.backbones[0]["value"] = 1.5
    evaluate(expand(suite, only=["backbone=Low", "seed=0"]), store, device="cpu", say=str)
    changed = [old["key"] != new["key"] for old, new in zip(noted, store.plan(), strict=True)]
    assert changed == [True, True, True] + [False] * 13
    evaluate(expand(suite), store, device="cpu", say=str)
    assert len(store.plan()) == 16 and len(store.records()) == 14 + 6


def test_remaining_time_is_estimated_per_task(monkeypatch, tmp_path):
    plan = expand(tiny(tmp_path, backbones=[dict(name="A", type="fake")], seeds=[0]))
    now = iter([0.0, 10.0, 130.0])
    monkeypatch.setattr(clocks.time, "monotonic", lambda: next(now))
    clock = clocks.Clock(Store.of("tiny"))
    clock.start(plan.runs)
    assert "(10.0 s; 0:10 elapsed, about 0:30 left)" in clock.line(plan.runs[0], 10.0, "")
    # two of the same task at (10 + 120) / 2 would be 65 s each; the text task is still unknown
    assert "(120.0 s; 2:10 elapsed, about 2:10 left)" in clock.line(plan.runs[1], 120.0, "")


def test_an_encoder_that_declares_too_little_fails_with_what_to_declare(tmp_path, monkeypatch):
    monkeypatch.delattr(fake_parts.Weights, "dim")
    plan = expand(load_suite(str(fake_parts.suite_config(tmp_path))), only=["backbone=High", "seed=0"])
    outcome = evaluate(plan, Store(tmp_path / "store"), device="cpu")
    errors = {outcome.records[key].error for key in outcome.failed}
    assert len(outcome.failed) == len(outcome.records) == 4
    said = "Weights does not fulfil the contract of an image encoder"
    assert all(said in error and "self.dim = " in error for error in errors)
