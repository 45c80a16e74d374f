"""What the documents say of each ingredient of the papers' protocols: how well we know that ours is theirs.

The statements are data next to the protocols, ``configs/protocols/<paper>/ingredients.json``::

    {"linear_chexpert": {
        "schedule": {"status": "verified", "commit": "680fe4a"},
        "metric": {"status": "deviates", "commit": "680fe4a", "note": "…", "except": ["auroc"]}}}

``prior-bench parity`` checks that they are true.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from prior_bench import paths
from prior_bench.errors import BenchError, unknown_name

STATEMENTS = "ingredients.json"


class Status(StrEnum):
    """How well an ingredient is known."""

    VERIFIED = "verified"
    DEVIATES = "deviates"
    READ = "read"
    PAPER = "paper"
    UNKNOWN = "unknown"


MEANING = {
    Status.VERIFIED: "verified against the code: the official code was run, and ours gives the same",
    Status.DEVIATES: "differs from the code, as the note says",
    Status.READ: "from the code, which was read and not run",
    Status.PAPER: "from the paper",
    Status.UNKNOWN: "unknown",
}


@dataclass(frozen=True)
class Statement:
    """The statement of one ingredient of one protocol.

    Attributes:
        protocol: name of the protocol.
        ingredient: name of the ingredient.
        status: how well it is known.
        commit: first digits of the commit of the official code; "" if no code was run.
        note: what deviates, or where the value comes from.
        exceptions: patterns of the quantities that deviate; all others agree. Empty: any may deviate.
    """

    protocol: str
    ingredient: str
    status: Status
    commit: str = ""
    note: str = ""
    exceptions: tuple[str, ...] = ()


def statements_of(protocol: str) -> dict[str, Statement]:
    """Return the statements of a protocol by ingredient; empty if it has none."""
    paper, _, name = protocol.partition("/")
    path = paths.shipped("configs") / "protocols" / paper / STATEMENTS
    if not name or not path.is_file():
        return {}
    return {
        ingredient: _statement(path, protocol, ingredient, values)
        for ingredient, values in _content(path).get(name, {}).items()
    }


def stated_protocols() -> list[str]:
    """Return the names of all protocols that have statements."""
    folder = paths.shipped("configs") / "protocols"
    files = sorted(folder.glob(f"*/{STATEMENTS}"))
    return [f"{path.parent.name}/{name}" for path in files for name in _content(path)]


def verified_count(protocol: str) -> tuple[int, int] | None:
    """Return how many ingredients of a protocol are verified, and of how many; None without statements."""
    stated = statements_of(protocol).values()
    return (sum(one.status is Status.VERIFIED for one in stated), len(stated)) if stated else None


def _content(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text())
    except ValueError as error:
        raise BenchError(f"not a JSON file: {error}", where=path) from error
    return content


def _statement(path: Path, protocol: str, ingredient: str, values: dict[str, Any]) -> Statement:
    where = f"{path}: {protocol}, {ingredient}"
    for key in values:
        if key not in ("status", "commit", "note", "except"):
            raise unknown_name("key", key, ["status", "commit", "note", "except"], where=where)
    if values.get("status") not in list(Status):
        raise unknown_name("status", str(values.get("status")), list(Status), where=where)
    return Statement(
        protocol=protocol,
        ingredient=ingredient,
        status=Status(values["status"]),
        commit=values.get("commit", ""),
        note=values.get("note", ""),
        exceptions=tuple(values.get("except", ())),
    )
