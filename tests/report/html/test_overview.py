"""The overview's sentences, from tables of which it is known what they show."""

from dataclasses import replace

import pytest

from prior_bench.report.html.page import shown_table
from prior_bench.report.html.sections.overview import ranks_finding, separations, trivial_finding
from prior_bench.report.tables.marks import BEST, LEADING, TIED, Outcome
from prior_bench.report.tables.table import Cell, Column, Row, Table


def column(group: str, *, higher: bool = True) -> Column:
    data = {"name": "chexpert", "type": "chexpert", "root": ""}
    return Column(group, "", "classification", data, "p", "auroc", 1.0, 100, 1, higher)


def table(
    values: dict[str, list], marks=(), trivial: dict[str, list[float]] | None = None, higher=True
) -> Table:
    """Values by row: a list per column, of a value or of values by seed."""
    marks = marks or [[""] * 2] * len(values)
    rows = []
    for (name, line), mine in zip(values.items(), marks, strict=True):
        cells = [dict(enumerate(value if isinstance(value, list) else [value])) for value in line]
        rows.append(Row(name, [Cell(cell, mark=mark) for cell, mark in zip(cells, mine, strict=True)]))
    for name, line in (trivial or {}).items():
        rows.append(Row(name, [Cell({0: value}) for value in line], trivial=True))
    columns = [column(f"C{c}", higher=higher) for c in range(len(next(iter(values.values()))))]
    return Table("t", "T", columns, rows, [])


def test_the_best_mean_rank_is_named_with_what_is_known_of_it():
    said = ranks_finding(table({"A": [60, 70], "B": [50, 80], "C": [80, 90]}))
    assert said.startswith("Over 2 columns, C has the best mean rank, 1.00; A follows with 2.50.") or (
        "B follows with 2.50" in said
    )
    assert "Without an interval, which takes 3 seeds" in said
    seeds = table({"A": [[60, 61, 62], [70, 71, 72]], "C": [[80, 81, 82], [90, 91, 92]]})
    assert ranks_finding(seeds).endswith("intervals over seeds do not overlap.")
    turned = table({"A": [[60, 81, 62], [70, 91, 72]], "C": [[61, 80, 63], [71, 90, 73]]})
    assert "may turn the order round" in ranks_finding(turned)


def test_lower_may_be_better():
    assert "A has the best mean rank" in ranks_finding(table({"A": [1, 1], "B": [9, 9]}, higher=False))


def test_rows_that_share_the_best_rank_are_both_named():
    assert ranks_finding(table({"A": [1, 2], "B": [2, 1]})) == (
        "Over 2 columns, A and B share the best mean rank, 1.50."
    )


def test_a_table_of_one_row_ranks_nothing():
    assert ranks_finding(table({"A": [1, 2]})) == ""


@pytest.mark.parametrize(
    "marks, said",
    [
        (
            [[BEST, ""], ["", TIED], ["", TIED]],
            ("in 2 of 2 columns", "Significantly better than all others: A in"),
        ),
        ([["", TIED], ["", TIED], ["", ""]], ("in 1 of 2 columns", "In none of them")),
        ([[LEADING, ""], ["", LEADING], ["", ""]], ("In no column do the paired tests tell",)),
    ],
)
def test_columns_that_tests_decide_are_counted(marks, said):
    found = separations([table({"A": [1, 2], "B": [2, 1], "C": [0, 0]}, marks)])
    assert all(part in found for part in said)


def test_declared_comparisons_are_sorted_by_what_came_out():
    outcomes = [
        Outcome("A", "Random", ("C0 (+3)", "C1 (+4)"), (), 1, 2),
        Outcome("A", "B", ("C0 (+3)",), ("C1 (-4)",), 0, 0),
        Outcome("B", "Random", (), ("C0 (-1)",), 2, 0),
        Outcome("A", "C", (), (), 3, 0),
        Outcome("C", "D", (), (), 0, 3),
    ]
    found = separations([replace(table({"A": [1, 2], "B": [2, 1]}), outcomes=outcomes)])
    assert found == (
        "Significantly better, and nowhere worse: A against Random (2 of 3 columns); "
        "Random against B (1 of 3 columns). "
        "Better in some columns and worse in others: A against B (better in 1, worse in 1 of 2). "
        "Nowhere significantly different: A against C."
    )


def test_what_predicts_without_the_image_is_held_against_the_best_row():
    rows = {"A": [60, 50], "B": [40, 55]}
    assert trivial_finding([table(rows)]) == ""
    assert "In all 2 columns" in trivial_finding([table(rows, trivial={"chance": [50, 54]})])
    assert "in 1 of 2 columns: C1." in trivial_finding([table(rows, trivial={"centre": [50, 55]})])
    lower = table(rows, trivial={"chance": [50, 49]}, higher=False)
    assert "in 1 of 2 columns: C1." in trivial_finding([lower])


def test_declared_comparisons_are_a_list_beside_the_notes():
    filled = table({"A": [60, 70], "B": [50, 60]})
    filled.outcomes = [Outcome("A", "B", ("C0 (+10.0)",), (), 1, 0)]
    filled.notes = ["Seed 0 only.", filled.outcomes[0].text, "Underlined: best."]
    shown = shown_table(filled)
    assert shown["notes"] == ["Seed 0 only.", "Underlined: best."]
    assert shown["outcomes"] == [
        "A against B: significantly better in C0 (+10.0), no significant difference in 1 column."
    ]
