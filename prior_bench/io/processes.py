"""Who a process is, and whether one of this machine still runs: for files that processes leave to others."""

from __future__ import annotations

import functools
import hashlib
import os
import socket
from contextlib import suppress
from pathlib import Path

STATE, STARTED = 0, 19
"""Places in ``/proc/PID/stat`` after the name: the state, and the start in ticks since the machine's own."""
ENDED = ("Z", "X", "x")
"""States of a process that has ended and for which its parent has not waited."""


def host() -> str:
    """Return the short name of this host."""
    return socket.gethostname().partition(".")[0][:32]


@functools.cache
def boot() -> str:
    """Return the id of this start of the machine; empty where the system has none."""
    with suppress(OSError):  # elsewhere than on Linux
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    return ""


@functools.cache
def machine() -> str:
    """Return a hash of what process numbers refer to: this start of this machine, and the container."""
    parts = [socket.gethostname()]
    if boot():
        parts.append(boot() + "\n")
    with suppress(OSError):
        parts.append(os.readlink("/proc/self/ns/pid"))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]


def started(process: int) -> int | None:
    """Return when a process of this machine started, in ticks; None if that is unknown or it has ended."""
    stat = _stat(process)
    return int(stat[STARTED]) if stat else None


def is_alive(process: int, since: int | None = None) -> bool | None:
    """Return whether a process of this machine runs; None if that cannot be known.

    Args:
        process: its number.
        since: when it started (:func:`started`), because another process may have got the number since.
    """
    if os.name != "posix" or process <= 0:
        return None
    if stat := _stat(process):
        return stat[STATE] not in ENDED and (since is None or int(stat[STARTED]) == since)
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # it belongs to another user
    return True


def _stat(process: int) -> list[str]:
    """Return the fields of ``/proc/PID/stat`` after the name; empty if they cannot be read."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return []
    return fields if len(fields) > STARTED else []
