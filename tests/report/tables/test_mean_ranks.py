"""Mean ranks of a table's rows, and what is said about them."""

import math

import pytest
from fixed_store import TABLE
from scored_store import scored

from prior_bench.errors import BenchError
from prior_bench.report.tables.leaderboard import leaderboard
from prior_bench.report.tables.mean_ranks import ranks_of, ranks_text
from prior_bench.report.tables.table import build_table, load_table
from prior_bench.statistics.ranks import AverageRanks


def test_ranks_of_a_leaderboard_are_over_its_evaluations_alone(tmp_path):
    store = scored(tmp_path / "s", {"Low": 0.2, "Middle": 1.0, "High": 3.0}, seeds=1)
    table = leaderboard([store], test=False)
    ranks = ranks_of(table)
    assert ranks.evaluations == 1 and len(table.columns) == 3
    assert dict(zip(ranks.labels, ranks.average, strict=True)) == {
        r.label: r.cells[0].mean for r in table.rows
    }


def test_ranks_of_a_table_use_full_columns_and_no_trivial_rows(tmp_path, stores):
    (tmp_path / "tiny.py").write_text(TABLE)
    config = load_table(str(tmp_path / "tiny.py"))
    table = build_table(config, stores, trivial=True)
    ranks = ranks_of(table)
    assert ranks.labels == ("PRIOR & Co_1", "ConVIRT", "Random")  # the 100 % column is the only full one
    assert ranks.average == (1, 2, 3) and ranks.evaluations == 1 and math.isnan(ranks.difference)
    text = ranks_text(ranks, table)
    assert "over 1 column (2 left out, because not every row has a number there)" in text
    assert "A single column gives no critical difference." in text and "Friedman" not in text
    config.rows = ["Random"]
    with pytest.raises(BenchError, match="two rows"):
        ranks_of(build_table(config, stores))


def test_tests_are_told_with_their_numbers(tmp_path):
    table = leaderboard([scored(tmp_path / "s", {"A": 0.2, "B": 1.0}, seeds=1)], test=False)
    text = ranks_text(AverageRanks(("A", "B"), (1.2, 1.8), 1, 0.75, 0.0004), table)
    assert text == (
        "Mean ranks over 1 column: A 1.20; B 1.80. Critical difference 0.75 (Nemenyi, 5 %). "
        "Friedman test: p < 0.001."
    )
    assert "p = 0.040" in ranks_text(AverageRanks(("A", "B"), (1.2, 1.8), 1, 0.75, 0.04), table)


def test_ranks_have_intervals_where_all_cells_have_the_same_seeds(tmp_path):
    store = scored(tmp_path / "s", {"Low": 0.2, "High": 3.0}, seeds=3)
    table = leaderboard([store], test=False)
    ranks = ranks_of(table)
    assert ranks.labels == ("High", "Low") and ranks.intervals == ((1, 1), (2, 2))
    assert "(95 % intervals: bootstrap over seeds): High 1.00 [1.00, 1.00]; Low 2.00 [2.00, 2.00]." in (
        ranks_text(ranks, table)
    )
    for row in table.rows:
        for cell in row.cells:
            if row.label == "Low" and 2 in cell.values:
                del cell.values[2]
    assert ranks_of(table).intervals == ()
    two = scored(tmp_path / "two", {"Low": 0.2, "High": 3.0}, seeds=2)
    assert ranks_of(leaderboard([two], test=False)).intervals == ()
