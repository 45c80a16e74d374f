"""The log of a command: one file of JSON lines, ``<results root>/logs/<time>-<verb>-<host>-<process>.jsonl``.

Modules log with :mod:`logging` under their own names. Without :func:`logged`, as in ``import prior_bench``,
nothing is written. A log is no part of a record. docs/logs.md describes the fields.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import socket
import sys
import time
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prior_bench import paths
from prior_bench.errors import BenchError

OURS = ("prior_bench", "tasks", "baselines")
"""Names of the loggers whose progress is logged; of others, only warnings and errors are."""
COMMAND = "prior_bench.cli"
"""Logger of the command line."""
LARGEST = 4 * 2**20
"""Bytes of a file, after which only errors are added."""
LONGEST = 32 * 2**10
"""Characters of a message or traceback; the middle of a longer one is left out."""
KEPT = 50
"""Number of files that are kept; the oldest are removed."""
_RUN: ContextVar[str] = ContextVar("run", default="")

for _name in OURS:
    logging.getLogger(_name).addHandler(logging.NullHandler())  # otherwise Python prints warnings itself


def folder() -> Path:
    """Return the folder of the logs."""
    return paths.unchecked_roots()["results"] / "logs"  # checked when something is written


def latest() -> Path | None:
    """Return the newest log, or None."""
    found = (path for path in folder().glob("*.jsonl") if path.is_file() and not path.is_symlink())
    return max(found, key=_age, default=None)


@contextmanager
def of_run(key: str) -> Iterator[None]:
    """State the key of the run to which lines within the block belong."""
    token = _RUN.set(key)
    try:
        yield
    finally:
        _RUN.reset(token)


class LogFile(logging.Handler):
    """A handler that appends one JSON object per line; several processes may write to one file.

    Without a results root, lines of the command line itself wait for a line of another module or an error, so
    that a mistyped command makes no folder.

    Args:
        path: the file; created with its folder when something is first written.
    """

    def __init__(self, path: Path):
        super().__init__()
        self.path, self._given_up = path, False
        self._waiting = b""
        self.addFilter(_is_wanted)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line with one system call, so that lines of several processes do not mix."""
        if self._given_up:
            return
        try:
            line = f"{json.dumps(fields(record), ensure_ascii=False)}\n".encode(errors="replace")
            if (
                record.name == COMMAND
                and record.levelno < logging.ERROR
                and not paths.unchecked_roots()["results"].exists()
            ):
                self._waiting += line
                return
            line, self._waiting = self._waiting + line, b""
            if _is_led_away(self.path.parent):
                raise OSError(errno.ELOOP, "its folder is a symbolic link, which is not followed")
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                if os.fstat(file).st_size < LARGEST or record.levelno >= logging.ERROR:
                    os.write(file, line)
            finally:
                os.close(file)
        except OSError as error:  # the command itself goes on
            self._given_up = True
            print(f"warning: {self.path}: no log is written ({error.strerror})", file=sys.stderr)
        except (TypeError, ValueError):  # a message and values that do not fit, as logging's handlers do it
            self.handleError(record)


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """Return the fields of a line; ``event`` is the message without its values."""
    found: dict[str, Any] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname,
        "host": socket.gethostname(),
        "process": record.process,
        "run": _RUN.get(),
        "logger": record.name,
        "event": str(record.msg),
        "message": _shortened(record.getMessage()),
    }
    if isinstance(command := getattr(record, "command", None), list):
        found["command"] = command
    if record.exc_info and record.exc_info[1] is not None:
        found["traceback"] = _shortened("".join(traceback.format_exception(record.exc_info[1])))
    return found


@contextmanager
def logged(verb: str, verbose: bool = False) -> Iterator[Path]:
    """Log what happens within the block to a new file, and return its path.

    Args:
        verb: name of the command, for the file's name.
        verbose: whether to print the lines on stderr as well.
    """
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
    path = folder() / f"{now}-{verb}-{socket.gethostname()}-{os.getpid()}.jsonl"
    _remove_old()
    with joined(path, verbose):
        yield path


@contextmanager
def joined(path: Path | None, verbose: bool = False) -> Iterator[None]:
    """Log what happens within the block to a file that another process may have begun; None for no file."""
    handlers: list[logging.Handler] = [] if path is None else [LogFile(path)]
    if verbose:
        handlers.append(_on_stderr())
    root, levels = logging.getLogger(), {name: logging.getLogger(name).level for name in OURS}
    for name in OURS:
        logging.getLogger(name).setLevel(logging.DEBUG if handlers else levels[name])
    for handler in handlers:
        root.addHandler(handler)
    shown = warnings.showwarning
    if handlers:
        warnings.showwarning = _showing(shown)
    try:
        yield
    finally:
        warnings.showwarning = shown
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def current() -> tuple[Path | None, bool]:
    """Return the arguments of :func:`joined` for another process of the same command."""
    handlers = logging.getLogger().handlers
    path = next((handler.path for handler in handlers if isinstance(handler, LogFile)), None)
    return path, any(isinstance(handler, _Stderr) for handler in handlers)


class _Stderr(logging.StreamHandler):
    """The handler of ``--verbose``, in a class of its own to find it again."""


def _on_stderr() -> logging.Handler:
    handler = _Stderr(sys.stderr)
    handler.addFilter(_is_wanted)
    handler.addFilter(_with_key)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(key)s%(message)s", "%H:%M:%S"))
    return handler


def _is_wanted(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING or record.name.partition(".")[0] in OURS


def _with_key(record: logging.LogRecord) -> bool:
    record.key = f"[{_RUN.get()[:8]}] " if _RUN.get() else ""
    return True


def _showing(shown: Any) -> Any:
    """Return a function that shows a Python warning as before and logs it."""

    def show(message: Any, category: type, filename: str, lineno: int, *rest: Any, **named: Any) -> None:
        shown(message, category, filename, lineno, *rest, **named)
        where = f"{filename}:{lineno}"
        logging.getLogger("prior_bench.warnings").debug("%s: %s (%s)", category.__name__, message, where)

    return show


def _shortened(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    return f"{text[: LONGEST // 2]}\n… {len(text) - LONGEST} characters left out …\n{text[-LONGEST // 2 :]}"


def _remove_old() -> None:
    if _is_led_away(folder()):  # what lies where it points may be no log of ours
        return
    with suppress(OSError):  # a folder that may not be read: what writes the log says so
        for old in sorted(folder().glob("*.jsonl"), key=_age)[: -KEPT + 1]:
            old.unlink()


def _is_led_away(place: Path) -> bool:
    try:
        return os.path.islink(paths.led_here(place))
    except BenchError:
        return True


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return time.time()  # another process has just removed it
