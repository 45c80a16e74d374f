"""Components of all schemas: strict models, numbers with ranges, and names that must be known.

Nothing is converted: text is never a bool, and a bool is never a number. An int is accepted for a float and
remains an int, so that checking does not change the hash of a config.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    WrapValidator,
)
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

T = TypeVar("T")


class Strict(BaseModel):
    """A part of a config: unknown keys and wrong types are errors; the docstring of a field is its help."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )


class Nothing(Strict):
    """A section without keys, which the task does not use."""


def as_given(value: Any, check: Callable[[Any], Any]) -> Any:
    """Check a value and return it unchanged (an int remains an int, and steps keep their order)."""
    check(value)
    return value


def _as_tuple(value: Any) -> Any:
    """Convert a list to a tuple: config files may have lists for tuples, and records (JSON) always have."""
    return tuple(value) if isinstance(value, list) else value


def _distinct(values: tuple) -> tuple:
    repeated = [value for i, value in enumerate(values) if value in values[:i]]
    if repeated:
        raise PydanticCustomError(
            "allowed", "named twice", {"allowed": f"without repetition; {repeated[0]!r} occurs twice"}
        )
    return values


def _only_true(value: bool) -> bool:
    if not value:
        raise PydanticCustomError("allowed", "true only", {"allowed": "true: this task trains no backbone"})
    return value


Several = Annotated[tuple[T, ...], BeforeValidator(_as_tuple)]
"""A tuple or list of any length."""
Distinct = Annotated[tuple[T, ...], AfterValidator(_distinct), BeforeValidator(_as_tuple)]
"""A tuple or list of any length without repetition."""
Pair = Annotated[tuple[T, T], BeforeValidator(_as_tuple)]
"""Two values of one type."""

Real = Annotated[float, WrapValidator(as_given)]
"""Any finite number."""
Positive = Annotated[float, Field(gt=0), WrapValidator(as_given)]
"""Above 0."""
NotNegative = Annotated[float, Field(ge=0), WrapValidator(as_given)]
"""0 or above."""
Share = Annotated[float, Field(gt=0, le=1), WrapValidator(as_given)]
"""In (0, 1]."""
Probability = Annotated[float, Field(ge=0, le=1), WrapValidator(as_given)]
"""In [0, 1]."""
Dropout = Annotated[float, Field(ge=0, lt=1), WrapValidator(as_given)]
"""In [0, 1)."""
Count = Annotated[int, Field(ge=1)]
"""1 or above."""
Index = Annotated[int, Field(ge=0)]
"""0 or above: seeds, and counts that may be 0."""
Text = Annotated[str, Field(min_length=1)]
"""Text that is not empty."""
AlwaysTrue = Annotated[bool, AfterValidator(_only_true)]
"""A flag that must be true for this task."""


LEFT_OUT: Any = None
"""Default of a key that may be left out, but not be set to none."""


class OneOf:
    """Annotation of a name that must be known. The known names are looked up when a value is checked.

    Args:
        kind: description of the name in messages, e.g. ``"metric"``.
        known: the names, or a function that returns them.
        listed: the command that lists them, for the reference of keys. The reference does not print names of
            plug-ins, because they depend on the installation.
        accepts: function that accepts other names, e.g. paths of files.
    """

    def __init__(
        self,
        kind: str,
        known: Iterable[str] | Callable[[], Iterable[str]],
        *,
        listed: str = "",
        accepts: Callable[[str], bool] = lambda name: False,
    ):
        self.kind, self.known, self.listed, self.accepts = kind, known, listed, accepts

    def names(self) -> list[str]:
        """Return all known names."""
        return list(self.known() if callable(self.known) else self.known)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        found = {**handler(schema), "x-kind": self.kind}
        if self.listed:
            found["x-listed"] = self.listed
        return (
            {**found, "anyOf": [{"enum": self.names()}, {"type": "string"}]}
            if self.listed
            else {
                **found,
                "enum": self.names(),
            }
        )

    def _check(self, name: str) -> str:
        known = self.names()
        if name not in known and not self.accepts(name):
            raise PydanticCustomError("unknown_name", "unknown", {"kind": self.kind, "known": known})
        return name


class Said:
    """Annotation that gives one message instead of one per alternative of a union.

    Args:
        allowed: description of the allowed values, which follows "must be".
    """

    def __init__(self, allowed: str):
        self.allowed = allowed

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(self._check, handler(source))

    def _check(self, value: Any, check: Callable[[Any], Any]) -> Any:
        try:
            check(value)
        except ValidationError:
            raise PydanticCustomError("allowed", "not allowed", {"allowed": self.allowed}) from None
        return _as_tuple(value)


class Problems:
    """Collector of problems between fields of a model, which are raised together, each with its own key.

    Use it in a ``model_validator(mode="after")``, which runs if each field by itself is correct.
    """

    def __init__(self) -> None:
        self.found: list[InitErrorDetails] = []

    def add(self, key: str | tuple[str, ...], value: Any, what: str, fix: str = "") -> None:
        """Add a problem; ``key`` is dotted within the model, or a tuple; the clause ``what`` follows it."""
        error = PydanticCustomError("problem", "problem", {"what": what, "fix": fix})
        loc = tuple(key.split(".")) if isinstance(key, str) else key
        self.found.append(InitErrorDetails(type=error, loc=loc, input=value))

    def unknown(self, key: str, name: str, kind: str, known: Iterable[str]) -> None:
        """Add the problem of an unknown name."""
        error = PydanticCustomError("unknown_name", "unknown", {"kind": kind, "known": list(known)})
        self.found.append(InitErrorDetails(type=error, loc=tuple(key.split(".")), input=name))

    def raise_any(self) -> None:
        """Raise all problems, if there are any."""
        if self.found:
            raise ValidationError.from_exception_data("problems", self.found)
