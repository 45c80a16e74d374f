"""Signals by which a scheduler or a user asks a training to save its state, and to end.

SIGUSR1: save, and go on. SIGUSR2 (pre-emption, time limit) and SIGTERM: save, and end. The handlers only take
a note; training looks at it between two steps.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, NoReturn

from prior_bench.errors import Requeued

SAVE, REQUEUE, TERMINATE = 1, 2, 3
"""What is asked for; of several processes' requests, the largest one counts for all."""
SIGNALS = {
    getattr(signal, name): wish
    for name, wish in (("SIGUSR1", SAVE), ("SIGUSR2", REQUEUE), ("SIGTERM", TERMINATE))
    if hasattr(signal, name)
}


@dataclass
class Requests:
    """What signals have asked this process for.

    Attributes:
        wish: 0, or one of SAVE, REQUEUE and TERMINATE.
    """

    wish: int = 0


@contextmanager
def requested(requests: Requests) -> Iterator[None]:
    """Take notes of signals inside the block, instead of ending at once; a second SIGTERM ends at once.

    Signals that the caller of a Python function handles himself are left to him, except SIGTERM where its
    handler ends the process by an exception, as the command line's does.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers
        return
    before: dict[int, Any] = {}

    def note(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGTERM and requests.wish == TERMINATE:
            _restore(before)
            signal.raise_signal(number)
            return
        requests.wish = max(requests.wish, SIGNALS[signal.Signals(number)])

    for number in SIGNALS:
        handler = signal.getsignal(number)
        if handler is signal.SIG_DFL or (number == signal.SIGTERM and callable(handler)):
            before[number] = signal.signal(number, note)
    try:
        yield
    finally:
        _restore(before)


def ignore_requests(worker: int) -> None:
    """Let a process that loads data outlive signals that are sent to all processes of a job.

    Otherwise torch ends the training before its state is saved. It ends with its parent.

    Args:
        worker: its number, which torch gives.
    """
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def end(wish: int) -> NoReturn:
    """End this process as the signal that was noted would have, outside of :func:`requested`.

    Raises:
        Requeued: the state was saved on SIGUSR2.
    """
    if wish == TERMINATE:
        signal.raise_signal(signal.SIGTERM)
    raise Requeued


def _restore(before: dict[int, Any]) -> None:
    for number, handler in before.items():
        signal.signal(number, handler)
