import numpy as np
import pytest
from scored_store import CLASSES, predictions, save, scored
from sklearn.metrics import roc_auc_score

from prior_bench.report.comparing.paired import (
    NotTested,
    mean_interval,
    paired_difference,
    spread_over_seeds,
)
from prior_bench.report.runs.draws import load_predictions, metric_draws
from prior_bench.report.runs.reported_runs import FinishedRun
from prior_bench.report.tables.marks import BEST, LEADING, TIED, TableTests, mark_cells
from prior_bench.report.tables.table import Cell, Column, Row, build_table, load_table
from prior_bench.store.store import Store

COLUMN = """dict(group="CheXpert", label="{0}", task="classification", data="sample:chexpert",
     protocol="demo/linear_probe", metric="{0}"),
"""


def table(tmp_path, store, **options):
    path = tmp_path / "two.py"
    path.write_text(f"columns = [{COLUMN.format('auroc')}{COLUMN.format('f1')}]\n")
    return build_table(load_table(str(path)), [store], **options)


def marks(filled):
    return {row.label: [cell.mark for cell in row.cells] for row in filled.rows}


def test_the_significantly_best_row_is_bold(tmp_path):
    filled = table(tmp_path, scored(tmp_path / "s", {"Low": 0.2, "Middle": 1.0, "High": 3.0}))
    assert marks(filled) == {"Low": ["", ""], "Middle": ["", ""], "High": [BEST, BEST]}
    notes = " ".join(filled.notes)
    assert "Holm over the table's 6 comparisons" in notes and "Bold: significantly better" in notes
    assert "≈" not in notes and "Underlined" not in notes


def test_rows_that_do_not_differ_significantly_are_ties(tmp_path):
    filled = table(tmp_path, scored(tmp_path / "s", {"Low": 0.2, "High": 3.0, "Higher": 3.01}))
    assert marks(filled) == {"Low": ["", ""], "High": [TIED, TIED], "Higher": [TIED, TIED]}
    assert "Nothing is significantly better" in " ".join(filled.notes)


def test_a_row_without_predictions_takes_the_bold_print_from_the_column(tmp_path):
    store = scored(tmp_path / "s", {"Low": 0.2, "High": 3.0})
    (store.runs / "low-0" / "predictions.npz").unlink()
    filled = table(tmp_path, store)
    assert marks(filled) == {"Low": ["", ""], "High": [LEADING, LEADING]}
    assert "not every row could be tested against it (no stored predictions)." in " ".join(filled.notes)


def test_one_row_is_not_marked_and_no_test_is_claimed(tmp_path):
    filled = table(tmp_path, scored(tmp_path / "s", {"Alone": 2.0}))
    assert marks(filled) == {"Alone": ["", ""]}
    assert not any(word in " ".join(filled.notes) for word in ("Bold", "Underlined", "Holm"))


def test_tests_can_be_left_out(tmp_path):
    filled = table(tmp_path, scored(tmp_path / "s", {"Low": 0.2, "High": 3.0}), test=False)
    assert marks(filled)["High"] == [LEADING, LEADING] and "without a claim: no tests were made." in " ".join(
        filled.notes
    )


def test_difference_of_two_methods(tmp_path):
    store = Store(tmp_path / "s")
    low, high = ({s: save(store, n, k, s) for s in (0, 1)} for n, k in (("Low", 0.5), ("High", 1.5)))
    found = paired_difference(high, low, "auroc")
    macro = [
        np.mean([roc_auc_score(p["target"][:, c], p["score"][:, c]) for c in (0, 1)])
        for p in (predictions(k, s) for s in (0, 1) for k in (1.5, 0.5))
    ]
    assert found.value == pytest.approx((macro[0] - macro[1] + macro[2] - macro[3]) / 2)
    assert found.seeds == 2 and 0.01 < found.p < 0.03  # two seeds prove little
    # one seed: the bootstrap agrees with DeLong
    one = [{0: side[0]} for side in (high, low)]
    draws = [metric_draws(side[0].record, store, "auroc", n=400) for side in one]
    assert paired_difference(*one, "auroc").error == pytest.approx(np.std(draws[0] - draws[1]), rel=0.15)
    assert paired_difference(*one, f"auroc/{CLASSES[0]}").value == pytest.approx(
        high[0].record.metrics["auroc/Edema"] - low[0].record.metrics["auroc/Edema"]
    )


