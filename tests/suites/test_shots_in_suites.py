"""Shots in suites: cells, keys, filters, refusals, estimates and columns of tables."""

from dataclasses import replace

import fake_parts
import pandas as pd
import pytest
from fixed_store import spec

from prior_bench.api import RunSpec
from prior_bench.errors import BenchError, ErrorList
from prior_bench.report.published.comparable import _percent, mismatches
from prior_bench.report.published.numbers import Published
from prior_bench.report.tables.config import Column, load_table
from prior_bench.suites.keys import run_key
from prior_bench.suites.plan import expand
from prior_bench.suites.suite import Suite, fractions_of, load_suite, shots_of

MINE = {"name": "mine", "type": "fake"}


@pytest.fixture
def my_data(parts, tmp_path):
    """A label with two values, 6 training patients of the first and 3 of the second."""
    rows = []
    for split, counts in (("train", (6, 3)), ("valid", (3, 3)), ("test", (3, 3))):
        for y, count in enumerate(counts):
            for n in range(count):
                rows.append({"image": f"{split}{y}{n}.png", "patient_id": f"{split}{y}{n}", "split": split})
                rows[-1]["class"] = "ab"[y]
                (tmp_path / rows[-1]["image"]).write_bytes(b"an image")
    pd.DataFrame(rows).to_csv(tmp_path / "my.csv", index=False)
    return {"type": "csv", "root": str(tmp_path / "my.csv"), "label": "class"}


def suite_of(data, **changes) -> Suite:
    entry = {"task": "classification", "data": data, "protocol": "clean/linear_probe", **changes}
    return Suite("few", [MINE], [entry])


def labels(suite, **arguments) -> list[str]:
    return [run.label.split(" · ")[4] for run in expand(suite, **arguments).runs]


def test_shots_are_cells_beside_or_in_place_of_fractions(my_data):
    assert labels(suite_of(my_data, shots=[1, 2])) == ["1 per class", "2 per class"]
    both = suite_of(my_data, shots=2, fractions=[0.1, 1.0])
    assert labels(both) == ["10 %", "100 %", "2 per class"]
    assert labels(suite_of(my_data)) == ["100 %"]
    assert labels(both, only=["shots=2"]) == ["2 per class"]
    assert labels(both, only=["fraction=1"]) == ["100 %"]
    with pytest.raises(BenchError, match="nothing to run"):
        expand(both, only=["shots=3"])
    with pytest.raises(BenchError, match="'few' is not a number of images per class"):
        expand(both, only=["shots=few"])


def test_keys_of_fractions_stay_and_those_of_shots_follow_the_draw(my_data):
    def keys(**changes):
        return [run.key for run in expand(suite_of(my_data, **changes)).runs]

    (whole,) = keys()
    assert keys(shots=[1, 2], fractions=[1.0])[0] == whole
    assert len({whole, *keys(shots=[1, 2])}) == 3
    changed = {"few_shot.draw": "images"}
    name = "clean/linear_probe (changed: few_shot.draw)"
    before = RunSpec(MINE, "classification", {"name": "d", "type": "csv", "root": ""}, {"name": name})
    drawn = replace(before, protocol={**before.protocol, "few_shot": {"draw": "images"}})
    assert run_key(before, "i", "f", {}) == run_key(drawn, "i", "f", {}), "a fraction is not drawn like that"
    few, few_drawn = replace(before, shots=2), replace(drawn, shots=2)
    assert run_key(few, "i", "f", {}) != run_key(few_drawn, "i", "f", {})
    stated = replace(few, protocol={**few.protocol, "few_shot": {"draw": "patients", "seed": None}})
    assert run_key(few, "i", "f", {}) == run_key(stated, "i", "f", {}), "a stated default is the default"
    assert keys(shots=1, overrides=changed) != keys(shots=1)


def test_specs_of_fractions_are_stored_as_before():
    plain = RunSpec({"name": "Row"}, "t", {}, {})
    assert "shots" not in plain.to_dict()
    assert replace(plain, shots=4).to_dict()["shots"] == 4
    assert RunSpec(**plain.to_dict()) == plain


def test_too_few_of_a_class_and_bad_numbers_are_refused_before_anything_runs(my_data):
    with pytest.raises(ErrorList, match="class 'class=b' has 3 patients in the training split") as raised:
        expand(suite_of(my_data, shots=[1, 16]))
    assert "class 'without class=b' has 6" in str(raised.value) and "at most 3 per class" in str(raised.value)
    for wrong in (0, -1, 1.5, "four", [1, 0]):
        with pytest.raises(ErrorList, match="shots"):
            expand(suite_of(my_data, shots=wrong))
    with pytest.raises(ErrorList, match=r"few_shot\.validation"):
        expand(suite_of(my_data, shots=1, overrides={"few_shot.validation": "none"}))


def test_tasks_that_know_no_shots_refuse_them(parts, tmp_path):
    (tmp_path / "data" / "fake").mkdir(parents=True)
    entry = {"task": "fake", "data": "fake", "protocol": "fake/plain", "shots": 1}
    with pytest.raises(ErrorList, match="task 'fake' cannot be run with a number of images per class"):
        expand(Suite("few", [{"name": "mine", "type": "fake"}], [entry]))
    assert not fake_parts.FakeTask.runs


def test_columns_of_shots_take_runs_with_shots_alone():
    column = dict(group="g", label="l", task="classification", protocol="demo/linear_probe", metric="auroc")
    few = spec("Row", "classification", "chexpert", "demo/linear_probe")
    whole = Column(**column, data=few["data"])
    four = Column(**column, data=few["data"], shots=4)
    assert whole.takes(few) and not four.takes(few)
    assert four.takes({**few, "shots": 4}) and not whole.takes({**few, "shots": 4})
    assert not four.takes({**few, "shots": 2})


def test_a_column_has_shots_or_a_fraction(tmp_path):
    path = tmp_path / "both.py"
    column = dict(group="g", label="l", task="classification", data="chexpert", protocol="p", metric="auroc")
    path.write_text(f"columns = [{ {**column, 'shots': 2, 'fraction': 0.1}!r}]")
    with pytest.raises(ErrorList, match=r"columns\[0\].shots.*\n?.*excludes a fraction"):
        load_table(str(path))


def test_few_shot_runs_are_not_comparable_with_published_fractions():
    fields = dict.fromkeys(Published.__dataclass_fields__, "")
    number = Published(**{**fields, "label_fraction": "100%"})
    run = spec("Row", "classification", "chexpert", "demo/linear_probe")
    assert _percent(number.fraction) == "100 %"
    assert not any(why.startswith("fraction") for why in mismatches(run, "auroc", number))
    told = mismatches({**run, "shots": 4}, "auroc", number)
    assert "fraction 4 per class, not 100 %" in told


def test_the_estimate_counts_the_drawn_images(my_data, monkeypatch):
    from prior_bench.suites import estimate

    monkeypatch.setattr(estimate, "generated", lambda root: False)
    plan = expand(suite_of(my_data, shots=[1, 3], fractions=1.0))
    sizes = [estimate._drawn(run.spec, plan.data_sets) for run in plan.runs]
    assert sizes == [(9, 6, 6), (2, 6, 6), (6, 6, 6)], "k positives and k others"


def test_the_shipped_suite_and_table_fit(parts):
    (entry,) = load_suite("few_shot_demo").evaluations
    table = load_table("few_shot_demo")
    assert [column.shots for column in table.columns] == [*shots_of(entry), None] == [1, 2, 4, 8, 16, None]
    assert fractions_of(entry) == [1.0]
