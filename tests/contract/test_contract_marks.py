"""Nothing is bold unless a test at 5 % says so, after a correction for the number of comparisons."""

from types import SimpleNamespace

import numpy as np
import pytest
from scored_store import save

from prior_bench.report.comparing import paired
from prior_bench.report.tables import marks
from prior_bench.report.tables.table import Cell, Column, Row, build_table, load_table
from prior_bench.statistics.significance import LEVEL, difference
from prior_bench.store.store import Store

TABLE = """columns = [dict(group="CheXpert", label="auroc", task="classification", data="sample:chexpert",
     protocol="demo/linear_probe", metric="auroc")]
"""


def marked(monkeypatch, p_values, numbers, **column):
    """Marks of a table, by row and column, when the tests of each pair of rows give these p values."""
    found = iter(p_values)
    monkeypatch.setattr(
        marks, "paired_difference", lambda *_: SimpleNamespace(p=next(found), covers_seeds=True)
    )
    monkeypatch.setattr(marks, "spread_over_seeds", lambda *_: None)
    rows = [Row(f"row {i}", [Cell({0: value}) for value in line]) for i, line in enumerate(numbers)]
    columns = [Column("g", "l", "t", {}, "p", "auroc", **column)] * len(numbers[0])
    notes = marks.mark_cells(rows, columns, [[{}] * len(columns) for _ in rows]).legend
    return [[cell.mark for cell in row.cells] for row in rows], " ".join(notes)


def test_the_level_is_five_percent():
    assert LEVEL == 0.05


@pytest.mark.parametrize(
    "p, mark",
    [
        (0.2, marks.LEADING),
        (0.0501, marks.LEADING),
        (0.05, marks.LEADING),  # significant is what is below the level
        (0.0499, marks.BEST),
        (0.04, marks.BEST),
        (1e-9, marks.BEST),
    ],
)
def test_two_rows(monkeypatch, p, mark):
    found, notes = marked(monkeypatch, [p], [[0.7], [0.8]])
    assert found == [[""], [mark]]
    assert ("Bold" in notes) == (mark == marks.BEST)
    assert "level 5 %" in notes and "1 comparison," in notes
    assert "has a number in the column" not in notes, "all have"


def test_two_columns_of_four_percent_each_mark_nothing():
    with pytest.MonkeyPatch.context() as patch:
        found, notes = marked(patch, [0.04, 0.04], [[0.7, 0.7], [0.8, 0.8]])
    assert found == [["", ""], [marks.LEADING, marks.LEADING]] and "2 comparisons" in notes
    with pytest.MonkeyPatch.context() as patch:
        found, _ = marked(patch, [0.02, 0.02], [[0.7, 0.7], [0.8, 0.8]])
    assert found == [["", ""], [marks.BEST, marks.BEST]]


def test_of_three_rows_the_best_ties_with_what_is_not_significantly_worse(monkeypatch):
    # pairs in the order (0, 1), (0, 2), (1, 2); the second row is the best
    found, _ = marked(monkeypatch, [0.001, 0.9, 0.2], [[0.6], [0.8], [0.7]])
    assert found == [[""], [marks.TIED], [marks.TIED]]


def test_where_lower_is_better_the_lowest_is_best(monkeypatch):
    found, _ = marked(monkeypatch, [0.001], [[3.0], [5.0]], higher_is_better=False)
    assert found == [[marks.BEST], [""]]
    with pytest.MonkeyPatch.context() as patch:
        found, _ = marked(patch, [0.001], [[5.0], [3.0]], higher_is_better=False)
    assert found == [[""], [marks.BEST]]


def test_numbers_that_print_alike_are_underlined_alike(monkeypatch):
    found, _ = marked(monkeypatch, [0.5, 0.5, 0.5], [[80.04], [80.01], [70.0]], digits=1)
    assert found == [[marks.LEADING], [marks.LEADING], [""]]
    found, notes = marked(monkeypatch, [0.5], [[80.04], [80.01]], digits=1)
    assert found == [[""], [""]] and "Underlined" not in notes
    found, _ = marked(monkeypatch, [0.5], [[80.04], [80.01]], digits=2)
    assert found == [[marks.LEADING], [""]]


