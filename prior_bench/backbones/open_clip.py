"""Models of open_clip as backbones: a folder, a name on the hub, or a model that open_clip knows."""

from __future__ import annotations

from functools import cached_property
from importlib.metadata import version
from typing import Any

from prior_bench.api import Backbone, LoadContext
from prior_bench.backbones.image_encoders import hash_of, made_backbone
from prior_bench.errors import BenchError
from prior_bench.libraries.folders import ModelFolder
from prior_bench.libraries.towers import TwoTowers
from prior_bench.libraries.vision import indivisible, require_divisible
from prior_bench.models.cards import exposure_of_model
from prior_bench.versions import machinery, raised


class OpenClipModel:
    """An image-text model that open_clip builds, with its own preprocessing and tokenizer.

    Args:
        name: row label.
        model: a folder with ``open_clip_config.json``, ``"ORG/NAME"`` on the hub, ``"NAME/TAG"`` (a model and
            weights that open_clip knows), or ``"NAME@FILE"`` (a model that it knows, with weights of others).
        tokenizer: folder of the tokenizer, if the model's has none.
        input: fields of InputSpec to change; mean and std are required for ``"NAME@FILE"``.
    """

    def __init__(
        self, name: str, model: str, tokenizer: str | None = None, input: dict[str, Any] | None = None
    ):
        self.name, self._model = name, model
        self._given_tokenizer, self._input = tokenizer, dict(input or {})

    @property
    def has_text(self) -> bool:
        """Whether the tokenizer of the text tower can be loaded."""
        return not self.text_problem

    @cached_property
    def text_problem(self) -> str:
        """Why the text tower cannot be used; empty if it can be used."""
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
        """Raise BenchError if the model cannot be loaded; weights on the hub are not downloaded."""
        from prior_bench.libraries.open_clip.load import require_obtainable, require_weights

        found = self._found
        require_divisible(found.input.size, found.patch, self._model)
        if self._given_tokenizer is not None:
            _ = self._tokenizer
        here = found.place is not None and (found.place.is_local or found.place.has_weights)
        if found.file is not None or here:
            require_weights(found)
        elif found.place is not None:
            found.place.require_reachable()
        else:
            require_obtainable(found)

    def size_problem(self, size: int) -> str:
        """Why the image encoder cannot take images of ``size`` pixels; empty if it can."""
        return indivisible(size, self._found.patch)

    def identity(self, seed: int) -> str:
        """Hash the content of the folder or the file (of the hub: the commit; of a tag: its name) and its
        use.
        """
        use = [self._content, self._input, raised(machinery(("libraries",)))]
        if self._given_tokenizer is not None:
            use.append(ModelFolder(self._given_tokenizer).content())
        return hash_of("open_clip", *use)

    def confirms(self, seed: int, provenance: dict[str, Any], context: LoadContext) -> str:
        """Return "" if the model's content equals that of a record, otherwise a reason."""
        noted = provenance.get("backbone", {}).get("content")
        return "" if noted == self._content else "the record has another content of the model"

    def known_exposure(self) -> list[tuple[str, str]]:
        """Return what the model's card says of its training data; nothing for models without a card."""
        return exposure_of_model(self._model)

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
