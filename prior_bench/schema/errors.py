"""Convert all of pydantic's errors to ours, each with its dotted key, its value and the allowed values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError
from pydantic_core import ErrorDetails

from prior_bench.errors import BenchError, ErrorList, unknown_name

Model = TypeVar("Model", bound=BaseModel)

ALLOWED = {
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "string_too_short": "text that is not empty",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a dict",
    "model_type": "a dict",
    "model_attributes_type": "a dict",
    "none_required": "none",
    "greater_than": "above {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "below {lt}",
    "less_than_equal": "at most {le}",
    "too_short": "a list of at least {min_length}",
    "too_long": "a list of at most {max_length}",
    "allowed": "{allowed}",
}
"""Text after "must be", by pydantic's type of error."""

LONGEST = 80
"""Largest number of characters of a wrong value in a message."""


def checked(model: type[Model], values: Any, where: object = None, what: str = "cannot be used:") -> Model:
    """Return the model of some values.

    Args:
        model: class of the model.
        values: plain types, as in a config.
        where: file or name, for messages.
        what: heading of the list of errors.

    Raises:
        ErrorList: values are wrong; all errors are reported together.
    """
    made, errors = attempted(model, values)
    if made is None:
        raise ErrorList(what, errors, where=where)
    return made


def attempted(model: type[Model], values: Any, prefix: str = "") -> tuple[Model | None, list[BenchError]]:
    """Return the model, or None and all errors.

    Args:
        model: class of the model.
        values: plain types, as in a config.
        prefix: prefix of the dotted keys, e.g. ``"evaluations[0]"``.
    """
    try:
        return model.model_validate(values), []
    except ValidationError as error:
        return None, [_converted(one, model, prefix) for one in error.errors(include_url=False)]


def dotted(*parts: Any) -> str:
    """Join the parts of a key as in ``stages[0].epochs``."""
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text and part else f"{part}"
    return text


def shown(value: Any) -> str:
    """Return the ``repr`` of a value, shortened if it is long."""
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _converted(error: ErrorDetails, model: type[BaseModel], prefix: str) -> BenchError:
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    parts, siblings = _place(model, error["loc"])
    key = dotted(*([prefix] if prefix else []), *parts)
    parent = dotted(*([prefix] if prefix else []), *parts[:-1]) or None
    if kind == "extra_forbidden":
        return unknown_name("key", str(parts[-1]), siblings, where=parent)
    if kind == "missing":
        return BenchError(f"the key '{parts[-1]}' is missing", where=parent)
    if kind == "unknown_name":
        return unknown_name(context["kind"], str(value), context["known"], where=key)
    if kind == "problem":
        return BenchError(context["what"], where=key, fix=context["fix"])
    if kind in ("literal_error", "enum"):
        return _choice(value, re.findall(r"'([^']*)'", context["expected"]), context["expected"], key)
    if kind == "union_tag_invalid":
        tag = context["discriminator"].strip("'")
        known = re.findall(r"'([^']*)'", context["expected_tags"])
        return _choice(value[tag], known, context["expected_tags"], f"{key}.{tag}")
    if kind == "union_tag_not_found":
        return BenchError(f"the key {context['discriminator']} is missing", where=key)
    allowed = ALLOWED[kind].format(**context) if kind in ALLOWED else error["msg"]
    return BenchError(f"is {shown(value)}; must be {allowed}", where=key)


def _choice(value: Any, known: list[str], expected: str, key: str) -> BenchError:
    if isinstance(value, str):
        return unknown_name("choice", value, known, where=key)
    return BenchError(f"is {shown(value)}; must be {expected}", where=key)


def _place(model: type[BaseModel], loc: tuple[int | str, ...]) -> tuple[list[int | str], list[str]]:
    """Return the location without the tags of unions, and the known keys at its last part.

    A tag is pydantic's ``Tag``, or the value of a model's own field ``type``.
    """
    parts: list[int | str] = []
    here: list[Any] = [model]
    siblings: list[str] = []
    for part in loc:
        by_tag = {tag: inner for one in here for tag, inner in _tagged(one)}
        if part in by_tag:
            here = list(_alternatives(by_tag[str(part)]))
            continue
        models = [one for one in here if isinstance(one, type) and issubclass(one, BaseModel)]
        tagged = {tag: one for one in models for tag in _tags(one)} if len(models) > 1 else {}
        if part in tagged:
            here = [tagged[part]]
            continue
        siblings = sorted({name for one in models for name in one.model_fields})
        parts.append(part)
        here = [inner for one in here for inner in _inside(one, part)]
    return parts, siblings


def _tagged(annotation: Any) -> Iterator[tuple[str, Any]]:
    """Yield the tag of an alternative of a union and the alternative; nothing without a tag."""
    if get_origin(annotation) is Annotated:
        yield from (
            (one.tag, get_args(annotation)[0]) for one in get_args(annotation)[1:] if isinstance(one, Tag)
        )


def _tags(model: type[BaseModel]) -> tuple[str, ...]:
    field = model.model_fields.get("type")
    return tuple(map(str, get_args(field.annotation))) if field else ()


def _inside(annotation: Any, part: int | str) -> Iterator[Any]:
    """Yield the annotations at a key or index of a value with this annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = annotation.model_fields.get(str(part))
        yield from _alternatives(field.annotation) if field else ()
    elif get_origin(annotation) in (tuple, list):
        arguments = [a for a in get_args(annotation) if a is not Ellipsis]
        yield from _alternatives(arguments[0]) if arguments else ()
    elif get_origin(annotation) in (dict, Mapping):
        yield from _alternatives(get_args(annotation)[1])


def _alternatives(annotation: Any) -> Iterator[Any]:
    if list(_tagged(annotation)):
        yield annotation
    elif get_origin(annotation) is Annotated:
        yield from _alternatives(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType):
        for one in get_args(annotation):
            yield from _alternatives(one)
    else:
        yield annotation
