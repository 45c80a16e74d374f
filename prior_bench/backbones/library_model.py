"""What the sources of models of transformers and of open_clip have in common."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from prior_bench.api import LoadContext
from prior_bench.backbones.image_encoders import hash_of
from prior_bench.errors import BenchError
from prior_bench.libraries.folders import ModelFolder
from prior_bench.libraries.towers import TwoTowers
from prior_bench.libraries.vision import indivisible, require_divisible
from prior_bench.models.cards import exposure_of_model
from prior_bench.versions import machinery, raised


class LibraryModel:
    """A model that another library builds.

    A subclass has lazy attributes: ``_found``, the description of the model with ``input``, ``patch`` and
    ``is_two_towers``; ``_tokenizer``; and ``_content``, a text that changes with the weights.

    Args:
        name: row label.
        model: reference of the model.
        tokenizer: folder of the tokenizer, if the model's has none.
        input: fields of InputSpec to change.
    """

    library: str
    """The library's name, in identities."""
    _found: Any
    _tokenizer: Any
    _content: Any

    def __init__(
        self, name: str, model: str, tokenizer: str | None = None, input: dict[str, Any] | None = None
    ):
        self.name, self._model = name, model
        self._given_tokenizer, self._input = tokenizer, dict(input or {})

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

    def size_problem(self, size: int) -> str:
        """Why the image encoder cannot take images of ``size`` pixels; empty if it can."""
        return indivisible(size, self._found.patch)

    def identity(self, seed: int) -> str:
        """Hash the model's content and how it is used; the seed has no effect."""
        use = [*self._use(), raised(machinery(("libraries",)))]
        if self._given_tokenizer is not None:
            use.append(ModelFolder(self._given_tokenizer).content())
        return hash_of(self.library, self._content, *use)

    def confirms(self, seed: int, provenance: dict[str, Any], context: LoadContext) -> str:
        """Return "" if the model's content equals that of a record, otherwise a reason."""
        noted = provenance.get("backbone", {}).get("content")
        return "" if noted == self._content else "the record has another content of the model"

    def known_exposure(self) -> list[tuple[str, str]]:
        """Return what the model's card says of its training data; nothing for models without a card."""
        return exposure_of_model(self._model)

    def _use(self) -> list[Any]:
        """What the user changes of the model, for the identity."""
        return [self._input]

    def _require_parts(self) -> None:
        """Raise BenchError if the input's size or the given tokenizer does not fit the model."""
        require_divisible(self._found.input.size, self._found.patch, self._model)
        if self._given_tokenizer is not None:
            if not self._found.is_two_towers:
                raise BenchError("has no text tower for this tokenizer", where=self._model)
            _ = self._tokenizer
