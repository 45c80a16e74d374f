"""The curve over images per class beside that over label fractions, and headings of few-shot runs."""

import pytest
from scored_store import save

from prior_bench.report.html.sections.label_efficiency import label_efficiency, shot_curve
from prior_bench.report.html.sections.per_class import per_class
from prior_bench.report.runs.class_scores import scores_of
from prior_bench.report.runs.selection import most_labels
from prior_bench.report.tables.config import table_of_entries
from prior_bench.store.store import Store

COLOURS = {"Weak": "#000000", "Good": "#ff0000"}


@pytest.fixture
def runs(tmp_path):
    def one(skill, name, **changes):
        store = Store(tmp_path / f"{name}{changes}")
        return save(store, name, skill, **changes)

    few = [one(0.2 * k, name, shots=k) for name in COLOURS for k in (1, 4, 16)]
    return few, [one(2.0, name, fraction=f) for name in COLOURS for f in (0.1, 1.0)]


def test_each_curve_has_its_own_runs(runs):
    few, fractions = runs
    plot = shot_curve([*few, *fractions], COLOURS)
    assert "training images per class" in plot.svg and ">16<" in plot.svg and "100 %" not in plot.svg
    assert "Images are drawn by patient and are nested within a seed" in plot.caption
    plot = label_efficiency([*few, *fractions], COLOURS)
    assert "100 %" in plot.svg and "per class" not in plot.svg
    assert shot_curve(fractions, COLOURS) is None and label_efficiency(few, COLOURS) is None
    assert shot_curve([run for run in few if run.spec["shots"] == 4], COLOURS) is None


def test_sections_show_fractions_before_shots_and_say_which(runs):
    few, fractions = runs
    assert {run.spec["fraction"] for run in most_labels([*few, *fractions])} == {1.0}
    assert not any("shots" in run.spec for run in most_labels([*few, *fractions]))
    most = most_labels(few)
    assert {run.spec["shots"] for run in most} == {16}
    caption = per_class(few, scores_of(few)[0], COLOURS).plot.caption
    assert "16\N{NO-BREAK SPACE}per\N{NO-BREAK SPACE}class for training" in caption


def test_a_suite_without_a_table_has_a_column_for_each_number(runs):
    few, fractions = runs
    columns = table_of_entries("few", "", [*fractions, *few]).columns
    assert [column.label.rpartition(", ")[2] for column in columns] == [
        *("10 %", "100 %"),
        *("1 per class", "4 per class", "16 per class"),
    ]
    assert [column.shots for column in columns] == [None, None, 1, 4, 16]
    for column in columns[2:]:
        assert [run.spec["shots"] for run in [*few, *fractions] if column.takes(run.spec)] == [
            column.shots
        ] * 2
