"""Histories of a pre-training that somebody sent are drawn up to a length, because each point takes time."""

import json
from types import SimpleNamespace

import pytest

from prior_bench.report.html.sections import training


@pytest.mark.parametrize(("epochs", "drawn"), [(10_000, 10_000), (10_001, 0)])
def test_a_history_has_a_limit(epochs, drawn, tmp_path, monkeypatch):
    monkeypatch.setenv("PRIOR_BENCH_RESULTS", str(tmp_path))
    (tmp_path / "history.json").write_text(json.dumps([{"epoch": n, "loss": 1.0} for n in range(epochs)]))
    backbone = {"path": str(tmp_path / "model.safetensors")}
    run = SimpleNamespace(record=SimpleNamespace(provenance={"backbone": backbone}))
    assert len(training.pretraining_history(run)) == drawn


def test_stages_have_a_limit():
    history = [{"epoch": n, "stage": n} for n in range(51)]
    assert training.stage_ends(history[:4]) == [0.5, 1.5, 2.5]
    assert len(training.stage_ends(history[:50])) == 49 and training.stage_ends(history) == []
