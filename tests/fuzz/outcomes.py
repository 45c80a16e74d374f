"""The interface of the campaign's scripts: ``python SCRIPT FOLDER FIRST COUNT``, one JSON line at the end."""

import json
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

LONGEST, MOST_MEMORY = 10, 2e9
"""Seconds and bytes that an input may take."""


def campaign(
    kind: str, attempt: Callable[[int, Path], bool], prepare: Callable[[Path], None] = lambda _: None
):
    """Try seeds as the command line says, and print the outcome.

    Args:
        kind: what is attacked, as the table calls it.
        attempt: gets a seed and the folder. It returns whether the input was refused in one message, and
            raises for all that must not happen; AssertionError says it without a traceback.
        prepare: gets the empty folder once; its time and memory do not count.
    """
    warnings.simplefilter("ignore")
    folder, first, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    prepare(folder)
    print(json.dumps(outcome(kind, attempt, folder, first, count)))


def outcome(kind: str, attempt: Callable[[int, Path], bool], folder: Path, first: int, count: int) -> dict:
    """Try seeds first … first + count - 1; return the outcome as the table shows it."""
    found: dict = dict(kind=kind, tried=0, refused=0, survived=0, wrong=[], lost=[], slowest=0.0)
    before = most_memory()
    for seed in range(first, first + count):
        begun = time.process_time()
        try:
            refused = attempt(seed, folder)
        except AssertionError as error:
            found["wrong"].append(f"seed {seed}: {error}")
        except Exception:  # a user would see it as a traceback
            found["wrong"].append(f"seed {seed}: {traceback.format_exc()}")
        else:
            found["refused" if refused else "survived"] += 1
        found["tried"] += 1
        taken = time.process_time() - begun
        found["slowest"] = max(found["slowest"], taken)
        if taken > LONGEST:
            found["wrong"].append(f"seed {seed}: took {taken:.0f} s")
    found["memory"] = most_memory() - before
    return found


def most_memory() -> int:
    """Return the most memory of this process, in bytes; getrusage would count what its parent had."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line[:6] == "VmHWM:"]
    return int(line.split()[1]) * 1024
