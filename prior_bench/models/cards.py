"""Find model cards: the shipped ones (``configs/models``), and those of other packages.

A card of another package comes from an entry point of the group ``prior_bench.cards``: a function that
returns cards by name, as dicts with the keys of :class:`prior_bench.schema.model.ModelCard`.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from prior_bench import paths
from prior_bench.errors import BenchError, NotThereError, unknown_name
from prior_bench.registry import CARDS
from prior_bench.schema.errors import checked
from prior_bench.schema.model import FILE, ModelCard

FOLDER = "models"
"""Folder of shipped cards, and of weights under the data root."""
HUB = "https://huggingface.co/"
EMBEDDINGS = ("embeddings.parquet", "embeddings.npz")
"""Files in the folder of a model that cannot be loaded, with vectors that its own code has computed."""


def shipped() -> dict[str, dict[str, Any]]:
    """Return the cards of this package by name, as plain types (entry point ``prior_bench.cards``)."""
    files = sorted((paths.shipped("configs") / FOLDER).glob("*.json"))
    return {file.stem: _read(file) for file in files}


def card_names() -> list[str]:
    """Return the names of all cards, in alphabetical order."""
    return sorted(_as_stored())


def card_as_stored(name: str) -> dict[str, Any] | None:
    """Return the card of a model as plain types, or None if there is none of this name."""
    return _as_stored().get(name)


def model_cards() -> dict[str, ModelCard]:
    """Return all cards by name, in alphabetical order.

    Raises:
        BenchError: a card has wrong keys or values.
    """
    return {name: model_card(name) for name in card_names()}


@cache
def model_card(name: str) -> ModelCard:
    """Return the card of a model.

    Raises:
        BenchError: there is none of this name, or it has wrong keys or values.
    """
    cards = _as_stored()
    if name not in cards:
        raise unknown_name("model", name, card_names(), where="prior-bench list models")
    return checked(ModelCard, cards[name], f"model card '{name}'", "the card cannot be used:")


def place_of(name: str) -> Path:
    """Return where the weights of a model are expected: ``models/NAME/FILE`` under the data root.

    For models of a hub, it is the folder ``models/NAME``, which is used in place of the hub if it exists. For
    models that cannot be loaded, it is a file of embeddings.
    """
    card, folder = model_card(name), paths.data_root() / FOLDER / name
    if card.row is not None:
        return folder / card.weights.file
    found = [folder / file for file in EMBEDDINGS if (folder / file).is_file()]
    return found[0] if found else folder / EMBEDDINGS[0]


def row_of(name: str, weights: str | None = None) -> dict[str, Any]:
    """Return the row that loads a model, without a row's name.

    Args:
        name: of the card.
        weights: the file or folder; by default :func:`place_of`, or the hub for models that are on one. A
            file of embeddings stands for any model.

    Raises:
        BenchError: the card is unknown.
    """
    card, expected = model_card(name), place_of(name)
    row, place = card.row_arguments(), weights or str(expected)
    if not row or Path(place).suffix in (".npz", ".parquet"):
        return {"type": "embeddings", "file": place}
    if card.weights.file:
        return {
            k: value.replace(FILE, place) if isinstance(value, str) else value for k, value in row.items()
        }
    if weights or expected.exists():
        row["file" if row["type"] == "timm" else "model"] = place
    return row


def absent_weights(name: str, weights: str | None = None) -> BenchError | None:
    """Return the error if the weights file of a model is not there; None for models of a hub."""
    card = model_card(name)
    place = Path(weights) if weights else place_of(name)
    if place.exists() or not (weights or card.weights.file or card.row is None):
        return None
    if card.row is None:
        what, put = (
            f"{card.title} cannot be loaded, and its embeddings are not there",
            "put a file of embeddings",
        )
        why = f"{card.limits} Weights: {how_to_get(card)}"
        return NotThereError(what, where=place, fix=f"{put} there, or name it: {name}@FILE. {why}")
    what, put = f"the weights of {card.title} are not there", "put the file there, or name it"
    return NotThereError(what, where=place, fix=f"get them: {how_to_get(card)}; {put}: {name}@PATH")


def how_to_get(card: ModelCard) -> str:
    """Return where the weights of a model are had, in words."""
    return card.weights.where + (f" ({card.weights.link})" if card.weights.link else "")


def how_to_place(name: str) -> str:
    """Return how the weights of a hub's model come to a machine without network."""
    card = model_card(name)
    row, place = card.row_arguments(), place_of(name)
    reference = str(row.get("model", ""))
    fix = f"get them: {how_to_get(card)}"
    if row["type"] == "timm" and card.weights.link.startswith(HUB):
        reference = card.weights.link.removeprefix(HUB)
    if row["type"] == "hf" or (reference and card.weights.link == HUB + reference):
        fix += f"; on a machine with network: hf download {reference} --local-dir {place}"
        return f"{fix}; copy the folder here"
    if row["type"] == "open_clip":
        architecture = reference.partition("/")[0]
        return f"{fix}; or copy the file here and name it: open_clip:{architecture}@FILE"
    return fix


def exposure_of_model(reference: str) -> list[tuple[str, str]]:
    """Return what is known of the training data of a library's model, by the name that its card has for it.

    Args:
        reference: name on the hub, with or without a revision, or the library's own name.
    """
    name = reference.partition("@")[0]
    found: dict[str, str] = {}
    for card, values in _as_stored().items():
        if (values.get("row") or {}).get("model") == name:
            found |= model_card(card).trained_on
    return list(found.items())


@cache
def _as_stored() -> dict[str, dict[str, Any]]:
    """Return the cards as plain types, before they are checked."""
    return {name: values for source in CARDS.names() for name, values in CARDS.get(source)().items()}


def _read(file: Path) -> dict[str, Any]:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BenchError(f"is no JSON: {error}", where=file) from error
