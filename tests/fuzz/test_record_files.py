"""Damaged records, plans, predictions and archives: one message or a result, and nothing runs or is lost."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("record_files.py")
MOST_MEMORY = 2e9


@pytest.mark.parametrize(
    ("first", "count"), [(0, 3), pytest.param(1000, 10, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_damaged_stores_are_refused_or_shown(tmp_path, first, count):
    command = [sys.executable, str(SCRIPT), str(tmp_path), str(first), str(count)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120 + 15 * count)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["wrong"] == [] and found["lost"] == []
    assert found["memory"] < MOST_MEMORY
    assert found["refused"] + found["survived"] == found["tried"] == count
