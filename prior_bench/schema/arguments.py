"""Check the arguments of functions and classes in configs by their signatures, including types.

A constructor's annotations are its schema: ``embed_dim: int`` refuses text, ``Annotated[int, Field(ge=1)]``
refuses 0.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError

from prior_bench.errors import BenchError, unknown_name
from prior_bench.schema.errors import ALLOWED, dotted, shown

STRICT = ConfigDict(strict=True, arbitrary_types_allowed=True, allow_inf_nan=False)

WORDS: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    Path: "a path",
    NoneType: "none",
}
"""Types in words."""


def key_errors(
    values: Mapping[str, Any], known: Iterable[str], required: Iterable[str], where: object
) -> list[BenchError]:
    """Return one error for each unknown and each missing key."""
    known = list(known)
    unknown = [unknown_name("key", key, known, where=where) for key in values if key not in known]
    missing = [
        BenchError(f"the key '{key}' is missing", where=where) for key in required if key not in values
    ]
    return unknown + missing


def argument_errors(
    function: Callable, given: Mapping[str, Any], where: object, key: str = "", supplied: Iterable[str] = ()
) -> list[BenchError]:
    """Return the errors in keyword arguments for a function or class: unknown or missing names, wrong types.

    Args:
        function: the function or class.
        given: the keyword arguments.
        where: place of unknown and missing arguments, for messages.
        key: dotted key of the arguments, the prefix of an argument with a wrong value in messages.
        supplied: arguments from elsewhere, which a config must not contain.
    """
    parameters = _parameters(function)
    named = [p for p in parameters.values() if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    names = [p.name for p in named if p.name not in supplied]
    errors = []
    if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        required = [p.name for p in named if p.default is p.empty and p.name in names]
        errors += key_errors(given, names, required, where)
    hints = _hints(function)
    for name in names:
        if name in given and name in hints:
            errors += _value_errors(_or_text(hints[name]), given[name], dotted(key, name) if key else name)
    return errors


def in_words(annotation: Any) -> str:
    """Return a type in words, for messages."""
    if annotation in WORDS:
        return WORDS[annotation]
    if get_origin(annotation) is Annotated:
        return in_words(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return " or ".join(dict.fromkeys(in_words(one) for one in get_args(annotation)))
    if get_origin(annotation) is typing.Literal:
        return " or ".join(map(repr, get_args(annotation)))
    origin = get_origin(annotation) or annotation
    if inspect.isclass(origin) and issubclass(origin, Mapping):
        return "a dict"
    if inspect.isclass(origin) and issubclass(origin, Iterable):
        return "a list"
    return getattr(annotation, "__name__", str(annotation))


def _value_errors(annotation: Any, value: Any, key: str) -> list[BenchError]:
    annotation = _for_value(annotation, value)
    adapter = _adapter(annotation)
    if adapter is None:
        return []
    try:
        adapter.validate_python(_as_tuples(value, annotation))
    except BenchError as error:  # from a check in the annotation
        return [BenchError(error.what, where=key, fix=error.fix)]
    except ValidationError as error:
        found = error.errors(include_url=False)
        if len(found) == 1 and found[0]["type"] == "unknown_name":
            context = found[0]["ctx"]
            place = dotted(key, *(part for part in found[0]["loc"] if part != "[key]"))
            return [unknown_name(context["kind"], str(found[0]["input"]), context["known"], where=place)]
        known = [one for one in found if one["type"] in ALLOWED]
        if len(found) == len(known) == 1:  # a single part of the value is wrong
            allowed = ALLOWED[known[0]["type"]].format(**known[0].get("ctx", {}))
            place = dotted(key, *known[0]["loc"])
            return [BenchError(f"is {shown(known[0]['input'])}; must be {allowed}", where=place)]
        limits = [ALLOWED[one["type"]].format(**one["ctx"]) for one in known if "ctx" in one]
        allowed = ", ".join([in_words(annotation), *limits])
        return [BenchError(f"is {shown(value)}; must be {allowed}", where=key)]
    return []


def _for_value(annotation: Any, value: Any) -> Any:
    """Return the only dict type of a union if a dict is given, so that messages are about its entries."""
    if get_origin(annotation) in (Union, UnionType) and isinstance(value, dict):
        dicts = [one for one in get_args(annotation) if get_origin(one) is dict]
        return dicts[0] if len(dicts) == 1 else annotation
    return annotation


def _or_text(annotation: Any) -> Any:
    """Extend the type of a path, which may be given as text."""
    if annotation is Path:
        return str | Path
    if get_origin(annotation) in (Union, UnionType):
        return Union[tuple(_or_text(one) for one in get_args(annotation))]  # noqa: UP007  from a tuple
    return annotation


def _as_tuples(value: Any, annotation: Any) -> Any:
    """Convert a list to a tuple, because config files may have lists for tuples."""
    return tuple(value) if isinstance(value, list) and get_origin(_bare(annotation)) is tuple else value


def _bare(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _parameters(function: Callable) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(function).parameters)


def _hints(function: Callable) -> dict[str, Any]:
    """Return the annotations of the parameters; none if they cannot be evaluated (type checkers only)."""
    target = function.__init__ if inspect.isclass(function) else function
    try:
        return typing.get_type_hints(target, include_extras=True)
    except (NameError, TypeError, AttributeError):
        return {}


@lru_cache(maxsize=512)
def _made(annotation: Any) -> TypeAdapter | None:
    try:
        return TypeAdapter(annotation, config=STRICT)
    except (PydanticSchemaGenerationError, PydanticUserError):
        return None  # a type that pydantic does not support


def _adapter(annotation: Any) -> TypeAdapter | None:
    try:
        return _made(annotation)
    except TypeError:  # an annotation that cannot be hashed
        return None
