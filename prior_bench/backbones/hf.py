"""Models of transformers as backbones: a folder, or a name on the Hugging Face hub."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

from prior_bench.api import Backbone, LoadContext
from prior_bench.backbones.image_encoders import made_backbone
from prior_bench.backbones.library_model import LibraryModel
from prior_bench.errors import BenchError
from prior_bench.libraries.folders import ModelFolder

HUB_NAME = re.compile(r"\w[\w.-]*/[\w.-]+")
"""What a name on the hub may look like; a folder can be named so that it is none: ``./ORG/NAME``."""


class TransformersModel(LibraryModel):
    """A vision model or a two-tower model that transformers builds, with its own processor and tokenizer.

    Args:
        name: row label.
        model: a folder with ``config.json``, or a name on the hub, ``"ORG/NAME"`` or ``"ORG/NAME@REVISION"``.
        tokenizer: folder of the tokenizer, if the model's has none.
        input: fields of InputSpec to change, e.g. ``dict(size=384)``; required for what the folder does not
            state.
        pool: ``"cls"``, ``"mean"`` or ``"pooler"``, in place of the pooling of the model's family.
        remote_code: name of the model (``"NAME"``) whose own code may be run. Without it, no code from the
            hub is run.
    """

    library = "transformers"

    def __init__(
        self,
        name: str,
        model: str,
        tokenizer: str | None = None,
        input: dict[str, Any] | None = None,
        pool: str | None = None,
        remote_code: str | None = None,
    ):
        super().__init__(name, model, tokenizer, input)
        self._pool, self._remote_code = pool, remote_code

    def check(self) -> None:
        """Raise BenchError if the model cannot be loaded; for safetensors, only headers are read."""
        from prior_bench.libraries.transformers.load import require_weights

        self._require_parts()
        if self._place.is_local or self._place.has_weights:
            require_weights(self._found)
        else:
            self._place.require_reachable()

    def load(self, seed: int, context: LoadContext) -> Backbone:
        """Load the model; weights of the hub that are not in its cache are downloaded."""
        from prior_bench.libraries.transformers.encoder import TransformersEncoder
        from prior_bench.libraries.transformers.load import build
        from prior_bench.libraries.transformers.towers import TransformersTowers

        self._place.fetch_weights()
        found, method = self._found, None
        model = build(found)
        if self.has_text:
            method = TransformersTowers(model, found, self._tokenizer)
            encoder = method.image_encoder
        else:
            encoder = TransformersEncoder(model.vision_model if found.is_two_towers else model, found)
        told = {
            "source": "transformers",
            "model": self._model,
            "class": type(model).__name__,
            "pool": found.pool,
            "content": self._content,
            "text": self.text_problem or ("yes" if method is not None else "none in the model"),
            **({"remote_code": self._remote_code} if self._remote_code else {}),
            **self._place.provenance(),
        }
        return made_backbone(self.name, encoder, method, self.identity(seed), told)

    def _use(self) -> list[Any]:
        """The changes of the input and of the pooling."""
        return [self._input, self._pool]

    @cached_property
    def _content(self) -> str:
        return self._place.content()

    @cached_property
    def _place(self) -> ModelFolder:
        return ModelFolder(self._model)

    @cached_property
    def _found(self) -> Any:
        from prior_bench.libraries.transformers.describe import describe

        folder = self._place.folder
        if self._remote_code is not None and self._remote_code != self._place.short_name:
            what = f"remote_code is '{self._remote_code}', but the model is '{self._place.short_name}'"
            raise BenchError(what, where=self._model, fix="name the model whose code you trust")
        if self._remote_code is not None and self._place.is_local and HUB_NAME.fullmatch(self._model):
            what = "is a name of the hub and a folder here: it is not clear whose code may run"
            raise BenchError(what, where=self._model, fix=f"if the folder is meant: ./{self._model}")
        return describe(folder, self._input, self._pool, self._remote_code is not None)

    @cached_property
    def _tokenizer(self) -> Any:
        from prior_bench.libraries.transformers.load import load_tokenizer

        return load_tokenizer(self._found, self._given_tokenizer)
