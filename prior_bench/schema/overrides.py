"""Change a config by dotted keys: ``optimizer.lr``, ``schedule.stages.0.epochs``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel

from prior_bench.errors import BenchError, ErrorList
from prior_bench.schema.errors import shown

DELETE = "_delete_"
"""A dict with this key (mmengine's) replaces the other dict instead of being merged into it."""

NONE = "none"
"""A word that is a choice of some keys."""


def merged(values: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of ``values`` with ``overrides``; dicts are merged.

    Args:
        values: plain types.
        overrides: new values by dotted keys; a number in a key is the index of a list's entry, from 0.

    Raises:
        ErrorList: keys lead into values that are neither dicts nor lists.
    """
    made, errors = _copy(values), []
    for key, value in overrides.items():
        try:
            made = _set(made, key.split("."), value, key)
        except BenchError as error:
            errors.append(error)
    if errors:
        raise ErrorList("these changes are not possible:", errors)
    return made


def as_words(overrides: Mapping[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    """Return changes in which None is the word ``none`` where a key has this word as a choice.

    On the command line, ``none`` stands for None, but ``--set options.normalise=none`` means the word.

    Args:
        overrides: new values by dotted keys.
        model: the model of what is changed. Keys that it does not have are left as they are.
    """
    return {
        key: NONE if value is None and _takes_word(model, key) else value for key, value in overrides.items()
    }


def _takes_word(model: Any, key: str) -> bool:
    """Whether the field of a dotted key has the word ``none``, and not None, as a choice."""
    for part in key.split("."):
        fields = getattr(model, "model_fields", {})
        if part not in fields:
            return False
        model = fields[part].annotation
    choices = {choice for one in (model, *get_args(model)) for choice in (one, *get_args(one))}
    return NONE in choices and not choices & {None, type(None)}


def _set(there: Any, path: list[str], value: Any, key: str) -> Any:
    part, rest = path[0], path[1:]
    if isinstance(there, list | tuple):
        if not (part.isdecimal() and int(part) < len(there)):
            fix = f"use a number from 0 to {len(there) - 1}" if there else "the list is empty"
            raise BenchError(f"'{part}' is no index of a list of {len(there)}", where=key, fix=fix)
        changed = list(there)
        changed[int(part)] = _set_at(changed[int(part)], rest, value, key)
        return type(there)(changed)
    if not isinstance(there, dict):
        inner = key[: len(key) - len(".".join(path)) - 1]
        raise BenchError(f"'{inner}' is {shown(there)}, which has no keys", where=key)
    return {**there, part: _set_at(there.get(part, {}), rest, value, key)}


def _set_at(there: Any, rest: list[str], value: Any, key: str) -> Any:
    return _set(there, rest, value, key) if rest else _merge(there, value)


def _merge(there: Any, value: Any) -> Any:
    if not isinstance(value, Mapping):
        return _copy(value)
    value = dict(value)
    replaces = value.pop(DELETE, False)
    if replaces or not isinstance(there, dict):
        return _copy(value)
    return {**there, **{name: _merge(there.get(name), inner) for name, inner in value.items()}}


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _copy(inner) for name, inner in value.items() if name != DELETE}
    return type(value)(map(_copy, value)) if isinstance(value, list | tuple) else value
