"""The loop of the campaign's scripts: ``python SCRIPT FOLDER FIRST COUNT [COMMAND…]``, with one JSON line.

Seeds FIRST … FIRST + COUNT - 1 are tried in an empty folder. Each follows from its number alone, so that a
failure can be repeated.
"""

import json
import os
import resource
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

LONGEST = 10.0
"""Seconds that one input may take: computing, or waiting for what does not come."""
QUEUES = Path("/proc/thread-self/schedstat")
MOST = 2 * 10**9
"""Bytes that the inputs of a process may take beyond its start."""


class Tried(NamedTuple):
    """What came of a seed.

    Attributes:
        refused: whether one message said what is wrong; otherwise it worked.
        wrong: what must not happen, in sentences.
        lost: stored results that are gone or have changed.
        unknowable: whether it gave other values that nothing in the input can tell from right ones.
        seconds: CPU time of the slowest command, where a seed runs several; otherwise that of the seed.
    """

    refused: bool
    wrong: Sequence[str] = ()
    lost: Sequence[str] = ()
    unknowable: bool = False
    seconds: float | None = None


Attempt = Callable[[int], Tried]
"""Tries a seed. What it raises is wrong, too: AssertionError with a sentence; anything else is what a user
would see as a traceback."""


def campaign(kind: str, prepare: Callable[..., Attempt]) -> None:
    """Try seeds as the command line says, and print the outcome.

    Args:
        kind: what is attacked, as the table calls it.
        prepare: gets the empty folder, and the names of commands if some are given; called once, and its time
            and memory do not count.
    """
    warnings.simplefilter("ignore")
    folder, first, count, names = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
    folder.mkdir(parents=True, exist_ok=True)
    attempt = prepare(folder.resolve(), *([names] if names else []))
    print(json.dumps(outcome(kind, attempt, first, count)))


def outcome(kind: str, attempt: Attempt, first: int, count: int) -> dict:
    """Try ``count`` seeds from ``first``; return the outcome as the table shows it.

    Returns:
        ``kind``; the numbers of seeds ``tried``, ``refused``, ``survived`` and ``unknowable``; what was
        ``wrong`` and ``lost``, each with its seed; ``slowest``, in seconds of CPU, and ``memory``, in bytes
        beyond the start. More than :data:`LONGEST` or :data:`MOST` is wrong.
    """
    found: dict = dict(kind=kind, tried=0, refused=0, survived=0, unknowable=0, wrong=[], lost=[])
    found |= dict(slowest=0.0, memory=0)
    before = most_memory()
    for seed in range(first, first + count):
        print(f"seed {seed}", file=sys.stderr)  # what there is to see if it is stopped
        watch = Stopwatch()
        try:
            told = attempt(seed)
        except AssertionError as error:
            told = Tried(False, wrong=[str(error)])
        except Exception:  # a traceback is what the campaign looks for: it is counted as wrong, and shown
            told = Tried(False, wrong=[traceback.format_exc()[-1500:]])
        seconds = watch.computed() if told.seconds is None else told.seconds
        if (longest := max(seconds, watch.waited())) > LONGEST:
            told = told._replace(wrong=[*told.wrong, f"took {longest:.1f} s"])
        found["tried"] += 1
        if not told.wrong and not told.lost:
            found["refused" if told.refused else "unknowable" if told.unknowable else "survived"] += 1
        found["wrong"] += [f"seed {seed}: {text}" for text in told.wrong]
        found["lost"] += [f"seed {seed}: {name}" for name in told.lost]
        found["slowest"] = max(found["slowest"], seconds)
    found["memory"] = max(0, most_memory() - before)
    if found["memory"] > MOST:
        found["wrong"].append(f"seeds {first} to {first + count - 1}: {found['memory'] / 1e9:.1f} GB")
    return found


class Stopwatch:
    """Times from its making."""

    def __init__(self) -> None:
        self.begun, self.computing, self.queue = time.monotonic(), os.times(), queueing_time()

    def computed(self) -> float:
        """Return the seconds that this process and those that it waited for have computed."""
        return sum(os.times()[:4]) - sum(self.computing[:4])

    def waited(self) -> float:
        """Return the seconds in which this process neither computed nor queued for a core.

        Zero where this cannot be told: it waited for another process, or the system counts no queues.
        """
        if os.times()[2:4] != self.computing[2:4] or not QUEUES.is_file():
            return 0.0
        return time.monotonic() - self.begun - self.computed() - (queueing_time() - self.queue)


def queueing_time() -> float:
    """Return the seconds that this thread was ready to compute while no core was free; 0 if not counted."""
    return int(QUEUES.read_text().split()[1]) / 1e9 if QUEUES.is_file() else 0.0


def most_memory() -> int:
    """Return the most memory of this process, or of one that it waited for, in bytes.

    Of this process, getrusage would count what its parent had.
    """
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line[:6] == "VmHWM:"]
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return max(int(line.split()[1]), children) * 1024
