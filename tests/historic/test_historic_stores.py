"""Stores written by earlier versions are read, scored again and tabulated as they were then."""

import json
from pathlib import Path

import pytest

from prior_bench.engine.store import Store
from prior_bench.registry import TASKS
from prior_bench.report.leaderboard import leaderboard
from prior_bench.report.lookup import entries
from prior_bench.report.render import STYLES, render
from prior_bench.report.single import run_text

STORES = sorted((Path(__file__).parent / "stores").iterdir())
LARGEST = 300_000
"""Bytes that the stores of all versions may take in the repository."""


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
        predictions = store.predictions(key)
        assert len(predictions["id"]) == len(predictions["patient_id"]) > 0


@pytest.mark.parametrize("folder", STORES, ids=lambda folder: folder.name)
def test_stored_predictions_still_give_the_stored_metrics(folder):
    store = Store(folder)
    for key, record in store.records().items():
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
        (row.label, column.task): cell.mean
        for row in table.rows
        for column, cell in zip(table.columns, row.cells, strict=True)
        if column.task
    }
    assert {task for _, task in means} == {record.spec["task"] for record in store.records().values()}
    for (label, task), mean in means.items():
        runs = [e for e in entries([store]) if (e.spec["backbone"]["name"], e.spec["task"]) == (label, task)]
        stored = [e.record.metrics[e.spec["protocol"]["metrics"][0]] for e in runs]
        assert mean == pytest.approx(100 * sum(stored) / len(stored))
    for style in STYLES:
        assert "Random too" in render(table, style)
    assert "protocol" in run_text(next(iter(store.records().values())), store, resamples=5)


def test_they_stay_small():
    sizes = [path.stat().st_size for folder in STORES for path in folder.rglob("*") if path.is_file()]
    assert sum(sizes) < LARGEST
