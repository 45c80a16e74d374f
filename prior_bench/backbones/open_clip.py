"""Models of open_clip as backbones: a folder, a name on the hub, or a model that open_clip knows."""

from __future__ import annotations

from functools import cached_property
from importlib.metadata import version
from typing import Any

from prior_bench.api import Backbone, LoadContext
from prior_bench.backbones.image_encoders import made_backbone
from prior_bench.backbones.library_model import LibraryModel


class OpenClipModel(LibraryModel):
    """An image-text model that open_clip builds, with its own preprocessing and tokenizer.

    Args:
        name: row label.
        model: a folder with ``open_clip_config.json``, ``"ORG/NAME"`` on the hub, ``"NAME/TAG"`` (a model and
            weights that open_clip knows), or ``"NAME@FILE"`` (a model that it knows, with weights of others).
        tokenizer: folder of the tokenizer, if the model's has none.
        input: fields of InputSpec to change; mean and std are required for ``"NAME@FILE"``.
    """

    library = "open_clip"

    def check(self) -> None:
        """Raise BenchError if the model cannot be loaded; weights on the hub are not downloaded."""
        from prior_bench.libraries.open_clip.load import require_obtainable, require_weights

        self._require_parts()
        found = self._found
        here = found.place is not None and (found.place.is_local or found.place.has_weights)
        if found.file is not None or here:
            require_weights(found)
        elif found.place is not None:
            found.place.require_reachable()
        else:
            require_obtainable(found)

    def load(self, seed: int, context: LoadContext) -> Backbone:
        """Load the model; weights that are not in a cache are downloaded."""
        from prior_bench.libraries.open_clip.encoder import OpenClipEncoder, OpenClipTowers
        from prior_bench.libraries.open_clip.load import build

        found, method = self._found, None
        model = build(found)
        if self.has_text:
            method = OpenClipTowers(model, found, self._tokenizer)
            encoder = method.image_encoder
        else:
            encoder = OpenClipEncoder(model.visual, found)
        told = {
            "source": "open_clip",
            "model": self._model,
            "class": type(model).__name__,
            "content": self._content,
            "text": self.text_problem or "yes",
            **(found.place.provenance() if found.place is not None else {}),
        }
        return made_backbone(self.name, encoder, method, self.identity(seed), told)

    @cached_property
    def _content(self) -> str:
        from prior_bench.checkpoints.files import sha256

        found = self._found
        if found.place is not None:
            return found.place.content()
        if found.file is not None:
            return f"{self._model.partition('@')[0]} {sha256(found.file)}"
        return f"{self._model} of open_clip {version('open_clip_torch')}"

    @cached_property
    def _found(self) -> Any:
        from prior_bench.libraries.open_clip.describe import describe

        return describe(self._model, self._input)

    @cached_property
    def _tokenizer(self) -> Any:
        from prior_bench.libraries.open_clip.load import load_tokenizer

        return load_tokenizer(self._found, self._given_tokenizer)