def test_a_difference_without_an_error_is_no_test(monkeypatch):
    found, notes = marked(monkeypatch, [np.nan], [[0.7], [0.8]])
    assert found == [[""], [marks.LEADING]] and "no variation among the test samples" in notes
    assert "Holm" not in notes


def test_empty_cells_are_not_compared(monkeypatch):
    monkeypatch.setattr(marks, "paired_difference", None)  # would fail if it were called
    rows = [Row("a", [Cell()]), Row("b", [Cell({0: 0.7})])]
    column = Column("g", "l", "t", {}, "p", "auroc")
    assert marks.mark_cells(rows, [column], [[{}], [{}]]).legend == []
    assert [row.cells[0].mark for row in rows] == ["", ""]


@pytest.mark.parametrize("skill, low, high, bold", [(1.11, 0.1, 0.45, False), (1.3, 0.0, 0.045, True)])
def test_stored_predictions_are_marked_as_their_p_value_says(tmp_path, skill, low, high, bold):
    path = tmp_path / "one.py"
    path.write_text(TABLE)
    store = Store(tmp_path / "store")
    one, two = ({0: save(store, name, s)} for name, s in (("Low", 1.0), ("High", skill)))
    assert low < paired.paired_difference(two, one, "auroc").p < high
    table = build_table(load_table(str(path)), [store])
    assert {row.label: row.cells[0].mark == marks.BEST for row in table.rows} == {"Low": False, "High": bold}


@pytest.mark.parametrize("p", [0.2, 0.06, 0.04, 0.001])
def test_the_interval_leaves_zero_out_where_the_difference_is_significant(p):
    from scipy.stats import t

    one = difference([float(t.isf(p / 2, 99))], test_error=1.0, patients=100)
    assert one.p == pytest.approx(p)
    assert (one.interval[0] > 0) == (p < 0.05)


def test_a_column_that_cannot_be_compared_does_not_end_the_others(monkeypatch):
    monkeypatch.setattr(marks, "paired_difference", lambda *_: SimpleNamespace(p=0.001, covers_seeds=True))
    monkeypatch.setattr(marks, "spread_over_seeds", lambda *_: None)
    rows = [Row("a", [Cell(), Cell({0: 0.9})]), Row("b", [Cell({0: 0.7}), Cell({0: 0.7})])]
    marks.mark_cells(rows, [Column("g", "l", "t", {}, "p", "auroc")] * 2, [[{}, {}], [{}, {}]])
    assert [[cell.mark for cell in row.cells] for row in rows] == [["", marks.BEST], ["", ""]]


def test_a_pair_that_cannot_be_tested_does_not_end_the_others(monkeypatch):
    def tested(first, second, *_):
        if "untested" in (first, second):
            raise paired.NotTested("no seed in common")
        return SimpleNamespace(p=0.001, covers_seeds=True)

    monkeypatch.setattr(marks, "paired_difference", tested)
    monkeypatch.setattr(marks, "unit_of_several", lambda _: "patient")
    monkeypatch.setattr(marks, "spread_over_seeds", lambda *_: None)
    rows = [Row(name, [Cell({0: value})]) for name, value in zip("abc", (0.5, 0.6, 0.9), strict=True)]
    column = Column("g", "l", "t", {}, "p", "auroc")
    notes = marks.mark_cells(rows, [column], [["untested"], ["b"], ["c"]]).legend
    assert "1 comparison," in notes[0], "b and c were tested"
    assert [row.cells[0].mark for row in rows] == ["", "", marks.LEADING]


def test_the_spread_over_seeds_is_that_of_all_rows_of_the_column(monkeypatch):
    given = []

    def tested(first, second, metric, spread, parts):
        given.append((metric, spread))
        return SimpleNamespace(p=0.001, covers_seeds=True)

    monkeypatch.setattr(marks, "paired_difference", tested)
    monkeypatch.setattr(marks, "unit_of_several", lambda _: "patient")
    monkeypatch.setattr(marks, "spread_over_seeds", lambda runs, metric: (tuple(runs), metric))
    rows = [Row("a", [Cell({0: 0.9})]), Row("empty", [Cell()]), Row("b", [Cell({0: 0.7})])]
    marks.mark_cells(rows, [Column("g", "l", "t", {}, "p", "auroc")], [["A"], ["E"], ["B"]])
    assert given == [("auroc", (("A", "B"), "auroc"))]
