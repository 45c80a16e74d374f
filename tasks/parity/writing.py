"""Write the lines of annotation files, and empty files in place of images."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write lines to a file in a folder that may not exist yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")


def write_images(folder: Path, names: Iterable[str]) -> None:
    """Create empty files, whose folders may not exist yet."""
    made: set[str] = set()
    for path in (os.path.join(folder, name) for name in names):
        parent = os.path.dirname(path)
        if parent not in made:
            os.makedirs(parent, exist_ok=True)
            made.add(parent)
        os.close(os.open(path, os.O_CREAT))
