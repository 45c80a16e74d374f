"""Run a script of tests/fuzz or tests/faults in a process of its own, and check what must hold for all."""

import json
import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
LONGEST, MOST_MEMORY = 10, 2e9
"""Seconds of CPU, and bytes beyond the start, that an input may take."""


def outcome_of(script: str, folder: Path, first: int, count: int, *commands: str, seconds: float = 1) -> dict:
    """Try seeds; return the outcome, in which nothing is wrong or lost, slow or large.

    Args:
        script: path in ``tests``, e.g. ``"fuzz/mutated_images.py"``.
        commands: those that are attacked, for scripts that take names of commands.
        seconds: how long a seed may take on a busy machine.
    """
    command = [sys.executable, str(TESTS / script), str(folder), str(first), str(count), *commands]
    own = {**os.environ, "OMP_NUM_THREADS": "1"}
    limit = 120 + seconds * count
    done = subprocess.run(command, capture_output=True, text=True, timeout=limit, env=own)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["wrong"] == found["lost"] == []
    assert found["tried"] == sum(found[name] for name in ("refused", "survived", "unknowable")) == count
    assert found["slowest"] < LONGEST and found["memory"] < MOST_MEMORY
    return found
