"""Find model cards: the shipped ones (``configs/models``), and those of other packages.

A card of another package comes from an entry point of the group ``prior_bench.cards``: a function that returns
cards by name, as dicts with the keys of :class:`prior_bench.schema.model.ModelCard`.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from prior_bench import paths
from prior_bench.errors import BenchError, unknown_name
from prior_bench.registry import CARDS
from prior_bench.schema.errors import checked
from prior_bench.schema.model import FILE, ModelCard

FOLDER = "models"
"""Folder of shipped cards, and of weights under the data root."""
PLACES = {"checkpoint": "path", "timm": "file", "hf": "model", "open_clip": "model", "embeddings": "file"}
"""Argument that names the weights, by type of row."""


def shipped() -> dict[str, dict[str, Any]]:
    """Return the cards of this package by name, as plain types (entry point ``prior_bench.cards``)."""
    files = sorted((paths.shipped("configs") / FOLDER).glob("*.json"))
    return {file.stem: _read(file) for file in files}


@cache
def model_cards() -> dict[str, ModelCard]:
    """Return all cards by name, in alphabetical order.

    Raises:
        BenchError: a card has wrong keys or values.
    """
    found: dict[str, ModelCard] = {}
    for source in CARDS.names():
        for name, values in CARDS.get(source)().items():
            where = f"model card '{name}' ({CARDS.source(source)})"
            found[name] = checked(ModelCard, values, where, "the card cannot be used:")
    return dict(sorted(found.items()))


def model_card(name: str) -> ModelCard:
    """Return the card of a model.

    Raises:
        BenchError: there is none of this name.
    """
    cards = model_cards()
    if name not in cards:
        raise unknown_name("model", name, list(cards), where="prior-bench list models")
    return cards[name]


def place_of(name: str) -> Path:
    """Return where the weights of a model are expected: ``models/NAME/FILE`` under the data root.

    For models of a hub, it is the folder ``models/NAME``, which is used in place of the hub if it exists.
    """
    return paths.data_root() / FOLDER / name / model_card(name).weights.file


def row_of(name: str, weights: str | None = None) -> dict[str, Any]:
    """Return the row that loads a model, without a row's name.

    Args:
        name: of the card.
        weights: the file or folder; by default :func:`place_of`, or the hub for models that are on one.

    Raises:
        BenchError: the model cannot be loaded.
    """
    card = model_card(name)
    row = card.row_arguments()
    if not row:
        raise BenchError(f"{card.title} cannot be loaded: {card.limits}", where=f"model '{name}'")
    expected = place_of(name)
    if card.weights.file:
        put = weights or str(expected)
        return {key: value.replace(FILE, put) if isinstance(value, str) else value for key, value in row.items()}
    if weights or expected.is_dir():
        row[PLACES[row["type"]]] = weights or str(expected)
    return row


def absent_weights(name: str, weights: str | None = None) -> BenchError | None:
    """Return the error if the weights file of a model is not there; None for models of a hub."""
    card = model_card(name)
    place = Path(weights) if weights else place_of(name)
    if place.exists() or not (card.weights.file or weights):
        return None
    what = f"the weights of {card.title} are not there"
    return BenchError(what, where=place, fix=f"{how_to_get(card)}; put the file there, or name it: {name}@PATH")


def how_to_get(card: ModelCard) -> str:
    """Return where the weights of a model are had, in words."""
    return card.weights.where + (f" ({card.weights.link})" if card.weights.link else "")


def exposure_of_model(kind: str, reference: str) -> list[tuple[str, str]]:
    """Return what is known of the training data of a library's model, by the name that its card has for it.

    Args:
        kind: type of the row, ``"hf"`` or ``"open_clip"``.
        reference: name on the hub, with or without a revision, or the library's own name.
    """
    name = reference.partition("@")[0]
    found: dict[str, str] = {}
    for card in model_cards().values():
        row = card.row_arguments()
        if row.get("type") in ("hf", "open_clip") and not card.weights.file and row["model"] == name:
            found |= card.trained_on
    return list(found.items())


def _read(file: Path) -> dict[str, Any]:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BenchError(f"is no JSON: {error}", where=file) from error
