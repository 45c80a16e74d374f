"""Variants of a method: as in its paper, as released by its authors, and as extended by this project.

There is one implementation, with named switches between the presets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import Field, dataclass, field, fields, replace
from typing import Any, TypeVar

from prior_bench.errors import BenchError, unknown_name

Switches = TypeVar("Switches", bound=Any)
"""A frozen dataclass whose fields are all switches."""


def switch(effect: str, *, paper: bool = False) -> bool:
    """Return a field of a frozen dataclass of switches.

    Args:
        effect: description of its effect when True, as in the released code; stored as ``metadata["doc"]``.
        paper: value in the paper's preset.
    """
    return field(default=paper, metadata={"doc": effect})


def extension(effect: str) -> bool:
    """Return a field of a frozen dataclass of switches for an extension by this project.

    Args:
        effect: description of its effect when True; stored as ``metadata["doc"]``.
    """
    return field(default=False, metadata={"doc": effect, "ours": True})


def is_extension(one: Field[Any]) -> bool:
    """Return whether a field was made by :func:`extension`."""
    return bool(one.metadata.get("ours"))


def released(kind: type[Switches]) -> Switches:
    """Turn on every switch that is not an extension, as in the training of the published weights."""
    return kind(**{one.name: True for one in fields(kind) if not is_extension(one)})


def extended(kind: type[Switches]) -> Switches:
    """Turn on all extensions, on top of the paper's preset."""
    return kind(**{one.name: True for one in fields(kind) if is_extension(one)})


def presets(kind: type[Switches]) -> dict[str, Switches]:
    """Return the presets of a method by name; ``"extended"`` exists only if the method has extensions."""
    known = {"paper": kind(), "released": released(kind)}
    if any(is_extension(one) for one in fields(kind)):
        known["extended"] = extended(kind)
    return known


def resolve(variant: str | dict[str, Any] | Switches, kind: type[Switches]) -> Switches:
    """Return a variant by its name, or by switches that change a preset (``{"base": "released", ...}``).

    Args:
        variant: name of a preset (:func:`presets`), a dict of switches, or a variant.
        kind: the method's dataclass of switches.

    Raises:
        BenchError: a preset or switch is unknown (the message suggests similar ones), or a value is not a
            bool.
    """
    where = f"{kind.__module__.split('.')[-2]} variant"
    if isinstance(variant, kind):
        return variant
    if isinstance(variant, str):
        known_presets = presets(kind)
        if variant not in known_presets:
            raise unknown_name("variant", variant, list(known_presets), where=where)
        return known_presets[variant]
    if not isinstance(variant, dict):
        raise BenchError(
            f"cannot be made from {variant!r}", where=where, fix="give a name, or a dict of switches"
        )
    changes = dict(variant)
    base = resolve(changes.pop("base", "paper"), kind)
    known = [one.name for one in fields(kind)]
    for name, value in changes.items():
        if name not in known:
            raise unknown_name("switch", name, known, where=where)
        if not isinstance(value, bool):
            raise BenchError(f"{name} is {value!r}; must be true or false", where=where)
    return replace(base, **changes)


@dataclass(frozen=True)
class Fits:
    """Annotation of an argument for :func:`resolve`: a config is refused if the function would raise an
    error.

    Args:
        kind: the method's dataclass of switches.
    """

    kind: type

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(lambda value: resolve(value, self.kind))
