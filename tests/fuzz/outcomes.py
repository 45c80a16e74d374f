"""The interface of the campaign's scripts: ``python SCRIPT FOLDER FIRST COUNT``, one JSON line at the end.

Seeds FIRST … FIRST + COUNT - 1 are tried in an empty folder. Each follows from its number alone, so that a
failure can be repeated.
"""

import json
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

LONGEST, MOST_MEMORY = 10, 2e9
"""Seconds, and bytes beyond the start, that an input may take."""

Attempt = Callable[[int], bool]
"""Tries a seed; returns whether it was refused in one message. It raises for all that must not happen:
AssertionError with a sentence, anything else is what a user would see as a traceback."""


def campaign(kind: str, prepare: Callable[[Path], Attempt]) -> None:
    """Try seeds as the command line says, and print the outcome.

    Args:
        kind: what is attacked, as the table calls it.
        prepare: gets the empty folder once; its time and memory do not count.
    """
    warnings.simplefilter("ignore")
    folder, first, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    print(json.dumps(outcome(kind, prepare(folder), first, count)))


def outcome(kind: str, attempt: Attempt, first: int, count: int) -> dict:
    """Try ``count`` seeds from ``first``; return the outcome as the table shows it."""
    found: dict = dict(kind=kind, tried=0, refused=0, survived=0, wrong=[], lost=[], slowest=0.0)
    before = most_memory()
    for seed in range(first, first + count):
        begun = time.process_time()
        try:
            refused = attempt(seed)
        except AssertionError as error:
            found["wrong"].append(f"seed {seed}: {error}")
        except Exception:
            found["wrong"].append(f"seed {seed}: {traceback.format_exc()}")
        else:
            found["refused" if refused else "survived"] += 1
        found["tried"] += 1
        found["slowest"] = max(found["slowest"], time.process_time() - begun)
    found["memory"] = most_memory() - before
    return found


def most_memory() -> int:
    """Return the most memory of this process, in bytes; getrusage would count what its parent had."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line[:6] == "VmHWM:"]
    return int(line.split()[1]) * 1024
