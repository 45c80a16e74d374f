import math
import xml.etree.ElementTree as ElementTree

import pytest
from fixed_store import TABLE
from scored_store import save, scored

from prior_bench.errors import BenchError
from prior_bench.report.html.figures.critical_difference import ranks_of, ranks_svg, ranks_text
from prior_bench.report.runs.planned_runs import EVERY_SUITE, stores_of
from prior_bench.report.tables.leaderboard import leaderboard
from prior_bench.report.tables.render import render
from prior_bench.report.tables.table import build_table, load_table
from prior_bench.statistics.ranks import AverageRanks
from prior_bench.store.store import Store


def test_leaderboard_over_all_stores_in_order_of_mean_rank(tmp_path):
    scored(tmp_path / "results" / "one", {"Low": 0.2, "High": 3.0}, seeds=1)
    save(Store(tmp_path / "results" / "two"), "Other", 1.0, fraction=0.1)
    table = leaderboard(stores_of([EVERY_SUITE]), test=False)
    assert [row.label for row in table.rows] == ["High", "Other", "Low"]
    assert [row.cells[0].mean for row in table.rows] == [1, 1, 2]
    assert [row.cells[1].mean for row in table.rows] == [1, 1, 1]
    assert "leaderboard" in render(table, "latex") and len(table.columns) == 4
    with pytest.raises(BenchError, match="no finished run"):
        leaderboard([Store(tmp_path / "nothing")])


def test_ranks_of_a_leaderboard_are_over_its_evaluations_alone(tmp_path):
    store = scored(tmp_path / "s", {"Low": 0.2, "Middle": 1.0, "High": 3.0}, seeds=1)
    table = leaderboard([store], test=False)
    ranks = ranks_of(table)
    assert ranks.evaluations == 1 and len(table.columns) == 3
    assert dict(zip(ranks.labels, ranks.average, strict=True)) == {
        r.label: r.cells[0].mean for r in table.rows
    }


def test_speed_is_not_ranked(tmp_path):
    store = scored(tmp_path / "s", {"Low": 0.2, "High": 3.0}, seeds=1)
    run = save(store, "Fast", 1.0, seed=7)
    run.record.spec = {**run.spec, "task": "throughput"}
    store.save(run.record)
    table = leaderboard([store], test=False)
    assert [row.label for row in table.rows] == ["High", "Low"] and len(table.columns) == 3


def test_the_same_run_in_two_stores_is_one_seed(tmp_path):
    stores = [scored(tmp_path / name, {"A": 1.0}) for name in ("one", "two")]
    cell = leaderboard(stores, test=False).rows[0].cells[2]
    assert len(cell.values) == cell.planned == 2


def test_ranks_of_a_table_use_full_columns_and_no_trivial_rows(tmp_path, stores):
    (tmp_path / "tiny.py").write_text(TABLE)
    config = load_table(str(tmp_path / "tiny.py"))
    ranks = ranks_of(build_table(config, stores, trivial=True))
    assert ranks.labels == ("PRIOR & Co_1", "ConVIRT", "Random")  # the 100 % column is the only full one
    assert ranks.average == (1, 2, 3) and ranks.evaluations == 1 and math.isnan(ranks.difference)
    config.rows = ["Random"]
    with pytest.raises(BenchError, match="two rows"):
        ranks_of(build_table(config, stores))


@pytest.mark.parametrize("difference", [0.9, 9.0, math.nan])
def test_diagram_is_well_formed_and_says_everything(difference):
    ranks = AverageRanks(("A & B", "C", "D"), (1.2, 1.9, 2.9), 10, difference, 0.004)
    root = ElementTree.fromstring(ranks_svg(ranks))
    texts = ["".join(element.itertext()) for element in root.iter() if element.tag.endswith("}text")]
    assert {"A & B (1.20)", "C (1.90)", "D (2.90)"} <= set(texts)
    bars = [e for e in root.iter() if e.get("stroke-width") == "4"]
    assert len(bars) == {0.9: 1, 9.0: 1}.get(difference, 0)
    assert "Friedman" in ranks_text(ranks)
    width = float(root.get("viewBox").split()[2])
    assert all(0 <= float(e.get(k)) <= width for e in root.iter() for k in ("x1", "x2") if e.get(k))
