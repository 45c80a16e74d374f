"""Suite and table configs: mmengine Python files read into plain types, with errors a user can act on."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from prior_bench import paths
from prior_bench.errors import BenchError, unknown_name


def read_config(name: str, kind: str) -> tuple[dict[str, Any], Path]:
    """The values of a config and the file they came from; names that start with ``_`` are its own helpers.

    Args:
        name: a path to a .py file, or the name of a shipped config.
        kind: folder of shipped configs, ``"suites"`` or ``"tables"``.

    Raises:
        BenchError: no such config, or the file is no valid Python config.
    """
    from mmengine.config import Config

    path = paths.find_config(name, kind)
    try:
        values = Config.fromfile(path).to_dict()
    except Exception as error:  # the file is Python: it may fail in any way
        raise BenchError(f"cannot be read: {type(error).__name__}: {error}", where=path) from error
    return {name: value for name, value in values.items() if not name.startswith("_")}, path


def key_errors(
    values: Mapping[str, Any], known: Iterable[str], required: Iterable[str], where: object
) -> list[BenchError]:
    """One error for each unknown and each missing key."""
    known = list(known)
    unknown = [unknown_name("key", key, known, where=where) for key in values if key not in known]
    missing = [BenchError(f"needs the key '{key}'", where=where) for key in required if key not in values]
    return unknown + missing


def argument_errors(function: Callable, given: Mapping[str, Any], where: object) -> list[BenchError]:
    """One error for each keyword argument that a function or class does not take, or that it lacks."""
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return []
    required = [parameter.name for parameter in parameters if parameter.default is parameter.empty]
    return key_errors(given, [parameter.name for parameter in parameters], required, where)
