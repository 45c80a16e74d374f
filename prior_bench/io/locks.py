"""Let only one process at a time write to a folder, of all hosts that share it.

The process claims the folder (:mod:`prior_bench.io.claims`), which is free again when the process has ended
for any reason.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prior_bench.errors import BenchError
from prior_bench.io.claims import Claim, Owner, take
from prior_bench.io.room import cannot_write, writing_to

CLAIM = ".claim"
"""Name of the claim's file in the folder that it protects."""
PAUSES = 0.1, 2.0
"""Seconds between two looks at another's claim: at first, and at most."""
SAID_AGAIN = 600.0
"""Seconds after which a process that still waits says so again."""


@contextmanager
def sole_writer(folder: Path, busy: str, fix: str, cannot: str = "") -> Iterator[None]:
    """Claim a folder, which is made if necessary, or fail immediately.

    Args:
        folder: folder to claim.
        busy: message if another process has it; the process is added.
        fix: remedy in this case.
        cannot: remedy if the folder cannot be written.

    Raises:
        BenchError: another process has the folder.
        StorageError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        claim = take(folder / CLAIM)
    except OSError as error:
        raise cannot_write(folder, error, cannot) from error
    if isinstance(claim, Owner):
        raise BenchError(f"{busy}: {claim}", where=folder, fix=fix)
    with claim:
        yield


@contextmanager
def one_at_a_time(folder: Path, waiting: str, name: str = CLAIM, fix: str = "") -> Iterator[None]:
    """Claim a folder, which is made if necessary; if another process has it, say ``waiting`` and wait.

    Args:
        folder: folder to claim.
        waiting: line for stderr; the process and the folder are added.
        name: of the claim's file.
        fix: remedy if the folder cannot be written.

    Raises:
        StorageError: the folder cannot be written.
    """
    with writing_to(folder, fix):
        folder.mkdir(parents=True, exist_ok=True)
        claim = _waited(folder, name, waiting)
    with claim:
        yield


def _waited(folder: Path, name: str, waiting: str) -> Claim:
    """Wait until a claim can be had."""
    pause, said, known = PAUSES[0], time.monotonic(), ""
    begun = said
    while isinstance(claim := take(folder / name), Owner):
        now = time.monotonic()
        if str(claim) != known or now - said > SAID_AGAIN:
            since = f", for {round((now - begun) / 60)} minutes" if now - begun > SAID_AGAIN else ""
            print(f"{waiting} ({claim}{since}): {folder}", file=sys.stderr, flush=True)
            known, said = str(claim), now
        time.sleep(pause)
        pause = min(1.5 * pause, PAUSES[1])
    return claim
