"""Tracebacks without people's folders: modules and lines, no source, and masked messages."""

from __future__ import annotations

import re
import sys
import sysconfig
from pathlib import Path

from prior_bench import paths
from prior_bench.bugreport.wording import PACKAGES, known, masked

FRAME = re.compile(r'^\s*File "(?P<file>.*)", line (?P<line>\d+)(?:, in (?P<name>.*))?$')
ELSEWHERE = "<elsewhere>"
"""Stands for a module that is neither prior-bench's nor an installed package's."""


def traceback_text(text: str) -> str:
    """Return a traceback with one line per frame; the lines of source are left out."""
    lines = []
    for line in text.splitlines():
        if frame := FRAME.match(line):
            place, name = _module(frame["file"]), frame["name"] or ""
            shown = name if place != ELSEWHERE and name.isidentifier() else masked(name)
            number = "" if place == ELSEWHERE else f":{frame['line']}"
            lines.append(f"  {place}{number} {shown}".rstrip())
        elif not line.startswith("    "):  # source is indented by four
            lines.append(masked(line))
    return "\n".join(lines)


def _module(file: str) -> str:
    """Return a module's path below the folder of its package, if that is a file there."""
    path = Path(file)
    for root in _roots():
        if path.is_relative_to(root) and path.is_file():
            return path.relative_to(root).as_posix()
    parts = path.parts  # of another installation of prior-bench
    for package in PACKAGES:
        if package in parts:
            below = Path(*parts[len(parts) - 1 - parts[::-1].index(package) :])
            if all(map(known, below.with_suffix("").parts)) and (paths.PACKAGE.parent / below).is_file():
                return below.as_posix()
    return ELSEWHERE


def _roots() -> list[Path]:
    """Return the folders of installed packages and the standard library, and prior-bench's packages."""
    found = [Path(place) for place in sys.path if Path(place).name in ("site-packages", "dist-packages")]
    return [*found, Path(sysconfig.get_path("stdlib"))]
