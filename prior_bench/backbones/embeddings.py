"""Files of embeddings as backbones: vectors that any model has computed, such as one behind an API."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

from prior_bench.api import Backbone, LoadContext
from prior_bench.backbones.embedding_formats import read_embeddings
from prior_bench.backbones.image_encoders import hash_of, made_backbone
from prior_bench.backbones.stored_embeddings import StoredEmbeddings
from prior_bench.data.cards import card
from prior_bench.errors import BenchError, unknown_name
from prior_bench.registry import DATASETS


class EmbeddingFile:
    """Stored vectors of images and, optionally, of texts (docs/embeddings.md).

    Args:
        name: label of the row.
        file: an ``.npz`` or ``.parquet`` file.
    """

    def __init__(self, name: str, file: str):
        self.name, self._file = name, Path(file)

    @cached_property
    def stored(self) -> StoredEmbeddings:
        """The content of the file.

        Raises:
            BenchError: the file does not exist or cannot be used.
        """
        return read_embeddings(self._file)

    def __getstate__(self) -> dict[str, Any]:
        """Without the content: other processes read the file, which may be large, themselves."""
        return {name: value for name, value in vars(self).items() if name != "stored"}

    @property
    def has_text(self) -> bool:
        """Whether the file has vectors of texts."""
        return self._file.is_file() and self.stored.has_texts

    @property
    def text_problem(self) -> str:
        """Why images cannot be compared with texts; empty if they can."""
        return "" if self.has_text else "the file of embeddings has no vectors of texts"

    def check(self) -> None:
        """Raise BenchError if the file does not exist or cannot be used."""
        for name in self.stored.trained_on:
            if name not in DATASETS.names():
                raise unknown_name("data set", name, DATASETS.names(), where=f"{self._file}: trained_on")

    def identity(self, seed: int) -> str:
        """Hash the content; the order of its rows, the format of the file and the seed have no effect."""
        return hash_of("embeddings", self.stored.content)

    def confirms(self, seed: int, provenance: dict[str, Any], context: LoadContext) -> str:
        """Return "" if a record has the same vectors, otherwise a reason."""
        noted = provenance.get("backbone", {}).get("content")
        return "" if noted == self.stored.content else "the record has another hash of the embeddings"

    def load(self, seed: int, context: LoadContext) -> Backbone:
        """Return a backbone whose encoders are placeholders and whose vectors are stored."""
        from prior_bench.backbones.stored_modules import StoredImageEncoder, StoredMethod

        stored = self.stored
        encoder = StoredImageEncoder(stored.vectors.shape[1])
        method = StoredMethod(encoder) if stored.has_texts else None
        provenance = {
            "source": "stored embeddings",
            "file": str(self._file),
            "content": stored.content,
            "images": len(stored.ids),
            "texts": len(stored.texts),
            "of": {key: value for key, value in stored.about.items() if key != "exposure"},
        }
        backbone = made_backbone(self.name, encoder, method, self.identity(seed), provenance)
        backbone.stored = stored
        return backbone

    def training_data(self) -> list[dict[str, Any]]:
        """Return the training data of the model, where ``prior-bench embed`` knew it."""
        return self._exposure("training_data")

    def known_exposure(self) -> list[tuple[str, str]]:
        """Return the data sets whose patients the model has seen, each with a clause that says so."""
        told = [(str(space), str(clause)) for space, clause in self._exposure("known_exposure")]
        for name in self.stored.trained_on:
            found = card(name)
            clause = f"the file of embeddings states that its model was trained on {name}"
            told.append(((found.patients if found else "") or name, clause))
        return told

    def _exposure(self, kind: str) -> list[Any]:
        exposure = self.stored.about.get("exposure", {})
        found = exposure.get(kind, []) if isinstance(exposure, dict) else None
        pairs = kind == "known_exposure"
        if isinstance(found, list) and all(
            (isinstance(one, list) and len(one) == 2) if pairs else isinstance(one, dict) for one in found
        ):
            return found
        raise BenchError(f"is not what prior-bench embed writes: {kind}", where=f"{self._file}: about")
