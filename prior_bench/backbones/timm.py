"""timm's own pre-trained weights, such as ImageNet's."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

from prior_bench.api import Backbone, LoadContext
from prior_bench.backbones.image_encoders import (
    check_encoder,
    encoder_arguments,
    encoder_versions,
    hash_of,
    made_backbone,
)
from prior_bench.errors import BenchError


class TimmWeights:
    """timm's own pre-trained weights, such as ImageNet's; no text tower.

    Args:
        name: row label.
        image_encoder: arguments of ImageEncoder or a timm model's name, with or without its weights' tag.
        file: the weights as a file, where the hub cannot be reached.
    """

    has_text = False

    def __init__(self, name: str, image_encoder: dict[str, Any] | str, file: str | None = None):
        self.name, self._file = name, file
        self._encoder = {**encoder_arguments(image_encoder), "pretrained": file is None}

    def check(self) -> None:
        """Raise BenchError for an unknown model or a missing file."""
        check_encoder(self._encoder)
        if self._file is not None and not Path(self._file).is_file():
            raise BenchError("no such weights file", where=self._file)

    def identity(self, seed: int) -> str:
        """Hash of the model's name and timm's version, or of the file; the seed does not matter."""
        from prior_bench.checkpoints.files import sha256

        origin = sha256(self._file) if self._file else version("timm")
        return hash_of(
            "timm",
            {**self._encoder, "pretrained": origin},
            encoder_versions(*(["checkpoints"] if self._file else [])),
        )

    def confirms(self, seed: int, provenance: dict[str, Any], context: LoadContext) -> str:
        """The weights are those of a record where the file, or else timm's version, is the same."""
        from prior_bench.checkpoints.files import sha256

        if self._file:
            noted = provenance.get("backbone", {}).get("sha256")
            return (
                "" if noted == sha256(self._file) else "the record does not name this weights file's content"
            )
        noted = provenance.get("versions", {}).get("timm")
        return "" if noted == version("timm") else f"its weights are of timm {noted}"

    def load(self, seed: int, context: LoadContext) -> Backbone:
        """The backbone; fetches the weights where the hub's cache lacks them."""
        from prior_bench.checkpoints.recognise import load_image_weights
        from prior_bench.encoders.image import ImageEncoder

        encoder = ImageEncoder(**self._encoder)
        if self._file is not None:
            load_image_weights(encoder, self._file)
        provenance = {"source": "timm weights", "model": self._encoder["model_name"], "file": self._file}
        return made_backbone(self.name, encoder, None, self.identity(seed), provenance)
