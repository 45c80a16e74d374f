"""What several processes must have in common before they train together, and what the first one decides."""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from prior_bench.errors import BenchError, ErrorList
from prior_bench.pretraining.folder import SHARED
from prior_bench.pretraining.processes import Processes, SaidElsewhere
from prior_bench.shares.replicas import digest_of

VISIBLE_AFTER = 10.0
"""Seconds in which a network file system shows a new file on other machines."""
SAME = "start all processes with the same command, code and data"
ONE_FOLDER = "give all processes one folder that every machine sees: --work-dir, or PRIOR_BENCH_RESULTS"


def require_same(processes: Processes, facts: Mapping[str, Any]) -> None:
    """Compare what processes are about to do.

    Args:
        processes: all processes.
        facts: plain values by what they are; values may be dicts.

    Raises:
        ErrorList: something differs from what the first process has. All processes raise it.
    """
    if processes.count == 1:
        return
    told = processes.gather((socket.gethostname(), dict(facts)))
    errors = []
    (first_host, first), others = told[0], told[1:]
    for rank, (host, other) in enumerate(others, 1):
        places = (f"process 0 ({first_host})", f"process {rank} ({host})")
        for name in first:
            for key, mine, theirs in _differences(name, first[name], other.get(name)):
                errors.append(BenchError(f"{mine} in {places[0]}, {theirs} in {places[1]}", where=key))
    if errors and processes.rank:
        raise SaidElsewhere("the processes of this training differ; process 0 says in what")
    if errors:
        shown = errors[:8]
        if len(errors) > len(shown):
            shown.append(BenchError(f"and {len(errors) - len(shown)} more"))
        shown[-1] = BenchError(shown[-1].what, where=shown[-1].where, fix=SAME)
        raise ErrorList("the processes of this training differ; nothing was trained:", shown)


def _differences(name: str, mine: Any, theirs: Any) -> list[tuple[str, str, str]]:
    """Return (key, value here, value there) of everything that differs in two nested values."""
    if isinstance(mine, dict) and isinstance(theirs, dict):
        keys = dict.fromkeys((*mine, *theirs))
        return [
            found for key in keys for found in _differences(f"{name}.{key}", mine.get(key), theirs.get(key))
        ]
    return [] if mine == theirs else [(name, repr(mine)[:80], repr(theirs)[:80])]


def require_one_folder(processes: Processes, folder: Path, size: tuple[str, int] | None) -> None:
    """Check that all processes have the same folder: what the first one writes, the others can see.

    Args:
        processes: all processes.
        folder: folder of the run; it exists in the first process.
        size: name and size of the state with which the first process goes on, or None.

    Raises:
        BenchError: a process has another folder. All processes raise it.
    """
    if processes.count == 1:
        return
    token = SHARED.format(secrets.token_hex(8))
    note = folder / token

    def write() -> str:
        if processes.rank == 0:
            note.write_bytes(b"")
        return token

    token = processes.together("the folder of the run", write)[0]
    note = folder / token

    def see() -> None:
        until = time.monotonic() + VISIBLE_AFTER
        while not note.exists():
            if time.monotonic() > until:
                what = "is not the folder in which the first process trains"
                raise BenchError(what, where=f"{socket.gethostname()}:{folder.absolute()}", fix=ONE_FOLDER)
            time.sleep(0.2)
        if size and (not (state := folder / size[0]).is_file() or state.stat().st_size != size[1]):
            raise BenchError("is not the state that the first process has", where=state, fix=ONE_FOLDER)

    try:
        processes.together("the folder of the run", see)
    finally:
        if processes.rank == 0:
            note.unlink(missing_ok=True)


def require_replicas(processes: Processes, model: nn.Module, optimizer: Any = None, when: str = "") -> None:
    """Check that all processes have the same parameters, and the same moments of the optimiser.

    Buffers are left out: batch statistics of unsynchronised layers differ.

    Args:
        processes: all processes.
        model: the model.
        optimizer: torch optimiser, or None.
        when: at which point of the training, for the message.

    Raises:
        BenchError: they differ. All processes raise it.
    """
    if processes.count == 1:
        return
    found = processes.gather(digest_of(model, optimizer), training=True)
    if others := [str(rank) for rank, other in enumerate(found) if other != found[0]]:
        raise BenchError(
            f"weights of process {', '.join(others)} are not those of process 0 ({when}); nothing is saved",
            fix="start over with --no-resume; if it happens again, report it (prior-bench bugreport)",
        )
