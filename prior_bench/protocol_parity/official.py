"""Fixtures of official downstream code: what it made of given inputs, for each ingredient of some protocols.

A fixture is a JSON file ``<paper>/<name>.json``::

    {"repository": "OWNER/NAME", "commit": "<40 hex digits>", "versions": {"torch": "…"},
     "protocols": ["mgca/linear_chexpert"],
     "ingredients": {"schedule": {"ran": "file: function, and how it was called",
                                  "given": {…}, "expected": {…}, "tolerance": {"lr*": 1e-6}}}}
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prior_bench.errors import BenchError, unknown_name
from prior_bench.io.bounded import json_text
from prior_bench.protocol_parity.ingredients import Values
from prior_bench.suites import protocols


@dataclass(frozen=True)
class OfficialValues:
    """What official code made of the inputs of one ingredient.

    Attributes:
        ran: the function of the official code, and how it was called.
        given: its inputs.
        expected: its results by name.
        tolerance: largest relative error by pattern of the name, where it is not the default.
    """

    ran: str
    given: Values
    expected: Values
    tolerance: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class OfficialRun:
    """One fixture file.

    Attributes:
        path: the file.
        repository: ``owner/name``.
        commit: the commit that was run, 40 hex digits.
        protocols: names of the protocols that follow this code.
        ingredients: what was measured, by ingredient.
    """

    path: Path
    repository: str
    commit: str
    protocols: tuple[str, ...]
    ingredients: dict[str, OfficialValues]


def official_runs(folder: Path) -> list[OfficialRun]:
    """Read all fixtures of a folder; files without ``ingredients`` are something else and are left out.

    Raises:
        BenchError: a fixture is damaged or incomplete, or two state the same ingredient of a protocol.
    """
    read = (_read(path) for path in sorted(folder.glob("*/*.json")))
    runs = [run for run in read if run is not None]
    seen: dict[tuple[str, str], Path] = {}
    for run in runs:
        for protocol in run.protocols:
            for ingredient in run.ingredients:
                other = seen.setdefault((protocol, ingredient), run.path)
                if other != run.path:
                    raise BenchError(
                        f"states {ingredient} of {protocol}, as {other.name} does",
                        where=run.path,
                        fix="keep one of them",
                    )
    return runs


def _read(path: Path) -> OfficialRun | None:
    try:
        content: dict[str, Any] = json.loads(json_text(path))
        if "ingredients" not in content:
            return None
        named, known = tuple(content["protocols"]), protocols.names()
        for name in named:
            if name not in known:  # a path would be code, which is not run because a file names it
                raise unknown_name("protocol", str(name), known, where=path)
        return OfficialRun(
            path=path,
            repository=content["repository"],
            commit=content["commit"],
            protocols=named,
            ingredients={name: OfficialValues(**values) for name, values in content["ingredients"].items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BenchError(f"not a fixture of official code: {error}", where=path) from error
