"""Select part of a suite: ``--only FIELD=VALUE``."""

from __future__ import annotations

from collections.abc import Iterable

from prior_bench.api import RunSpec
from prior_bench.errors import BenchError

FILTERS = ("backbone", "task", "data", "protocol", "fraction", "shots", "seed")


def fields_of(spec: RunSpec) -> dict[str, str]:
    """The fields of a cell, as text, that filters use; a few-shot cell has no fraction, others no shots."""
    return {
        "backbone": spec.backbone["name"],
        "task": spec.task,
        "data": spec.data["name"],
        "protocol": spec.protocol["name"],
        "fraction": f"{spec.fraction:g}" if spec.shots is None else "",
        "shots": "" if spec.shots is None else str(spec.shots),
        "seed": str(spec.seed),
    }


def read_filters(only: Iterable[str]) -> dict[str, set[str]]:
    """Parse filters into the wanted values of each field.

    Raises:
        BenchError: not ``FIELD=VALUE``, an unknown field, or a fraction or shots that are no number.
    """
    wanted: dict[str, set[str]] = {}
    for text in only:
        name, equals, value = text.partition("=")
        if not equals or name not in FILTERS:
            fix = f"FIELD=VALUE, where FIELD is one of {', '.join(FILTERS)}"
            raise BenchError(f"'{text}' is not a filter", where="--only", fix=fix)
        if name == "shots" and not value.isdecimal():
            what = f"'{value}' is not a number of images per class"
            raise BenchError(what, where="--only", fix="a whole number, as in shots=4")
        wanted.setdefault(name, set()).add(_fraction(value) if name == "fraction" else value)
    return wanted


def passes(wanted: dict[str, set[str]], **fields: str) -> bool:
    """Whether all given fields have a wanted value.

    A protocol that a suite changes, and a synthetic data set, are meant by their plain names too.
    """
    return all(
        {fields[name], _plain(fields[name])} & values for name, values in wanted.items() if name in fields
    )


def _plain(name: str) -> str:
    """``mgca/linear_rsna (changed: stopping)`` and ``rsna_pneumonia (synthetic)`` without what is added."""
    return name.partition(" (changed: ")[0].removesuffix(" (synthetic)").removesuffix(" (rehearsal)")


def _fraction(text: str) -> str:
    try:
        return f"{float(text):g}"
    except ValueError as error:
        raise BenchError(f"'{text}' is not a fraction", where="--only", fix="a number, as in 0.1") from error
