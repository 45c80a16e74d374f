import math

import numpy as np
import pytest
from fixed_store import TABLE, spec

from prior_bench.api import RunRecord
from prior_bench.errors import BenchError, ErrorList
from prior_bench.report.runs.reported_runs import reported_runs, same_data
from prior_bench.report.tables.layout import cell_text
from prior_bench.report.tables.marks import LEADING
from prior_bench.report.tables.table import build_table, load_table
from prior_bench.store.store import Store


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "tiny.py"
    path.write_text(TABLE)
    return load_table(str(path))


def test_cells_are_means_and_sample_deviations_over_seeds(config, stores):
    table = build_table(config, stores)
    assert [row.label for row in table.rows] == ["Random", "ConVIRT", "PRIOR & Co_1"]
    full = [row.cells[1] for row in table.rows]
    assert [cell.mean for cell in full] == pytest.approx([51, 72, 80.5])
    # two values a, b: sample deviation |a - b| / sqrt(2)
    assert [cell.std for cell in full] == pytest.approx([d / math.sqrt(2) for d in (2, 4, 1)])
    assert table.rows[2].cells[2].mean == 3.5


def test_without_patients_the_best_is_underlined_and_nothing_claimed(config, stores):
    table = build_table(config, stores)
    marks = [[cell.mark for cell in row.cells] for row in table.rows]
    assert marks == [["", "", ""], [LEADING, "", ""], ["", LEADING, ""]]
    notes = " ".join(table.notes)
    assert "Bold" not in notes and "could be tested against it (the predictions have no patients)" in notes


def test_equal_values_of_all_seeds_show_no_deviation(config, stores):
    """Fixed weights in a task that draws nothing: ± 0.0 would read as certainty."""
    second = stores[0].get("random-1.0-1")
    second.metrics["auroc"] = stores[0].get("random-1.0-0").metrics["auroc"]
    stores[0].save(second, {"id": np.array(["a", "b"])})
    table = build_table(config, stores)
    texts = [cell_text(row.cells[1], table.columns[1]) for row in table.rows]
    assert texts[0] == "50.0" and "±" in texts[1] and "±" in texts[2]
    assert "Without ±: every seed gave the same value" in " ".join(table.notes)
    table.rows[0].cells[1].values.popitem()
    assert not table.rows[0].cells[1].constant, "one seed is no spread"


def test_ties_as_printed_share_a_mark(config, stores):
    record = stores[0].get("random-1.0-0")
    record.metrics["auroc"] = 1.09003  # mean with 0.52 is 80.5015, which prints as 80.5
    stores[0].save(record)
    marks = [row.cells[1].mark for row in build_table(config, stores).rows]
    assert marks == [LEADING, "", LEADING]


def test_lower_is_better(config, stores):
    run = spec("ConVIRT", "retrieval", "mimic_cxr", "demo/retrieval")
    stores[0].save(RunRecord("convirt-r-0", "done", run, metrics={"median_rank": 9.0}))
    assert [row.cells[2].mark for row in build_table(config, stores).rows] == ["", "", LEADING]


def test_a_cell_without_a_record_says_why(config, stores):
    rows = build_table(config, stores).rows
    assert rows[0].cells[2].reason == "no text encoder"
    assert rows[1].cells[2].reason == "not run"
    assert rows[2].cells[0].reason == "failed: ValueError: a | b"
    assert (len(rows[1].cells[0].values), rows[1].cells[0].planned) == (1, 2)


def test_missing_and_undefined_metrics(config, stores):
    for seed, metrics in enumerate(({}, {"auroc": float("nan")})):
        record = stores[0].get(f"random-1.0-{seed}")
        record.metrics = metrics
        stores[0].save(record)
    assert build_table(config, stores).rows[0].cells[1].reason == "no metric auroc"


def test_rows_can_be_named_and_ordered(config, stores):
    config.rows = ["PRIOR & Co_1", "Random", "Unheard of"]
    table = build_table(config, stores)
    assert [row.label for row in table.rows] == config.rows
    assert table.rows[2].cells[0].reason == "not in the suite"


def test_a_table_without_any_run_is_an_error_and_no_empty_heading(config, tmp_path):
    with pytest.raises(BenchError, match="tiny: there is no run to show"):
        build_table(config)


def test_trivial_rows_on_demand(config, stores):
    table = build_table(config, stores, trivial=True)
    assert [(row.label, row.trivial) for row in table.rows][3:] == [("chance", True)]  # dice is not shown
    assert [cell.mean for cell in table.rows[3].cells[:2]] == pytest.approx([50, 50])
    assert table.rows[3].cells[2].reason == "–" and not any(cell.mark for cell in table.rows[3].cells)


def test_notes_say_synthetic_seeds_and_protocols(config, stores):
    notes = " ".join(build_table(config, stores).notes)
    assert "Synthetic data" in notes and "seeds 0, 1" in notes
    assert "demo/linear_probe, demo/retrieval" in notes


def test_frame_has_one_line_per_cell(config, stores):
    frame = build_table(config, stores).frame()
    assert len(frame) == 9
    line = frame.set_index(["backbone", "label"]).loc[("ConVIRT", "100 %")]
    assert line["mean"] == pytest.approx(72) and line["seeds"] == 2 and line["data"] == "chexpert (synthetic)"


def test_without_a_plan_the_newest_record_of_each_spec_counts(tmp_path):
    store = Store(tmp_path / "s")
    run = spec("A", "classification", "chexpert", "p")
    for key, day, auroc in (("b", 1, 0.1), ("a", 2, 0.2)):
        moment = {"finished": f"2026-01-0{day}"}
        store.save(RunRecord(key, "done", run, metrics={"auroc": auroc}, provenance=moment))
    assert [entry.key for entry in reported_runs([store])] == ["a"]


def test_a_record_the_plan_does_not_list_is_left_out(stores, config):
    """Records of older code stay in the store; the plan says which ones are current."""
    run = spec("Random", "classification", "chexpert", "demo/linear_probe")
    stores[0].save(RunRecord("stale", "done", run, metrics={"auroc": 0.99}))
    assert build_table(config, stores).rows[0].cells[1].mean == pytest.approx(51)


def test_data_is_the_same_wherever_it_lies_but_never_synthetic_and_real():
    here = {"name": "chexpert", "type": "chexpert", "root": "/a"}
    assert same_data(here, {**here, "root": "/b"})
    assert not same_data(here, {**here, "root": "sample:chexpert"})
    assert not same_data(here, {**here, "per_class": 40})


def test_all_problems_of_a_table_config_together(tmp_path):
    path = tmp_path / "bad.py"
    path.write_text(
        'titel = "x"\ncolumns = [dict(group="g", label="l", task="detection", data="chexpertt", protocol="p",'
        ' metric="m"), dict(group="g", labl="l", task="detection", data="chexpert", protocol="p",'
        ' metric="m")]\n'
    )
    with pytest.raises(ErrorList) as caught:
        load_table(str(path))
    assert len(caught.value.errors) == 4
    assert "did you mean title" in str(caught.value) and "unknown data set 'chexpertt'" in str(caught.value)
    with pytest.raises(BenchError, match="unknown config in tables"):
        load_table("no_such_table")
