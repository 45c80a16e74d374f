"""Tables with published numbers: the shipped ones against the files, and ours beside theirs."""

import csv
import json
import math
import re
from pathlib import Path

import pytest
from scored_store import save
from shipped_configs import tables_with_published_numbers

from prior_bench.errors import BenchError
from prior_bench.report.published.beside import published_table, table_beside
from prior_bench.report.published.comparable import mismatches
from prior_bench.report.published.numbers import load_published
from prior_bench.report.tables.render import render
from prior_bench.report.tables.table import load_table
from prior_bench.store.store import Store

SHIPPED = Path(__file__).parents[3] / "results" / "published"
TABLES = tables_with_published_numbers()
REAL = {"name": "chexpert", "type": "chexpert", "root": "chexpert"}


@pytest.fixture(scope="module")
def numbers():
    return load_published([SHIPPED])


@pytest.mark.parametrize("name", TABLES)
def test_shipped_table_selects_numbers_and_renders(name, numbers):
    table = published_table(load_table(name), numbers)
    assert table.rows and not any(cell.mark for row in table.rows for cell in row.cells)
    assert all(any(row.cells[c].values for row in table.rows) for c in range(len(table.columns)))
    assert "Published numbers from" in " ".join(table.notes)
    assert len(table_beside(load_table(name), [], numbers).rows) == len(table.rows)


@pytest.mark.parametrize("name", TABLES)
def test_latex_has_as_many_cells_as_columns_and_nothing_unescaped(name, numbers):
    config = load_table(name)
    for table in (published_table(config, numbers), table_beside(config, [], numbers)):
        text = render(table, "latex")
        assert text.isascii() and text.count("{") == text.count("}")
        blocks = re.findall(r"\\begin{tabular}{l(r+)}(.*?)\\end{tabular}", text, re.DOTALL)
        assert sum(len(aligned) for aligned, _ in blocks) == len(table.columns)
        for aligned, block in blocks:
            body = block.split("\\midrule\n")[1].split("\\bottomrule")[0].splitlines()
            assert len(body) == len(table.rows)
            assert {len(re.findall(r"(?<!\\)&", line)) for line in body} == {len(aligned)}
        assert text.count("\\begin{table}") == text.count("\\addtocounter{table}{-1}") + 1
        words = re.sub(r"\\label\{.*\}|\$\\[a-z]+\$|%$", "", text, flags=re.MULTILINE)
        assert not re.findall(r"(?<!\\)[%#_$]", words)


def test_mgca_linear_is_the_file_s_table():
    with open(SHIPPED / "g2d.csv", newline="") as file:
        lines = [line for line in csv.DictReader(file) if line["source_table"] == "Table 4"]
    table = published_table(load_table("mgca_linear"))
    shown = {
        (row.label, column.group.partition(" ")[0], column.label): cell.mean
        for row in table.rows
        for column, cell in zip(table.columns, row.cells, strict=True)
    }
    expected = {
        (line["method"], line["dataset"], line["label_fraction"].replace("%", " %")): float(line["value"])
        for line in lines
    }
    assert shown == expected and len(shown) == 81


def test_values_are_printed_as_in_the_source(numbers):
    text = render(published_table(load_table("medcta_retrieval"), numbers))
    assert "| PRIOR      |" in text and "49.50" in text and "Re-runs by others" in text


def real_run(store, name="MGCA", split="mgca", fraction=0.01, frozen=True, **changes):
    run = save(store, name, 2.0, data=REAL, fraction=fraction)
    run.spec["protocol"] |= {"split": {"rule": split}, "frozen": {"backbone": frozen}, **changes}
    run.record.spec = run.spec
    store.save(run.record, store.predictions(run.key))
    return run


def cells(table, method):
    row = next(row for row in table.rows if row.label == method)
    return [c for c, column in enumerate(table.columns) if column.group == "CheXpert (AUC), 1 %"], row.cells


def test_ours_theirs_and_the_difference_with_an_interval(tmp_path, numbers):
    store = Store(tmp_path / "s")
    ours = real_run(store, "mgca")  # the case of names does not matter
    table = table_beside(load_table("mgca_linear"), [store], numbers)
    places, row = cells(table, "MGCA")
    mine, theirs, difference = (row[c] for c in places)
    assert mine.mean == pytest.approx(100 * ours.record.metrics["auroc"]) and theirs.mean == 87.6
    assert difference.mean == pytest.approx(mine.mean - 87.6)
    low, high = difference.interval
    assert low < difference.mean < high and high - low < 20
    text = f"{difference.mean:+.1f} [{low:+.1f}, {high:+.1f}]"
    for style in ("markdown", "html"):
        assert text in render(table, style)
    assert text.replace("-", "$-$") in render(table, "latex")  # a hyphen is no minus
    assert json.loads(render(table, "json"))["rows"][0]["label"] == "Random"
    lines = list(csv.DictReader(render(table, "csv").splitlines()))
    line = next(i for i in lines if i["backbone"] == "MGCA" and i["label"] == "difference" and i["mean"])
    assert float(line["lower"]) == pytest.approx(low) and "published" not in line
    assert row[places[2] + 3].reason == "not comparable: fraction 1 %, not 10 %"


