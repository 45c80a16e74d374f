"""How processes wait for each other, for hours if they must, and notice one that was killed meanwhile."""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from prior_bench.errors import BenchError

ANSWER = timedelta(seconds=60)
"""How long processes wait in an exchange of a few words, once all have said that they are there."""
LEAVE = 10.0
"""Seconds for which the first process stays, so that the others see that it was there."""
TOLD_EVERY = 60.0
"""Seconds between two lines that say who is waited for."""
POLL = 0.1
"""Seconds between two looks at who has come."""
ENDED = "see the message of that process; then start all of them again, and training goes on"
BEAT, SILENT = 2.0, 60.0
"""Seconds between two signs of life of a process, and without any until it counts as ended."""


@contextmanager
def alive(store: Any, rank: int) -> Iterator[None]:
    """Give signs of life inside the block, whatever this process does in it."""
    ended = threading.Event()

    def beat() -> None:
        try:
            store.add(f"alive/{rank}", 1)
            while not ended.wait(BEAT):
                store.add(f"alive/{rank}", 1)
        except RuntimeError:
            pass  # the store is gone; whoever waits notices it himself

    thread = threading.Thread(target=beat, name="signs of life", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(BEAT)


def gone(error: BaseException) -> BenchError:
    """Return the error of a process that finds another one gone."""
    reason = re.sub(r"^\[\S+\]\s*", "", " ".join(str(error).split())).partition(". ")[0][:200]
    return BenchError(f"another process of this training has ended or does not answer ({reason})", fix=ENDED)


def meet(
    store: Any,
    name: str,
    rank: int,
    count: int,
    what: str,
    limit: timedelta | None,
    others: list[int] | None = None,
) -> None:
    """Wait until other processes have come to a meeting; say from time to time who is waited for.

    Args:
        store: store of words that all processes see.
        name: name of the meeting, which nobody has used before.
        rank, count: number of this process, and number of all processes.
        what: what is waited for, for the line and the message.
        limit: longest time to wait; None waits for the first process as long as it takes.
        others: processes to wait for; by default all others.

    Raises:
        BenchError: a process does not come, or has ended.
    """
    begun = told = time.monotonic()
    pulses: dict[int, tuple[int, float]] = {}
    try:
        store.set(f"{name}/{rank}", "here")
        missing = [other for other in range(count) if other != rank] if others is None else others
        while missing := [other for other in missing if not store.check([f"{name}/{other}"])]:
            now = time.monotonic()
            who = ", ".join(map(str, missing[:8])) + ("…" if len(missing) > 8 else "")
            # the first process may wait for a lock; the others come at once, or not at all
            longest = limit or (None if 0 in missing else ANSWER)
            if longest is not None and now - begun > longest.total_seconds():
                what = f"process {who} of {count} has not come after {now - begun:.0f} s: {what}"
                raise BenchError(what, fix=ENDED)
            if silent := [str(other) for other in missing if _is_silent(store, other, pulses)]:
                what = f"process {', '.join(silent)} of {count} has ended or does not answer: {what}"
                raise BenchError(what, fix=ENDED)
            if now - told > TOLD_EVERY and rank <= 1:
                told = now
                print(f"process {rank} waits for process {who}: {what}", file=sys.stderr, flush=True)
            time.sleep(POLL)
    except RuntimeError as error:  # the store went with the process that holds it
        raise gone(error) from error
    _leave_last(store, name, rank, count)


def _leave_last(store: Any, name: str, rank: int, count: int) -> None:
    """Let the first process, which may hold the store, stay until the others have seen all keys."""
    until = time.monotonic() + LEAVE
    try:
        store.add(f"{name}/seen", 1)
        while rank == 0 and store.add(f"{name}/seen", 0) < count and time.monotonic() < until:
            time.sleep(POLL / 10)
    except RuntimeError as error:
        raise gone(error) from error


def _is_silent(store: Any, other: int, pulses: dict[int, tuple[int, float]]) -> bool:
    """Return whether a process that gave signs of life has given none for long; note the latest one."""
    now, pulse = time.monotonic(), store.add(f"alive/{other}", 0)
    before, since = pulses.get(other, (None, now))
    if pulse != before:
        pulses[other] = (pulse, now)
        return False
    return pulse > 0 and now - since > SILENT  # one that has not started yet is no ended one
