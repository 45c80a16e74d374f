"""A method as its paper has it, as its authors released it, and as this project extends it.

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
    """A field of a frozen dataclass of switches.

    Args:
        effect: what it does when True, as in the released code; kept as ``metadata["doc"]``.
        paper: its value in the paper's preset.
    """
    return field(default=paper, metadata={"doc": effect})


def extension(effect: str) -> bool:
    """A field of a frozen dataclass of switches that is ours: neither the paper nor its code has it.

    Args:
        effect: what it does when True; kept as ``metadata["doc"]``.
    """
    return field(default=False, metadata={"doc": effect, "ours": True})


def is_extension(one: Field[Any]) -> bool:
    """Return whether a field was made by :func:`extension`."""
    return bool(one.metadata.get("ours"))


def released(kind: type[Switches]) -> Switches:
    """Turn on every switch that is not an extension: what the published weights were trained with."""
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
    """A variant from its name, or from switches on top of a preset (``{"base": "released", ...}``).

    Args:
        variant: ``"paper"``, ``"released"``, a dict of switches, or a variant made already.
        kind: the method's dataclass of switches.

    Raises:
        BenchError: unknown preset or switch, with the nearest known ones.
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
        raise BenchError(f"cannot be made from {variant!r}", where=where, fix="a name, or a dict of switches")
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
    """Annotation of an argument that :func:`resolve` takes: a config is refused where it would raise.

    Args:
        kind: the method's dataclass of switches.
    """

    kind: type

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(lambda value: resolve(value, self.kind))