@pytest.mark.parametrize(
    "changes, reason",
    [
        (dict(split="default"), "split default, not mgca"),
        (dict(fraction=0.1), "fraction 10 %, not 1 %"),
        (dict(frozen=False), "frozen no, not yes"),
        (dict(split="default", frozen=False), "split default, not mgca"),
    ],
)
def test_first_mismatch_is_said(tmp_path, numbers, changes, reason):
    store = Store(tmp_path / "s")
    real_run(store, **changes)
    places, row = cells(table_beside(load_table("mgca_linear"), [store], numbers), "MGCA")
    assert row[places[0]].values and row[places[2]].reason == f"not comparable: {reason}"


def test_synthetic_data_is_never_compared(tmp_path, numbers):
    store = Store(tmp_path / "s")
    save(store, "MGCA", 2.0, fraction=0.01)
    table = table_beside(load_table("mgca_linear"), [store], numbers)
    places, row = cells(table, "MGCA")
    assert row[places[2]].reason == "not comparable: data set synthetic, not chexpert"
    assert "Synthetic data" in table.notes[0]


def test_the_numbers_of_another_data_set_are_not_shown_under_a_column(tmp_path, numbers):
    store = Store(tmp_path / "s")
    save(store, "MGCA", 2.0, fraction=0.01)
    table = table_beside(load_table("mgca_linear"), [store], numbers)
    row = next(row for row in table.rows if row.label == "MGCA")
    for cell, column in zip(row.cells, table.columns, strict=True):
        if column.label == "ours":
            assert bool(cell.values) == column.group.startswith("CheXpert"), column.group
            assert cell.values or cell.reason == "not run"


def test_what_the_source_does_not_say_cannot_match(tmp_path, numbers):
    ours = real_run(Store(tmp_path / "s"))
    number = next(n for n in numbers if n.kind == "aggregate" and n.data == "chexpert")
    said = mismatches(ours.spec, "auroc", number)
    assert said == ["split not stated", "fraction not stated", "frozen not stated"]


def test_the_nearest_evaluation_is_shown_and_other_rows_of_ours_too(tmp_path, numbers):
    store, other = Store(tmp_path / "s"), Store(tmp_path / "t")
    real_run(store, split="default")
    real_run(other, name="mgca", split="mgca")
    real_run(other, name="Brand new")
    table = table_beside(load_table("mgca_linear"), [store, other], numbers)
    places, row = cells(table, "MGCA")
    assert math.isfinite(row[places[2]].mean)
    places, row = cells(table, "Brand new")
    assert row[places[0]].values and row[places[1]].reason == row[places[2]].reason == "–"


def test_rows_can_be_named_differently(tmp_path, numbers):
    store, config = Store(tmp_path / "s"), load_table("mgca_linear")
    real_run(store, name="MGCA (ResNet-50)")
    config.published_names = {"MGCA (ResNet-50)": "MGCA"}
    places, row = cells(table_beside(config, [store], numbers), "MGCA")
    assert math.isfinite(row[places[2]].mean)


def test_runs_of_two_backbones_are_not_averaged_into_one_number(tmp_path, numbers):
    store = Store(tmp_path / "s")
    one = real_run(store, name="MGCA", fraction=0.01)
    save(store, "mgca", 0.1, seed=1, data=REAL, fraction=0.01, protocol=one.spec["protocol"])
    places, row = cells(table_beside(load_table("mgca_linear"), [store], numbers), "MGCA")
    assert row[places[0]].values == {0: pytest.approx(100 * one.record.metrics["auroc"])}


def test_selections_that_cannot_be_a_table(numbers):
    config = load_table("mgca_linear")
    config.columns[0].published["dataset"] = "CheXpertt"
    with pytest.raises(BenchError, match="no published number fits"):
        published_table(config, numbers)
    config.columns[0].published.update(dataset=["CheXpert", "RSNA"])
    with pytest.raises(BenchError, match="g2d.csv:.* and .*g2d.csv:.* fit"):
        published_table(config, numbers)
    with pytest.raises(BenchError, match="no published numbers"):
        published_table(load_table("demo"), numbers)


def test_shares_stand_beside_shares(tmp_path, numbers):
    store = Store(tmp_path / "s")
    run = save(store, "KAD", 2.0, data={"name": "openi", "type": "openi", "root": "openi"}, fraction=1.0)
    run.spec["task"] = run.record.spec["task"] = "zero_shot"
    store.save(run.record, store.predictions(run.key))
    table = table_beside(load_table("sentzero"), [store], numbers)
    row = next(row for row in table.rows if row.label == "KAD")
    ours, theirs, difference = row.cells[:3]
    assert ours.mean == pytest.approx(run.record.metrics["auroc"]) and theirs.mean == 0.807
    assert difference.reason == "not comparable: split not stated"
