"""Read config files, which are mmengine Python files, as plain types."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from prior_bench import paths
from prior_bench.errors import BenchError
from prior_bench.io.room import FULL, cannot_write, of_the_disk


def read_config(name: str, kind: str) -> tuple[dict[str, Any], Path]:
    """Return the values of a config and its file; names that start with ``_`` are left out.

    Args:
        name: a path to a .py file, or the name of a shipped config.
        kind: folder of shipped configs, ``"suites"`` or ``"tables"``.

    Raises:
        BenchError: the config does not exist, or is not a valid Python config.
    """
    path = paths.find_config(name, kind)
    values = read_file(path)
    return {name: value for name, value in values.items() if not name.startswith("_")}, path


def read_file(path: Path) -> dict[str, Any]:
    """Return all values of a config file.

    Raises:
        BenchError: the file is not a valid Python config.
    """
    from mmengine.config import Config

    try:
        return Config.fromfile(path).to_dict()
    except Exception as error:  # a Python file may raise anything
        if (disk := of_the_disk(error)) and disk.errno in FULL:  # mmengine reads a temporary copy
            raise cannot_write(Path(tempfile.gettempdir()), disk, "set TMPDIR") from error
        raise BenchError(f"cannot be read: {type(error).__name__}: {error}", where=path) from error
