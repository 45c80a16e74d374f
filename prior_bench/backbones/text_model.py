"""The text encoder of a released image encoder, if it is in another place: a folder or a name on the hub.

The custom class that such a folder names is not run: its tensors become those of our method, name by name.
"""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import Tensor

from prior_bench.checkpoints.files import read_tensors
from prior_bench.checkpoints.layouts import TEXT_MODEL, Match, ReleasedLayout, match, shapes_of
from prior_bench.errors import BenchError
from prior_bench.io.bounded import json_text
from prior_bench.libraries.folders import ModelFolder, require_shards

FIELDS = (
    *("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size"),
    *("max_position_embeddings", "type_vocab_size", "vocab_size", "layer_norm_eps", "hidden_act"),
)
"""Keys of a BERT's ``config.json`` that its vectors depend on."""


def absent_text(layout: ReleasedLayout, separate: bool) -> str:
    """Return why the text encoder of a layout cannot be used.

    Args:
        layout: with a text encoder.
        separate: whether the text encoder itself is missing, not only its tokenizer.
    """
    key, what, form = "tokenizer", "tokenizer for the text encoder", "a folder or vocab.txt"
    if separate:
        key, what, form = "text_encoder", "text encoder", "the folder"
    flag = f"--{key.replace('_', '-')}"
    return (
        f"no {what} of {layout.name}: give {flag} PATH, or {key}='PATH' in the suite's row "
        f"({form} of {layout.tokenizer})"
    )


class SeparateText:
    """A text encoder beside the file of its image encoder.

    Args:
        reference: a folder, or a name on the hub with or without ``"hf:"``.
        layout: layout of both encoders together.
    """

    def __init__(self, reference: str, layout: ReleasedLayout):
        self.reference, self.layout = reference, layout
        self._place = ModelFolder(reference.removeprefix("hf:"))

    @property
    def folder(self) -> Path:
        """The folder with at least the small files.

        Raises:
            BenchError: it cannot be obtained.
        """
        return self._place.folder

    def check(self) -> None:
        """Raise BenchError if the folder has another architecture than the layout."""
        self._require_config(self.folder / "config.json")

    @property
    def is_here(self) -> bool:
        """Whether the weights are on this machine."""
        return self._place.is_local or self._place.has_weights

    def content(self) -> str:
        """Return the commit of a name on the hub, or a hash of the folder's content."""
        return self._place.content()

    def joined(self, found: Match, tensors: dict[str, Tensor]) -> tuple[Match, dict[str, Tensor]]:
        """Return the match and the tensors of both encoders; weights of the hub are downloaded if needed.

        Args:
            found: match of the image file.
            tensors: its tensors.

        Raises:
            BenchError: the tensors of both do not fit the layout.
        """
        from prior_bench.backbones.released import wanted_shapes

        whole = {**tensors, **{f"{found.wrapper}{TEXT_MODEL}{name}": t for name, t in self._tensors.items()}}
        both = match(self.layout, found.wrapper, shapes_of(whole), wanted_shapes(self.layout.name))
        both.require_complete(self.reference)
        return both, whole

    @cached_property
    def _tensors(self) -> dict[str, Tensor]:
        self._place.fetch_weights()
        found: dict[str, Tensor] = {}
        for file in require_shards(self.folder):
            found |= read_tensors(file)
        return found

    def _require_config(self, path: Path) -> None:
        from transformers import BertConfig

        try:
            stated = json.loads(json_text(path))
        except FileNotFoundError:
            what = f"there is no config.json of the text encoder of {self.layout.name}"
            raise BenchError(what, where=self.reference, fix=self._fix) from None
        except (OSError, ValueError, RecursionError) as error:
            raise BenchError(f"cannot be read: {error}", where=path, fix="download it again") from error
        given = {key: value for key, value in self._config.items() if key != "model_type"}
        wanted = BertConfig(**given, vocab_size=self.layout.vocabulary)
        plain = BertConfig()  # a config.json leaves out what is as in BERT
        stated = stated if isinstance(stated, dict) else {}
        differ = [
            f"{key} is {stated.get(key, getattr(plain, key))!r} instead of {getattr(wanted, key)!r}"
            for key in FIELDS
            if stated.get(key, getattr(plain, key)) != getattr(wanted, key)
        ]
        if differ:
            what = f"is not the text encoder of {self.layout.name}: {'; '.join(differ)}"
            raise BenchError(what, where=path, fix=self._fix)

    @property
    def _config(self) -> dict[str, Any]:
        return self.layout.method["text_encoder"]["config"]

    @property
    def _fix(self) -> str:
        name = self.layout.tokenizer
        return f"give the folder of {name}, e.g. from 'hf download {name} --local-dir FOLDER'"
