"""The card of a row in a bundle: what the submitter gives, and what the records say of the weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from prior_bench.errors import BenchError
from prior_bench.io.bounded import read_json
from prior_bench.leaderboard.layout import MOST_CARD
from prior_bench.leaderboard.shareable import paths_in
from prior_bench.models.cards import card_as_stored
from prior_bench.schema.errors import checked
from prior_bench.schema.model import ModelCard
from prior_bench.schema.records import check_plain

OF_WEIGHTS = ("identity", "parameters", "input")
"""Keys of a record's provenance that describe its weights, beside ``backbone``."""


def given_cards(files: Iterable[str | Path], rows: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Read cards that a user gives, by row.

    Args:
        files: ``FILE.json``, whose name or title is that of the row, or ``ROW=FILE.json``.
        rows: names of the rows.

    Raises:
        BenchError: a file is no card, names a path, or belongs to no row, or a row has two.
    """
    names, found = list(rows), {}
    for given in map(str, files):
        row, place = _named(given)
        card = read_card(place)
        if not row:
            row = next((name for name in names if name in (place.stem, card["title"])), place.stem)
        if row not in names:
            fix = f"write ROW={place.name}; rows: {', '.join(names)}"
            raise BenchError(f"belongs to no row of the records ('{row}')", where=place, fix=fix)
        if row in found:
            raise BenchError(f"the row '{row}' has two cards", where=place, fix="give one")
        found[row] = card
    return found


def read_card(place: Path) -> dict[str, Any]:
    """Read a card in the format of ``configs/models``, as plain types.

    Raises:
        BenchError: it is missing, no card, too large, or names a path of a machine.
    """
    try:
        values = read_json(place)
    except FileNotFoundError:
        raise BenchError("there is no such file", where=place, fix="give the path of a card") from None
    if place.stat().st_size > MOST_CARD:
        raise BenchError(f"a card has at most {MOST_CARD} bytes", where=place)
    checked(ModelCard, values, place, "the card cannot be used:")
    check_plain(values)
    # a path in the row is replaced when the card is written
    for key in paths_in(values):
        if not key.startswith("row."):
            raise BenchError("names a path", where=f"{place}: {key}", fix="remove it from the card")
    return values


def known_card(record: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the card by whose name the row of a record was loaded; None if it was loaded in another way."""
    backbone = record["spec"]["backbone"]
    name = backbone.get("model") if backbone.get("type") == "card" else None
    return card_as_stored(name) if isinstance(name, str) else None


def weights_facts(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the content of a shareable ``record.json`` says of its weights, without their history."""
    provenance, backbone = record.get("provenance", {}), record["spec"]["backbone"]
    told = {k: v for k, v in (provenance.get("backbone") or {}).items() if k not in ("history", "seed")}
    row = {name: value for name, value in backbone.items() if name != "name"}
    facts = {name: provenance[name] for name in OF_WEIGHTS if provenance.get(name)}
    return {"row": row, **told, **facts}


def rows_of(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the names of the rows of some records, in alphabetical order."""
    return sorted({record["spec"]["backbone"]["name"] for record in records})


def _named(given: str) -> tuple[str, Path]:
    """Split ``ROW=FILE.json``; a file whose own name has an equals sign is taken as it is."""
    row, equals, place = given.rpartition("=")
    return (row, Path(place)) if equals and not Path(given).is_file() else ("", Path(given))
