"""Stores written by earlier versions are read, scored again and tabulated as they were then."""

import json
from pathlib import Path

import pytest

from prior_bench.errors import BenchError
from prior_bench.registry import TASKS
from prior_bench.report.html.page import build_page
from prior_bench.report.runs.reported_runs import reported_runs
from prior_bench.report.runs.run_text import run_text
from prior_bench.report.tables.leaderboard import leaderboard
from prior_bench.report.tables.render import STYLES, render
from prior_bench.report.tables.table import build_table, table_of_entries
from prior_bench.store.store import Store
from prior_bench.suites.suite import Suite

STORES = sorted((Path(__file__).parent / "stores").iterdir())
LARGEST = 900_000
"""Bytes that the stores of all versions may take in the repository."""

SILENT = ("throughput",)
"""Tasks that predict nothing."""


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PRIOR_BENCH_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("folder", STORES, ids=lambda folder: folder.name)
def test_every_record_and_its_predictions_are_read(folder, capsys):
    store = Store(folder)
    records = store.records()
    assert len(records) == len(store.plan()) == len(list(store.runs.iterdir())) > 0
    assert "warning" not in capsys.readouterr().err
    for key, record in records.items():
        written = json.loads((store.runs / key / "record.json").read_text())
        assert record.status == "done" and record.spec == written["spec"] and record.provenance
        assert record.metrics.keys() == written["metrics"].keys()
        if record.spec["task"] in SILENT:
            continue
        predictions = store.predictions(key)
        assert len(predictions["id"]) == len(predictions["patient_id"]) > 0


@pytest.mark.parametrize("folder", STORES, ids=lambda folder: folder.name)
def test_stored_predictions_still_give_the_stored_metrics(folder):
    store = Store(folder)
    for key, record in store.records().items():
        if record.spec["task"] in SILENT:
            continue
        task, names = TASKS.get(record.spec["task"])(), tuple(record.spec["protocol"]["metrics"])
        again = task.score(store.predictions(key), names)
        for name in names:
            if name in record.metrics:
                assert again[name] == pytest.approx(record.metrics[name], abs=1e-6, nan_ok=True), (key, name)


@pytest.mark.parametrize("folder", STORES, ids=lambda folder: folder.name)
def test_they_are_tabulated_and_shown(folder):
    store = Store(folder)
    table = leaderboard([store], test=False)
    assert {row.label for row in table.rows} == {"Random", "Random too"}
    means = {
        (row.label, column.task, column.protocol): cell.mean
        for row in table.rows
        for column, cell in zip(table.columns, row.cells, strict=True)
        if column.task
    }
    tasks = {record.spec["task"] for record in store.records().values()}
    assert {task for _, task, _ in means} == {
        task for task in tasks if getattr(TASKS.get(task), "ranked", True)
    }
    for place, mean in means.items():
        runs = [entry for entry in reported_runs([store]) if place_of(entry) == place]
        stored = [e.record.metrics[e.spec["protocol"]["metrics"][0]] for e in runs]
        assert mean == pytest.approx(100 * sum(stored) / len(stored))
    of_suite = build_table(table_of_entries("historic", "", reported_runs([store])), [store], test=False)
    assert {column.task for column in of_suite.columns} == tasks
    assert all(cell.values for row in of_suite.rows for cell in row.cells)
    for style in STYLES:
        assert "Random too" in render(table, style)
    assert "protocol" in run_text(next(iter(store.records().values())), store, resamples=5)


def place_of(entry):
    return entry.spec["backbone"]["name"], entry.spec["task"], entry.spec["protocol"]["name"]


@pytest.mark.slow
@pytest.mark.parametrize("folder", STORES, ids=lambda folder: folder.name)
def test_a_report_is_made_of_them(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("PRIOR_BENCH_DATA", str(tmp_path / "nothing"))  # the images are no longer there
    monkeypatch.setattr("prior_bench.report.html.galleries.examples.open_recorded", no_images)
    store = Store(folder)
    text = build_page(Suite("historic", [], []), store)
    kept = [store.predictions(k) for k, r in store.records().items() if r.spec["task"] not in SILENT]
    assert ('<h2 id="maps">' in text) == any("example_embedding" in predictions for predictions in kept)
    assert ('<h2 id="robustness">' in text) == any("corrupted_score" in predictions for predictions in kept)
    assert '<h2 id="prompts">' in text and '<h2 id="curves">' in text


def no_images(*_, **__):
    raise BenchError("the images are gone")


def test_they_stay_small():
    sizes = [path.stat().st_size for folder in STORES for path in folder.rglob("*") if path.is_file()]
    assert sum(sizes) < LARGEST
