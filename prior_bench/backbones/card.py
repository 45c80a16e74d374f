"""Public models by the name of their card, as backbones."""

from __future__ import annotations

from typing import Any

from prior_bench.api import Backbone, LoadContext
from prior_bench.errors import BenchError, ErrorList, NotThereError
from prior_bench.models.cards import absent_weights, how_to_place, model_card, row_of
from prior_bench.registry import BACKBONES
from prior_bench.schema.arguments import argument_errors

CHANGES = ("tokenizer", "input", "pool", "remote_code", "image_encoder", "text_encoder")
"""Arguments of the row in a card that a row of a suite may change, if the row's type takes them."""


class CardModel:
    """A public model that has a card, loaded as the card says, with the training data that the card knows.

    Args:
        name: row label.
        model: name of the card (``prior-bench list models``).
        weights: its file or folder, or a file of its embeddings; by default ``models/NAME`` under the data
            root, or the hub.
        tokenizer, input, pool, remote_code, image_encoder, text_encoder: in place of the card's, if its
            type takes them. Fields of ``input`` are added to the card's.

    Raises:
        BenchError: there is no such card, or its type does not take an argument.
    """

    def __init__(
        self,
        name: str,
        model: str,
        weights: str | None = None,
        tokenizer: str | None = None,
        input: dict[str, Any] | None = None,
        pool: str | None = None,
        remote_code: str | None = None,
        image_encoder: dict[str, Any] | str | None = None,
        text_encoder: str | None = None,
    ):
        self.name, self._model, self._weights = name, model, weights
        row = row_of(model, weights)
        given = (tokenizer, input, pool, remote_code, image_encoder, text_encoder)
        changes = {key: value for key, value in zip(CHANGES, given, strict=True) if value is not None}
        if input is not None:
            changes["input"] = {**(row.get("input") or {}), **input}
        kind = BACKBONES.get(row.pop("type"))
        arguments = {"name": name, **row, **changes}
        if errors := argument_errors(kind, arguments, f"model '{model}'"):
            raise ErrorList("unknown or missing arguments:", errors)
        self._source = kind(**arguments)

    def __getattr__(self, name: str) -> Any:
        """Return what the source of the card's type has: ``has_text``, ``method_class``, ``stored`` …"""
        if name.startswith("__") or name == "_source":
            raise AttributeError(name)
        return getattr(self._source, name)

    def absent(self) -> BenchError | None:
        """Return the error if the weights file is not there, with the place where it is had."""
        return absent_weights(self._model, self._weights)

    def check(self) -> None:
        """Raise BenchError if the weights are not there or cannot be used."""
        if (absent := self.absent()) is not None:
            raise absent
        try:
            self._source.check()
        except NotThereError as error:
            raise NotThereError(error.what, where=error.where, fix=how_to_place(self._model)) from error

    def identity(self, seed: int) -> str:
        """Return the identity of the card's source: that of the same row without a card."""
        return self._source.identity(seed)

    def load(self, seed: int, context: LoadContext) -> Backbone:
        """Load the model; its provenance names the card."""
        backbone = self._source.load(seed, context)
        backbone.provenance["card"] = self._model
        return backbone

    def known_exposure(self) -> list[tuple[str, str]]:
        """Return the data sets that the weights were trained on, by the card and by the file."""
        told: dict[str, str] = dict(model_card(self._model).trained_on)
        source = self._source
        if self.absent() is None and hasattr(source, "known_exposure"):
            told |= dict(source.known_exposure())
        return list(told.items())
