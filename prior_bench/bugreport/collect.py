"""Gather what a bug report contains, as one text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from prior_bench import doctor, logs, paths
from prior_bench.bugreport.config_text import config_text
from prior_bench.bugreport.frames import traceback_text
from prior_bench.bugreport.wording import masked
from prior_bench.errors import BenchError
from prior_bench.io.bounded import MIB, json_text
from prior_bench.store.provenance import git_state, hardware

MOST_LOG = 64 * MIB
"""Bytes of the largest log that is read; prior-bench adds only errors to one of 4 MiB."""
LINES = 300
"""Number of lines of the log, from its end."""
CONFIGS = {"run": "suites", "pretrain": "pretrain"}
"""Folders of the config files that verbs take as their first argument."""
EXPLAINED = """\
Paths are cut to the name of their root, numbers in texts are #, and words that prior-bench does not know are
… , so that no data, no name and no identifier of a patient is in it. Read it before you send it."""


def bug_report(log: Path | None = None) -> str:
    """Return the report.

    Args:
        log: a log of a command; by default the newest one.

    Raises:
        BenchError: the log cannot be read.
    """
    log = log or logs.latest()
    lines = [] if log is None else _read(log)
    sections = {
        "prior-bench bug report": EXPLAINED,
        "Installation": "\n".join(_installation()),
        "Command": _command(lines),
        "Config": _config(lines),
        "Log": "\n".join(map(_line, lines[-LINES:])) or "no log of a command was found",
        "Tracebacks": "\n\n".join(_tracebacks(lines)) or "none in the log",
    }
    return "\n\n".join(f"{title}\n{'-' * len(title)}\n{text}" for title, text in sections.items()) + "\n"


def _installation() -> Iterable[str]:
    section = ""
    for finding in doctor.examine():
        if finding.section != section:
            section = finding.section
            yield section.partition(" (")[0]
        shared = masked(finding.what) if finding.state == "broken" else finding.what
        yield f"  {finding.mark} {shared if finding.shared is None else finding.shared}"
    yield "Computing"
    yield from (f"  {name}: {value}" for name, value in hardware().items())
    if state := git_state():
        yield f"  revision {state['revision']}{', changed' * state['dirty']}"


def _read(log: Path) -> list[dict[str, Any]]:
    try:
        text = json_text(log, MOST_LOG, errors="replace")
    except OSError as error:
        raise BenchError(f"cannot be read ({error.strerror})", where=log, fix="give another --log") from error
    found = []
    for line in text.splitlines():
        try:
            values = json.loads(line)
        except (ValueError, RecursionError):
            continue  # cut while it was written
        if isinstance(values, dict):
            found.append(values)
    return found


def _arguments(lines: list[dict[str, Any]]) -> list[str]:
    """Return the command line of a log."""
    found: list[Any] = next((line["command"] for line in lines if isinstance(line.get("command"), list)), [])
    return [str(argument) for argument in found]


def _command(lines: list[dict[str, Any]]) -> str:
    arguments = _arguments(lines)
    return " ".join(["prior-bench", *map(masked, arguments)]) if arguments else "not known"


def _config(lines: list[dict[str, Any]]) -> str:
    arguments = [argument for argument in _arguments(lines) if not argument.startswith("-")]
    if len(arguments) < 2 or arguments[0] not in CONFIGS:
        return "the command has none"
    try:
        path = paths.find_config(arguments[1], CONFIGS[arguments[0]])
        if path.is_relative_to(paths.shipped("configs")):
            return f"shipped: {path.relative_to(paths.shipped('configs')).as_posix()}"
        return config_text(json_text(path, MIB))
    except (BenchError, OSError, UnicodeDecodeError) as error:
        return f"cannot be read ({type(error).__name__})"


def _line(values: dict[str, Any]) -> str:
    time, level, run = (str(values.get(name, "")) for name in ("time", "level", "run"))
    shown = [
        time if re.fullmatch(r"[\dT:.+Z-]{10,40}", time) else "",
        level if level in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL") else "",
        f"[{run[:8]}]" if re.fullmatch(r"[0-9a-f]{8,64}", run) else "",
        masked(str(values.get("message", ""))).replace("\n", "\n    "),
    ]
    return " ".join(part for part in shown if part)


def _tracebacks(lines: list[dict[str, Any]]) -> Iterable[str]:
    """Return the distinct tracebacks, the newest first."""
    texts = [traceback_text(line["traceback"]) for line in lines if isinstance(line.get("traceback"), str)]
    return dict.fromkeys(reversed(texts))
