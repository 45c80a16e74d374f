"""Run the command line in forked children of a process that has imported everything once.

A child is a process of its own: it can be killed, and its limits, user, clock and streams can be changed.
Starting one takes milliseconds and not the seconds of an interpreter that imports torch.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import gc
import io
import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from world import World, fresh, roots

LONGEST = 300.0
"""Seconds after which a command counts as one that hangs; the slowest takes three on one core of its own."""
PRINTED = 2**20
"""Bytes that a command may print; more would wait for a reader that comes at the end."""
FIRST = ("run", "results export")
"""Commands that make what others start from."""
CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.truncate")
"""Audit events that change folders; an ``open`` for writing is the other one."""


class Ended(NamedTuple):
    """How a command ended: exit status (negative for a signal), what it printed, how long it took."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def fault(self) -> str:
        """What a user should not see; empty if there is nothing of the kind."""
        bad = [line for line in ("Traceback", "internal fault") if line in self.err + self.out]
        return self.err[-1500:] if bad else ""

    @property
    def one_message(self) -> bool:
        """Whether it failed with exactly one message that has a remedy."""
        return self.code == 1 and self.err.count("error: ") == 1 and "fix: " in self.err


def warm(folder: Path, names: Sequence[str] = ()) -> World:
    """Import all that commands need, by running each once in this process; return inputs for them.

    Args:
        folder: takes the inputs, and what the commands write.
        names: of the commands; empty for all.
    """
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"
    import fake_parts
    import torch

    from prior_bench.cli import main

    torch.set_num_threads(1)  # a fork has none of the threads of a pool
    fake_parts.register()
    world = World(folder / "world")
    spare, here = fresh(folder / "warm"), os.getcwd()
    os.environ.update(roots(spare))
    os.chdir(spare)
    silent = io.StringIO()
    with contextlib.redirect_stdout(silent), contextlib.redirect_stderr(silent):
        for name, command in world.commands(spare).items():
            if (not names or name in (*names, *FIRST)) and main([str(word) for word in command]):
                raise RuntimeError(f"{command} fails undisturbed: {silent.getvalue()}")
    os.chdir(here)
    shutil.rmtree(spare)
    gc.collect()
    gc.freeze()
    return world


class Child(NamedTuple):
    """A command that runs: its process, the ends of the pipes for its output, and when it began."""

    process: int
    out: int
    err: int
    begun: float


def start(
    arguments: list[str], folder: Path, roots: Mapping[str, str], prepare: Callable[[], object] | None = None
) -> Child:
    """Start ``prior-bench`` in a child, in a session of its own.

    Args:
        arguments: of the command line.
        folder: working folder.
        roots: environment variables.
        prepare: called in the child before the command.
    """
    pipes, (begins, ready) = (os.pipe(), os.pipe()), os.pipe()
    for ours, _ in pipes:
        fcntl.fcntl(ours, fcntl.F_SETPIPE_SZ, PRINTED)
        os.set_blocking(ours, False)
    process = os.fork()
    if process:
        for _, theirs in pipes:
            os.close(theirs)
        os.close(ready)
        os.read(begins, 1)  # or its end
        os.close(begins)
        return Child(process, pipes[0][0], pipes[1][0], time.monotonic())
    code = 70
    try:
        os.setsid()
        os.environ.update(roots)
        os.chdir(folder)
        for number, (ours, theirs) in enumerate(pipes, 1):
            os.close(ours)
            os.dup2(theirs, number)
            os.close(theirs)
        sys.stdout, sys.stderr = (
            io.TextIOWrapper(open(number, "wb", closefd=False), "utf-8", write_through=True)
            for number in (1, 2)
        )
        if prepare:
            prepare()
        from prior_bench.cli import main

        os.close(begins)
        os.write(ready, b".")
        os.close(ready)
        code = main(arguments)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:
        with contextlib.suppress(Exception):
            traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        os._exit(code)


def finish(
    child: Child, stop: tuple[float, int] | None = None, limit: float = LONGEST, whole: bool = True
) -> Ended:
    """Wait for a child; send it the signal ``stop[1]`` after ``stop[0]`` seconds.

    Processes that it started are waited for, too: they end with it. Those that do not are killed, and are
    said to hang (exit status 124).

    Args:
        whole: whether the signal goes to the child's children, too, and not to itself alone.
    """
    status = None
    while status is None:
        done, found = os.waitpid(child.process, os.WNOHANG)
        passed = time.monotonic() - child.begun
        if done:
            status = os.waitstatus_to_exitcode(found)
        elif stop and passed >= stop[0]:
            with contextlib.suppress(ProcessLookupError):  # it has not made its session yet
                os.killpg(child.process, stop[1]) if whole else os.kill(child.process, stop[1])
                stop = None
        elif passed > limit:
            os.killpg(child.process, signal.SIGKILL)
            os.waitpid(child.process, 0)
            status = 124
        else:
            time.sleep(min(0.002, max(0.0, stop[0] - passed)) if stop else 0.002)
    seconds = time.monotonic() - child.begun
    if not _gone(child.process, 10):
        status = 124
    out, err = (_read(handle) for handle in (child.out, child.err))
    return Ended(status, out, err, seconds)


def _read(handle: int) -> str:
    """Read what a child has left in a pipe."""
    with open(handle, "rb") as pipe:
        return (pipe.read() or b"").decode("utf-8", "replace")


def run(
    arguments: list[str],
    folder: Path,
    roots: Mapping[str, str],
    prepare: Callable[[], object] | None = None,
    stop: tuple[float, int] | None = None,
    limit: float = LONGEST,
    whole: bool = True,
) -> Ended:
    """Run a command; see :func:`start` and :func:`finish`."""
    return finish(start(arguments, folder, roots, prepare), stop, limit, whole)


def _gone(session: int, seconds: float) -> bool:
    """Wait until no process of a session is left; kill those that stay."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            os.killpg(session, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.002)
    os.killpg(session, signal.SIGKILL)
    return False


# --- at a change of the disk --------------------------------------------------------------------------------


def at_change(number: int, what: Callable[[str], object], under: Path) -> Callable[[], None]:
    """Return a ``prepare`` that calls ``what`` just before the ``number``-th change below a folder (from 1).

    Changes are renamings, removals, new folders, and files opened for writing.
    """
    seen = 0

    def hook(event: str, arguments: tuple) -> None:
        nonlocal seen
        path = changed(event, arguments)
        if path and path.startswith(str(under)):
            seen += 1
            if seen == number:
                what(path)

    return lambda: sys.addaudithook(hook)


def counted_changes(note: Path, under: Path) -> Callable[[], None]:
    """Return a ``prepare`` that counts the changes below a folder: one byte each in the file ``note``."""
    handle = None

    def hook(event: str, arguments: tuple) -> None:
        path = changed(event, arguments)
        if path and path.startswith(str(under)):
            os.write(handle, b".")

    def prepare() -> None:
        nonlocal handle
        handle = os.open(note, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        sys.addaudithook(hook)

    return prepare


def changed(event: str, arguments: tuple) -> str:
    """Return the absolute path that an audit event is about to change; empty if it changes none."""
    if event in CHANGES:
        path = arguments[0]
    elif event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        path = arguments[0]
    else:
        return ""
    if not isinstance(path, str | bytes | os.PathLike):
        return ""
    return os.path.abspath(os.fsdecode(path))


def kill_here(path: str) -> None:
    """End this process at once."""
    os.kill(os.getpid(), signal.SIGKILL)


def full_here(path: str) -> None:
    """Fail as a full disk does."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
