"""Long work on tables and data shows its progress."""

import time
from pathlib import Path

import pandas as pd
import pytest
from scored_store import scored

from prior_bench.data.manifest import Manifest
from prior_bench.report.tables.table import build_table, load_table
from prior_bench.runtime import progress

CONFIG = """
intervals = True
columns = [dict(group="CheXpert", label="AUROC", task="classification", data="sample:chexpert",
                protocol="demo/linear_probe", metric="auroc")]
"""


@pytest.fixture(autouse=True)
def shown(monkeypatch):
    monkeypatch.setenv("PRIOR_BENCH_PROGRESS", "1")


def test_tests_and_intervals_of_a_table_show_their_progress(tmp_path, capsys):
    store = scored(tmp_path / "s", {"Weak": 0.5, "Strong": 3.0}, seeds=1)
    (tmp_path / "one.py").write_text(CONFIG)
    build_table(load_table(str(tmp_path / "one.py")), [store])
    told = capsys.readouterr().err
    assert "paired tests of columns" in told and "intervals of rows" in told


def test_a_bar_with_a_delay_is_not_shown_for_short_work(capsys):
    assert list(progress(range(3), "short", delay=5)) == [0, 1, 2]
    assert "short" not in capsys.readouterr().err
    for _ in progress(range(3), "long", delay=0.2):
        time.sleep(0.2)
    assert "long" in capsys.readouterr().err


def test_a_fingerprint_that_takes_long_shows_its_progress(monkeypatch, capsys):
    def at_once(*args, **options):
        return progress(*args, **{**options, "delay": 0})

    monkeypatch.setattr("prior_bench.data.manifest.progress", at_once)
    table = pd.DataFrame({"id": ["a"], "patient_id": ["a"], "image": ["a.png"], "split": ["test"]})
    Manifest("toy", Path("unused"), table).fingerprint()
    told = capsys.readouterr().err
    assert "toy: hashing the table" in told and "toy: looking at files" in told
