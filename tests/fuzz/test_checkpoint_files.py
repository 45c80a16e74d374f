"""Mutated checkpoints and model folders: one message or the same weights, and no code of theirs is run."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("checkpoint_files.py")
LONGEST, MOST_MEMORY = 10, 2e9


@pytest.mark.parametrize(
    ("first", "count"), [(0, 40), pytest.param(1000, 150, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_mutated_checkpoints_are_refused_or_the_same(tmp_path, first, count):
    command = [sys.executable, str(SCRIPT), str(tmp_path), str(first), str(count)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120 + 2 * count)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["wrong"] == [] and found["lost"] == []
    assert found["slowest"] < LONGEST and found["memory"] < MOST_MEMORY
    assert found["refused"] + found["survived"] == found["tried"] == count
    assert min(found["refused"], found["survived"]) > count / 20
