"""Config files: mmengine Python files, read into plain types."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prior_bench import paths
from prior_bench.errors import BenchError


def read_config(name: str, kind: str) -> tuple[dict[str, Any], Path]:
    """The values of a config and the file they came from; names that start with ``_`` are its own helpers.

    Args:
        name: a path to a .py file, or the name of a shipped config.
        kind: folder of shipped configs, ``"suites"`` or ``"tables"``.

    Raises:
        BenchError: no such config, or the file is no valid Python config.
    """
    path = paths.find_config(name, kind)
    values = read_file(path)
    return {name: value for name, value in values.items() if not name.startswith("_")}, path


def read_file(path: Path) -> dict[str, Any]:
    """All values of a config file.

    Raises:
        BenchError: the file is no valid Python config.
    """
    from mmengine.config import Config

    try:
        return Config.fromfile(path).to_dict()
    except Exception as error:  # the file is Python: it may fail in any way
        raise BenchError(f"cannot be read: {type(error).__name__}: {error}", where=path) from error