def test_why_no_test_can_be_made(tmp_path):
    store = Store(tmp_path / "s")
    one, other = save(store, "A", 1.0), save(store, "B", 1.0)
    with pytest.raises(NotTested, match="no seed in common"):
        paired_difference({0: one}, {1: other}, "auroc")
    fewer = {n: v[:40] if n[:4] != "meta" else v for n, v in predictions(1.0, 0).items()}
    store.save(other.record, fewer)
    load_predictions.cache_clear()
    with pytest.raises(NotTested, match="the test samples differ"):
        paired_difference({0: one}, {0: other}, "auroc")
    assert mean_interval({0: other}, "f1") is not None


def test_draws_that_take_no_time_are_not_cached(tmp_path, monkeypatch):
    run = save(Store(tmp_path / "s"), "A", 1.0)
    for seconds, stored in ((60, False), (0, True)):
        monkeypatch.setattr("prior_bench.report.runs.draws.WORTH_STORING", seconds)
        metric_draws(run.record, run.store, "f1", n=20)
        assert (tmp_path / "cache" / "bootstrap").is_dir() is stored


def test_draws_are_cached_and_follow_the_predictions(tmp_path, monkeypatch):
    monkeypatch.setattr("prior_bench.report.runs.draws.WORTH_STORING", 0)
    run = save(Store(tmp_path / "s"), "A", 1.0)
    first = metric_draws(run.record, run.store, "f1", n=20)
    with monkeypatch.context() as patch:
        patch.setattr("prior_bench.statistics.bootstrap.bootstrap", None)  # would fail if it were called
        assert metric_draws(run.record, run.store, "f1", n=20).tolist() == first.tolist()
    for place in (tmp_path / "cache" / "bootstrap").iterdir():
        place.write_bytes(place.read_bytes()[:-40])  # damaged: drawn again
    assert metric_draws(run.record, run.store, "f1", n=20).tolist() == first.tolist()
    run.store.save(run.record, predictions(2.0, 0))
    load_predictions.cache_clear()
    assert metric_draws(run.record, run.store, "f1", n=20).tolist() != first.tolist()


def test_where_no_row_is_significantly_worse_the_best_is_underlined_without_a_claim(tmp_path):
    filled = table(tmp_path, scored(tmp_path / "s", {"Low": 1.0, "High": 1.02}))
    for c in (0, 1):
        best = max(filled.rows, key=lambda row: row.cells[c].mean)
        assert [row.cells[c].mark for row in filled.rows] == [
            LEADING if row is best else "" for row in filled.rows
        ]
    notes = " ".join(filled.notes)
    assert "without a claim: no row of the column is significantly worse." in notes and "≈" not in notes


def test_the_caption_of_a_table_with_every_mark_says_which_column_has_which_reason(monkeypatch):
    """Four columns: ties above a worse row, nothing significant, a row not tested, all print alike."""
    p_values = {(0, 0, 1): 0.9, (0, 0, 2): 0.01, (0, 1, 2): 0.01}
    p_values |= {(c, *pair): 0.9 for c in (1, 3) for pair in ((0, 1), (0, 2), (1, 2))}
    p_values |= {(2, 0, 1): 0.01}
    untested = {(2, 0, 2): "no stored predictions", (2, 1, 2): "of no interest, being not about the best"}
    monkeypatch.setattr(
        "prior_bench.report.tables.marks._tests", lambda *_: TableTests(p_values, untested, 0, [1])
    )
    numbers = [(3, 3, 3, 1), (2.9, 2, 2, 1), (1, 1, 1, 1)]
    rows = [Row(f"{n}", [Cell({0: value}) for value in line]) for n, line in enumerate(numbers)]
    column = Column("g", "l", "t", {}, "p", "m")
    notes = mark_cells(rows, [column] * 4, []).legend
    assert [[cell.mark for cell in row.cells] for row in rows] == [
        [TIED, LEADING, LEADING, ""],
        [TIED, "", "", ""],
        ["", "", "", ""],
    ]
    assert notes[2:] == [
        "≈: best number of a column, or not significantly worse than it, where other rows are significantly "
        "worse.",
        "Underlined: best number of a column, without a claim: no row of the column is significantly worse, "
        "or not every row could be tested against it (no stored predictions).",
    ]


def test_one_seed_is_said_to_compare_weights_and_not_methods(tmp_path):
    notes = table(tmp_path, scored(tmp_path / "s", {"Low": 0.2, "High": 3.0}, seeds=1)).notes
    assert (
        "Paired tests by test patient, Holm over the table's 2 comparisons, level 5 %; with one seed they "
        "compare these trained weights, and not the methods." in notes
    )
    assert "Seed 0 only." in notes


