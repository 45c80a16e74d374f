"""What all schemas are made of: strict models, numbers with ranges, and names that must be known.

Nothing is converted: text is never a bool, a bool never a number. An int is taken where a float is meant and
stays the int that it was, so that a checked config hashes as it was written.
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
    """No keys at all: what this task does not read."""


def as_given(value: Any, check: Callable[[Any], Any]) -> Any:
    """Check a value and keep it as it was written (an int stays an int, the steps of a dict their order)."""
    check(value)
    return value


def _as_tuple(value: Any) -> Any:
    """Config files may say lists where tuples are meant; records, which are JSON, always do."""
    return tuple(value) if isinstance(value, list) else value


def _distinct(values: tuple) -> tuple:
    repeated = [value for i, value in enumerate(values) if value in values[:i]]
    if repeated:
        raise PydanticCustomError(
            "allowed", "named twice", {"allowed": f"without repetition; {repeated[0]!r} is there twice"}
        )
    return values


def _only_true(value: bool) -> bool:
    if not value:
        raise PydanticCustomError("allowed", "true only", {"allowed": "true: this task trains no backbone"})
    return value


Several = Annotated[tuple[T, ...], BeforeValidator(_as_tuple)]
"""A tuple or list of any length."""
Distinct = Annotated[tuple[T, ...], AfterValidator(_distinct), BeforeValidator(_as_tuple)]
"""The same without repetition."""
Pair = Annotated[tuple[T, T], BeforeValidator(_as_tuple)]
"""Two of a kind."""

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
"""0 or above: counts that may be nothing, and seeds."""
Text = Annotated[str, Field(min_length=1)]
"""Text that is not empty."""
AlwaysTrue = Annotated[bool, AfterValidator(_only_true)]
"""A flag that this task cannot clear."""


LEFT_OUT: Any = None
"""Default of a key that may be left out, but not be set to none."""


class OneOf:
    """A name that must be known. The known names are asked for when a value is checked, not before.

    Args:
        kind: what the name is called in messages, e.g. ``"metric"``.
        known: the names, or a function that returns them.
        listed: the command that lists them, for the reference of keys; names of plug-ins belong to an
            installation and are not printed there.
        accepts: which other names are fine, e.g. paths of files.
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
        """All known names."""
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
    """One message in place of one for each alternative of a union.

    Args:
        allowed: what is allowed, as it follows "must be".
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
    """Gathers what is wrong between several fields of a model; raised together, each with its own key.

    Use in a ``model_validator(mode="after")``, which runs where each field by itself is right.
    """

    def __init__(self) -> None:
        self.found: list[InitErrorDetails] = []

    def add(self, key: str | tuple[str, ...], value: Any, what: str, fix: str = "") -> None:
        """``key`` is dotted, from the model on, or a tuple of parts; ``what`` is a clause that follows it."""
        error = PydanticCustomError("problem", "problem", {"what": what, "fix": fix})
        loc = tuple(key.split(".")) if isinstance(key, str) else key
        self.found.append(InitErrorDetails(type=error, loc=loc, input=value))

    def unknown(self, key: str, name: str, kind: str, known: Iterable[str]) -> None:
        """A name that is not among those known."""
        error = PydanticCustomError("unknown_name", "unknown", {"kind": kind, "known": list(known)})
        self.found.append(InitErrorDetails(type=error, loc=tuple(key.split(".")), input=name))

    def raise_any(self) -> None:
        """Raise what was found, if anything."""
        if self.found:
            raise ValidationError.from_exception_data("problems", self.found)
