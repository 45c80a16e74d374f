"""The heartbeat of this process's claims: a thread renews their time of change while there are any."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path

BEAT = 20.0
"""Seconds between two heartbeats."""


class _Heart:
    """The claims of a process, and the thread that renews them."""

    def __init__(self) -> None:
        self.process, self.lock = os.getpid(), threading.Lock()
        self.claims: dict[str, Path] = {}
        self.rest, self.thread = threading.Event(), threading.Thread()

    def beat(self, rest: threading.Event) -> None:
        """Renew all claims until ``rest`` is set."""
        while not rest.wait(BEAT):
            for token, path in list(self.claims.items()):
                with suppress(OSError):
                    if token in path.read_text("utf-8"):  # not if another process has taken it over
                        os.utime(path)  # without times, a file server takes its own


_heart = _Heart()


def start(token: str, path: Path) -> None:
    """Renew a claim from now on."""
    heart = _of_this_process()
    with heart.lock:
        heart.claims[token] = path
        if len(heart.claims) == 1:
            heart.rest = threading.Event()
            heart.thread = threading.Thread(target=heart.beat, args=(heart.rest,), daemon=True)
            heart.thread.start()


def stop(token: str) -> None:
    """Renew a claim no more."""
    heart = _of_this_process()
    with heart.lock:
        known = heart.claims.pop(token, None) is not None
        if known and not heart.claims:  # no thread is left over: processes may be forked
            heart.rest.set()
            heart.thread.join(timeout=10)  # more only where a disk hangs


def beats(token: str) -> bool:
    """Whether this process renews the claim with this token."""
    return token in _of_this_process().claims


def _of_this_process() -> _Heart:
    """Return this process's heart: a forked one has none of the claims of its parent."""
    global _heart
    if _heart.process != os.getpid():
        _heart = _Heart()
    return _heart
