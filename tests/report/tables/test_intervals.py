"""Intervals by test patient in the cells of a table."""

import pytest
from scored_store import save, scored

from prior_bench.report.tables.layout import cell_text
from prior_bench.report.tables.table import build_table, load_table
from prior_bench.store.store import Store

CONFIG = """
intervals = {intervals}
columns = [dict(group="CheXpert", label="AUROC", task="classification", data="sample:chexpert",
                protocol="demo/linear_probe", metric="auroc")]
"""


def table(tmp_path, store, intervals=True):
    path = tmp_path / "one.py"
    path.write_text(CONFIG.format(intervals=intervals))
    return build_table(load_table(str(path)), [store], test=False)


def test_a_cell_of_one_seed_shows_the_interval_of_its_patients(tmp_path):
    store = scored(tmp_path / "s", {"Weak": 0.5, "Strong": 3.0}, seeds=1)
    filled = table(tmp_path, store)
    for row in filled.rows:
        (cell,) = row.cells
        lower, upper = cell.interval
        assert lower < cell.mean < upper and 0.5 < upper - lower < 40
        assert cell_text(cell, filled.columns[0]) == f"{cell.mean:.1f} [{lower:.1f}, {upper:.1f}]"
    assert "In brackets: 95 % bootstrap intervals by test patient." in filled.notes
    widths = {row.label: row.cells[0].interval[1] - row.cells[0].interval[0] for row in filled.rows}
    assert widths["Weak"] > widths["Strong"], "the better score varies less"


def test_several_seeds_keep_their_deviation(tmp_path):
    store = Store(tmp_path / "s")
    for seed in (0, 1):
        save(store, "Twice", 2.0, seed)
    filled = table(tmp_path, store)
    assert filled.rows[0].cells[0].interval is None and not any("brackets" in n for n in filled.notes)


@pytest.mark.parametrize("lost", [True, False])
def test_no_interval_without_predictions_or_unasked(tmp_path, lost):
    store = scored(tmp_path / "s", {"One": 1.0, "Other": 2.0}, seeds=1)
    if lost:
        for path in store.runs.glob("*/predictions.npz"):
            path.unlink()
    filled = table(tmp_path, store, intervals=lost)
    assert all(row.cells[0].interval is None for row in filled.rows)
    assert not any("brackets" in note for note in filled.notes)
