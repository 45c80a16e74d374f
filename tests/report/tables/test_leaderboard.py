import pytest
from scored_store import save, scored

from prior_bench.errors import BenchError
from prior_bench.report.runs.reported_runs import EVERY_SUITE, stores_of
from prior_bench.report.tables.leaderboard import leaderboard
from prior_bench.report.tables.render import render
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


def test_a_column_names_its_metric_and_a_label_fraction_only_where_labels_are_used(tmp_path):
    store = scored(tmp_path / "s", {"A": 0.2, "B": 3.0}, seeds=1)
    save(store, "C", 1.0, task="zero_shot")
    labels = [column.label for column in leaderboard([store], test=False).columns[2:]]
    assert sorted(labels) == ["AUROC", "AUROC, 100 %"]
