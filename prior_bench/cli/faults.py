"""What the command line prints instead of a traceback: system errors, and faults of prior-bench itself."""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

from prior_bench.io.room import FULL, cannot_write

REPORT = "report it to those you have prior-bench from, with the file that `prior-bench bugreport` writes"
"""Where a fault of prior-bench can be reported."""
OR_OURS = f"if it is a fault of prior-bench and not of the input, {REPORT}"
OTHER = "PRIOR_BENCH_RESULTS, PRIOR_BENCH_CACHE or PRIOR_BENCH_DATA choose other folders"


def open_missing_streams() -> None:
    """Replace output streams that were closed before the start (``>&-``), so that printing is no fault."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))


def give_up_output() -> None:
    """Discard what is still to be printed; otherwise, the flush at exit fails once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def replace_missing_characters() -> None:
    """Let the output streams replace characters that their encoding lacks ("≈" in a Windows code page)."""
    for stream in (sys.stdout, sys.stderr):
        if getattr(stream, "errors", None) == "strict" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def of_the_system(error: OSError) -> str:
    """Return the message for a file or folder that the system does not let us read or write."""
    if error.filename is None and not _prints():
        give_up_output()
        what, fix = "the output cannot be written", "make room where it goes"
        return f"error: {what} ({error.strerror or error})\n  fix: {fix}"
    if error.errno in FULL:
        return f"error: {cannot_write(Path(error.filename or tempfile.gettempdir()), error, OTHER)}"
    place = f"{error.filename}: " if error.filename is not None else ""
    what = error.strerror or str(error) or type(error).__name__
    fix = f"check its permissions and the disk; {OTHER}"
    return f"error: {place}cannot be read or written ({what})\n  fix: {fix}"


def _prints() -> bool:
    """Whether what was printed can be written."""
    try:
        sys.stdout.flush()
    except OSError:
        return False
    return True


def of_ours(error: Exception, arguments: Sequence[str]) -> str:
    """Return the message for an internal fault: what was run, what went wrong, and where to report it."""
    reason = (str(error).splitlines() or [""])[0]
    lines = [
        f"error: internal fault of prior-bench: {type(error).__name__}: {reason}",
        f"  command: prior-bench {shlex.join(arguments)}",
    ]
    place = _keep("".join(traceback.format_exception(error)))
    lines.append(f"  traceback: {place or 'repeat the command with --debug to see it'}")
    return "\n".join([*lines, f"  fix: {REPORT}"])


def _keep(text: str) -> Path | None:
    """Write a traceback to a temporary file; None if that is impossible."""
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="prior-bench-fault-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write(text)
            return Path(file.name)
    except OSError:
        return None