def test_a_row_that_lacks_a_seed_leaves_the_spread_of_the_others_and_takes_it(tmp_path):
    """Else its own tests would ignore the seeds, and the others would have few degrees of freedom."""
    store = scored(tmp_path / "s", {"A": 0.9, "B": 1.0, "C": 1.1})
    runs = [{s: e for s in (0, 1) if (e := entry(store, f"{name}-{s}"))} for name in "abc"]
    del runs[0][1]
    spread = spread_over_seeds(runs, "auroc")
    assert spread == spread_over_seeds(runs[1:], "auroc") and spread[1] == 1
    difference = paired_difference(runs[0], runs[1], "auroc", spread)
    assert difference.seeds == 1 and difference.covers_seeds
    assert difference.parts[1] == pytest.approx((spread[0], 1))
    alone = paired_difference(runs[0], runs[1], "auroc")
    assert not alone.covers_seeds and alone.p < difference.p
    assert spread_over_seeds([runs[0], runs[1]], "auroc") is None, "one complete row has no spread"
    (store.runs / "a-1" / "record.json").unlink()
    notes = " ".join(table(tmp_path, store).notes)
    assert "by test patient and seed, Holm over the table's 6 comparisons, level 5 %." in notes


def test_tests_with_one_seed_beside_others_are_counted(tmp_path):
    store = scored(tmp_path / "s", {"A": 0.5, "B": 2.0})
    save(store, "A", 0.5, seed=2)  # no two rows have seed 2
    (store.runs / "a-1" / "record.json").unlink()
    notes = " ".join(table(tmp_path, store).notes)
    assert "by test patient, Holm over the table's 2 comparisons" in notes and "with one seed they" in notes


def test_bold_is_against_rows_with_a_number_only(tmp_path):
    store = scored(tmp_path / "s", {"Low": 0.2, "High": 3.0, "Failed": 1.0})
    for seed in (0, 1):
        record = store.get(f"failed-{seed}")
        record.status, record.metrics, record.error = "failed", {}, "out of memory"
        store.save(record)
    filled = table(tmp_path, store)
    assert marks(filled)["High"] == [BEST, BEST]
    assert "Bold: significantly better than every other row that has a number in the column." in filled.notes
    assert {row.label: row.cells[0].reason for row in filled.rows}["Failed"] == "failed: out of memory"


def test_failed_seeds_are_not_said_to_be_averaged(tmp_path):
    store = scored(tmp_path / "s", {"Low": 0.2, "High": 3.0})
    for name in ("low", "high"):
        record = store.get(f"{name}-1")
        record.status, record.metrics = "failed", {}
        store.save(record)
    assert "Seed 0 only." in table(tmp_path, store).notes


def entry(store, key):
    record = store.get(key)
    return FinishedRun(record.spec, key, "", record, store)


def fold(store, name, skill, seed, ids):
    """A run on a test set of its own: images ``ids`` of 200, two per patient."""
    run = save(store, name, skill, seed)
    kept = {n: v[ids] if n[:4] != "meta" else v for n, v in predictions(skill, seed).items()}
    store.save(run.record, kept)
    load_predictions.cache_clear()
    return run


@pytest.mark.parametrize("metric", ["auroc", "f1"])
def test_folds_have_independent_errors_and_draws_the_largest_possible(tmp_path, metric):
    parts = {0: slice(0, 100), 1: slice(100, 200)}
    for name, sets in (("folds", parts), ("draws", {0: slice(0, 120), 1: slice(80, 200)})):
        store = Store(tmp_path / name)
        low, high = (
            {s: fold(store, n, k, s, ids) for s, ids in sets.items()}
            for n, k in (("Low", 0.5), ("High", 1.5))
        )
        both = paired_difference(high, low, metric, (0.0, 1))
        one, two = (paired_difference({s: high[s]}, {s: low[s]}, metric).error for s in sets)
        assert one > 0 and two > 0
        if name == "folds":
            assert both.error == pytest.approx(np.sqrt(one**2 + two**2) / 2)
        else:
            assert both.error == pytest.approx(np.sqrt((one**2 + two**2) / 2))
        assert both.parts[0][1] == 100 - 1  # distinct patients
        with pytest.raises(NotTested, match="the test samples differ"):
            paired_difference(high, {**low, 1: fold(store, "Other", 0.5, 1, slice(0, 60))}, metric)
