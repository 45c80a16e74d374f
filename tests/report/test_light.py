"""Tables and runs are printed without torch, pandas and matplotlib."""

import json
import subprocess
import sys

import pytest
from scored_store import scored

from prior_bench.report.runs.reported_runs import reported_runs

PRINT = """
import contextlib, io, json, sys
from prior_bench.cli import main
with contextlib.redirect_stdout(io.StringIO()):
    status = main(sys.argv[1:])
print(json.dumps([status, [name for name in ("matplotlib", "pandas", "torch") if name in sys.modules]]))
"""


def loaded(*arguments: str) -> list:
    """Exit status of the command, and which heavy packages it imported."""
    run = subprocess.run(
        [sys.executable, "-c", PRINT, *arguments], capture_output=True, text=True, check=True, timeout=300
    )
    return json.loads(run.stdout.splitlines()[-1])


@pytest.fixture
def store(tmp_path):
    return scored(tmp_path / "results" / "s", {"A": 0.2, "B": 3.0}, seeds=1)


def test_a_table_imports_none_of_them(store):
    assert loaded("table", "--leaderboard", "--no-test") == [0, []]


def test_a_table_of_published_numbers_imports_none_of_them():
    assert loaded("table", "mgca_linear", "--only-published") == [0, []]


def test_a_run_is_shown_without_torch_and_matplotlib(store):
    assert loaded("show", reported_runs([store])[0].key) == [0, []]


def test_the_diagram_of_ranks_needs_matplotlib_alone(store, tmp_path):
    wanted = ["table", "--leaderboard", "--no-test", "--ranks", str(tmp_path / "ranks.svg")]
    assert loaded(*wanted) == [0, ["matplotlib"]]
