"""Data sets that are computed: which generator is behind a data reference.

``sample:chexpert`` is the data set ``chexpert`` of the generator ``sample``, one of
:data:`prior_bench.registry.GENERATORS`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from prior_bench.errors import NotGeneratedError
from prior_bench.registry import GENERATORS

_FORBIDDEN: ContextVar[bool] = ContextVar("_FORBIDDEN", default=False)


@contextmanager
def nothing_generated() -> Iterator[None]:
    """Inside, data of a generator that are not there yet are not made: to open them is an error."""
    token = _FORBIDDEN.set(True)
    try:
        yield
    finally:
        _FORBIDDEN.reset(token)


def not_yet(place: object) -> bool:
    """Whether a data reference, or the ``root`` of a resolved one, cannot be opened: see the above."""
    return _FORBIDDEN.get() and not ready(place)


def generated_folder(place: object) -> Path:
    """Return the folder of a data reference of a generator, which makes it on first use.

    Raises:
        NotGeneratedError: it is not there yet, inside of :func:`nothing_generated`.
    """
    if not_yet(place):
        raise NotGeneratedError("is not generated yet", where=place, fix="leave out --dry-run")
    generator, _, name = str(place).partition(":")
    root: Path = GENERATORS.get(generator).root(name)
    return root


def generator_of(place: object) -> str:
    """Name of the generator behind a data reference, or behind the ``root`` of a resolved one; else empty."""
    prefix, _, name = str(place).partition(":")
    if not (name and prefix.isidentifier()):
        return ""
    # those in use are known without a look at all installed packages, which takes 10 ms
    return prefix if prefix in GENERATORS.module_dict or prefix in GENERATORS.names() else ""


def generated(place: object) -> bool:
    """Whether a data reference, or the ``root`` of a resolved one, is computed by a generator."""
    return bool(generator_of(place))


def ready(place: object) -> bool:
    """Whether opening a data reference, or the ``root`` of a resolved one, generates nothing.

    A generator without the method ``ready(name) -> bool`` is taken to be ready.
    """
    if not (generator := generator_of(place)):
        return True
    known = getattr(GENERATORS.get(generator), "ready", None)
    return known is None or bool(known(str(place).removeprefix(f"{generator}:")))
