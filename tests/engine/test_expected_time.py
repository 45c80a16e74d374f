"""What a plan takes, by what earlier runs on this machine took."""

import json
from statistics import median
from types import SimpleNamespace

import fake_parts
import pytest

from prior_bench import paths
from prior_bench.engine.execute import evaluate
from prior_bench.engine.expected_time import Earlier, Expected, expected_time
from prior_bench.store.store import Store
from prior_bench.suites.plan import expand
from prior_bench.suites.suite import load_suite


@pytest.fixture
def plan(tmp_path):
    return expand(load_suite(str(fake_parts.suite_config(tmp_path))))


@pytest.fixture
def recorded(plan):
    """All cells ran; each record says how long, and on which machine."""

    def rewrite(seconds, **hardware):
        store = Store.of(plan.suite.name)
        if not store.records():
            evaluate(plan, store, device="cpu", say=lambda line: None)
        for n, key in enumerate(sorted(store.records())):
            path = store.runs / key / "record.json"
            told = json.loads(path.read_text())
            told["provenance"]["wall_seconds"] = seconds(n)
            told["provenance"]["hardware"] |= hardware
            path.write_text(json.dumps(told))

    return rewrite


def test_nothing_is_known_before_anything_ran(plan):
    found = expected_time(plan, plan.runs)
    none = ["no estimate: nothing of these kinds has run on this machine"]
    assert (found.seconds, found.unknown, found.lines()) == (0.0, len(plan.runs), none)


def test_a_cell_takes_the_median_of_its_kind(plan, recorded):
    recorded(lambda n: 10.0)
    found = expected_time(plan, plan.runs)
    assert (found.seconds, found.unknown) == (10.0 * len(plan.runs), 0)
    assert found.lines() == ["about 2:40 on this machine, by earlier runs in one process"]


def test_a_row_that_never_ran_takes_the_median_of_all_rows(plan, recorded):
    recorded(lambda n: float(n * n))
    records = Store.of(plan.suite.name).records().values()
    earlier, spec = Earlier(paths.results_root()), plan.runs[0].spec.to_dict()

    def alike(*names):
        return [
            record.provenance["wall_seconds"]
            for record in records
            if all(record.spec[name] == spec[name] for name in ("task", "data", "protocol", *names))
        ]

    of_row, of_all = alike("backbone", "fraction"), alike()
    assert 1 < len(of_row) < len(of_all)
    assert earlier.of_cell(spec) == median(of_row) != median(of_all)
    assert earlier.of_cell({**spec, "backbone": {"name": "new"}}) == median(of_all)
    assert earlier.of_cell({**spec, "task": "other"}) is None


def test_runs_of_another_machine_tell_nothing(plan, recorded):
    recorded(lambda n: 10.0, cores=4096)
    assert expected_time(plan, plan.runs).unknown == len(plan.runs)


@pytest.mark.parametrize("seconds", ["10", None, float("nan"), float("inf"), -5.0, [10.0]])
def test_what_is_no_time_is_passed_over(seconds, plan, recorded):
    recorded(lambda n: seconds)
    assert expected_time(plan, plan.runs).unknown == len(plan.runs)


def test_pretrainings_that_come_first_are_named_with_the_time_of_their_like(plan, tmp_path):
    folder = paths.results_root() / "pretrain" / "made-seed0-0"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"identity": "0", "config": {"name": "made", "epochs": 2}}))
    (folder / "history.json").write_text(json.dumps([{"seconds": 40.0}, {"seconds": 45.0}]))
    config = SimpleNamespace(to_dict=lambda: {"name": "made", "epochs": 2})
    other = SimpleNamespace(to_dict=lambda: {"name": "made", "epochs": 3})
    row = plan.runs[0].spec.backbone["name"]
    for told, text in (
        (config, f"first: pre-train {row}, seed 0, about 1:25"),
        (other, f"first: pre-train {row}, seed 0"),
    ):
        plan.sources[row] = SimpleNamespace(name=row, config=told, is_made=lambda seed, place: seed > 0)
        assert expected_time(plan, plan.runs).lines()[0] == text
    plan.sources[row] = SimpleNamespace(name=row, config=config, is_made=lambda seed, place: True)
    assert expected_time(plan, plan.runs).trainings == {}


@pytest.mark.parametrize("history", ["", "{}", "[1]", '[{"seconds": "many"}]', "[]", "[null]"])
def test_a_damaged_history_is_passed_over(history, tmp_path):
    folder = tmp_path / "pretrain" / "made-seed0-0"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"identity": "0", "config": {"name": "made"}}))
    (folder / "history.json").write_text(history)
    assert Earlier(tmp_path).of_training({"name": "made"}) is None


def test_what_is_not_in_the_sum_is_said():
    found = Expected({"A, seed 0": 60.0, "B, seed 0": None}, seconds=65.0, unknown=3)
    assert found.lines() == [
        "first: pre-train A, seed 0, about 1:00",
        "first: pre-train B, seed 0",
        "about 2:05 on this machine, by earlier runs in one process; 1 pre-training and 3 cells of a kind "
        "that never ran here are not in it",
    ]


def test_a_damaged_store_of_another_suite_does_not_hinder(plan, recorded):
    recorded(lambda n: 10.0)
    other = paths.results_root() / "other" / "runs" / "0123456789abcdef"
    other.mkdir(parents=True)
    (other / "record.json").write_text("{")
    assert expected_time(plan, plan.runs).unknown == 0


@pytest.mark.parametrize(
    "spec", [{}, {"task": "fake"}, {"task": [1], "data": "x", "protocol": 3, "backbone": None}]
)
def test_a_record_with_an_odd_spec_does_not_hinder(spec, plan, recorded):
    recorded(lambda n: 10.0)
    path = next(Store.of(plan.suite.name).runs.glob("*/record.json"))
    path.write_text(json.dumps(json.loads(path.read_text()) | {"spec": spec}))
    assert expected_time(plan, plan.runs).unknown <= len(plan.runs)
