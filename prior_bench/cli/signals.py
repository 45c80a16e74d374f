"""A request to end this process, as ``kill`` and schedulers make it, ends the command as Ctrl-C does."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

LOG = logging.getLogger(__name__)
INTERRUPTED, TERMINATED = 128 + signal.SIGINT, 128 + signal.SIGTERM
"""Exit statuses of a command that a signal has ended, as shells state them."""
REQUEUED = 75
"""Exit status of a training that has saved its state on SIGUSR2 and shall be started again (EX_TEMPFAIL)."""


class Terminated(KeyboardInterrupt):
    """Raised in the main thread on SIGTERM, so that what is being written is tidied up."""


@contextmanager
def raised_on_sigterm() -> Iterator[None]:
    """Let SIGTERM raise :class:`Terminated` in this process, unless it is already handled somehow.

    Processes that are forked from this one end at once, as without a handler.
    """
    here = threading.current_thread() is threading.main_thread()
    if not here or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    owner = os.getpid()

    def end(number: int, frame: FrameType | None) -> None:
        if os.getpid() == owner:
            raise Terminated
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def log_remains() -> None:
    """Log from now on what fails while it is removed; Python would print a traceback.

    A signal may leave an object half made, such as a finaliser of multiprocessing without its key.
    """

    def log(left: sys.UnraisableHookArgs) -> None:
        LOG.debug("left half made: %r (%r)", left.exc_value, left.object)

    sys.unraisablehook = log


def ignore_sigterm() -> None:
    """Ignore SIGTERM until this process ends, which it is about to do with a status that must not change.

    ``srun -K1`` sends it to all tasks as soon as the first one has ended.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
