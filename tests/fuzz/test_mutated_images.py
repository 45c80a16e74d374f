"""Mutated image files: one message or a picture, never a traceback, a hang, or gigabytes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("mutated_images.py")
LONGEST, MOST_MEMORY = 10, 2e9


@pytest.mark.parametrize(
    ("first", "count"), [(0, 100), pytest.param(100, 1000, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_mutated_files_are_read_or_refused(tmp_path, first, count):
    command = [sys.executable, str(SCRIPT), str(tmp_path), str(first), str(count)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30 + count)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["wrong"] == []
    assert found["slowest"] < LONGEST and found["memory"] < MOST_MEMORY
    assert found["read"] + found["refused"] == count and min(found["read"], found["refused"]) > count / 20
