"""Models of transformers as backbones: a folder, or a name on the Hugging Face hub."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from prior_bench.api import Backbone, LoadContext
from prior_bench.backbones.image_encoders import hash_of, made_backbone
from prior_bench.errors import BenchError
from prior_bench.libraries.folders import ModelFolder
from prior_bench.libraries.towers import TwoTowers
from prior_bench.libraries.vision import indivisible, require_divisible
from prior_bench.models.cards import exposure_of_model
from prior_bench.versions import machinery, raised


class TransformersModel:
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

    def __init__(
        self,
        name: str,
        model: str,
        tokenizer: str | None = None,
        input: dict[str, Any] | None = None,
        pool: str | None = None,
        remote_code: str | None = None,
    ):
        self.name, self._model = name, model
        self._given_tokenizer, self._input, self._pool = tokenizer, dict(input or {}), pool
        self._remote_code = remote_code

    @property
    def has_text(self) -> bool:
        """Whether the model has a text tower whose tokenizer can be loaded."""
        try:
            return self._found.is_two_towers and not self.text_problem
        except BenchError:
            return False  # check tells why

    @cached_property
    def text_problem(self) -> str:
        """Why the text tower cannot be used; empty if it can be used or there is none."""
        if not self._found.is_two_towers:
            return ""
        try:
            _ = self._tokenizer
        except BenchError as error:
            return str(error)
        return ""

    @property
    def method_class(self) -> type | None:
        """The class of two-tower models, or None."""
        return TwoTowers if self.has_text else None

    def check(self) -> None:
        """Raise BenchError if the model cannot be loaded; for safetensors, only headers are read."""
        from prior_bench.libraries.transformers.load import require_weights

        found = self._found
        require_divisible(found.input.size, found.patch, self._model)
        if self._given_tokenizer is not None:
            if not found.is_two_towers:
                raise BenchError("has no text tower for this tokenizer", where=self._model)
            _ = self._tokenizer
        if self._place.is_local or self._place.has_weights:
            require_weights(found)
        else:
            self._place.require_reachable()

    def size_problem(self, size: int) -> str:
        """Why the image encoder cannot take images of ``size`` pixels; empty if it can."""
        return indivisible(size, self._found.patch)

    def identity(self, seed: int) -> str:
        """Hash the folder's content (of the hub: the commit) and how it is used; the seed has no effect."""
        use = [self._input, self._pool, raised(machinery(("libraries",)))]
        if self._given_tokenizer is not None:
            use.append(ModelFolder(self._given_tokenizer).content())
        return hash_of("transformers", self._place.content(), *use)

    def confirms(self, seed: int, provenance: dict[str, Any], context: LoadContext) -> str:
        """Return "" if the model's content equals that of a record, otherwise a reason."""
        noted = provenance.get("backbone", {}).get("content")
        return (
            "" if noted == self._place.content() else "the record has another content of the model's folder"
        )

    def known_exposure(self) -> list[tuple[str, str]]:
        """Return what the model's card says of its training data; nothing for models without a card."""
        return exposure_of_model(self._model)

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
            "content": self._place.content(),
            "text": self.text_problem or ("yes" if method is not None else "none in the model"),
            **({"remote_code": self._remote_code} if self._remote_code else {}),
            **self._place.provenance(),
        }
        return made_backbone(self.name, encoder, method, self.identity(seed), told)

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
        return describe(folder, self._input, self._pool, self._remote_code is not None)

    @cached_property
    def _tokenizer(self) -> Any:
        from prior_bench.libraries.transformers.load import load_tokenizer

        return load_tokenizer(self._found, self._given_tokenizer)
