"""timm's own pre-trained weights, such as ImageNet's."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

from prior_bench.api import Backbone, LoadContext
from prior_bench.backbones.image_encoders import (
    at_size_of_weights,
    check_encoder,
    encoder_arguments,
    encoder_versions,
    hash_of,
    made_backbone,
    size_problem,
)
from prior_bench.checkpoints.folders import weights_file
from prior_bench.errors import BenchError


class TimmWeights:
    """timm's own pre-trained weights, such as ImageNet's, without a text encoder.

    Args:
        name: row label.
        image_encoder: arguments of ImageEncoder or a timm model's name, with or without a tag of the weights.
        file: weights file, or a folder with one, for machines that cannot reach the hub.

    Raises:
        BenchError: the folder has no weights file.
    """

    has_text = False

    def __init__(self, name: str, image_encoder: dict[str, Any] | str, file: str | None = None):
        self.name, self._file = name, None if file is None else str(weights_file(file))
        self._encoder = {**encoder_arguments(image_encoder), "pretrained": file is None}

    def check(self) -> None:
        """Raise BenchError for an unknown model, a missing file, or weights that cannot be obtained."""
        from prior_bench.encoders.image import require_obtainable

        check_encoder(self._encoder)
        if self._file is None:
            require_obtainable(self._encoder["model_name"])
        if self._file is not None and not Path(self._file).is_file():
            raise BenchError("no such weights file", where=self._file)

    def size_problem(self, size: int) -> str:
        """Why the image encoder cannot take images of ``size`` pixels; empty if it can."""
        return size_problem(self._encoder, size)

    def identity(self, seed: int) -> str:
        """Hash the model's name and timm's version, or the file; the seed has no effect."""
        from prior_bench.checkpoints.files import sha256

        origin = sha256(self._file) if self._file else version("timm")
        further = ["checkpoints"] if self._file else []
        return hash_of(
            "timm",
            {**self._encoder, "pretrained": origin},
            # a file's input was once not timm's at all, so its size and greyscale statistics count too
            encoder_versions({"pretrained": True} if self._file else self._encoder, *further),
        )

    def confirms(self, seed: int, provenance: dict[str, Any], context: LoadContext) -> str:
        """Return "" if the file (or, without one, timm's version) equals a record's, otherwise a reason."""
        from prior_bench.checkpoints.files import sha256

        if self._file:
            noted = provenance.get("backbone", {}).get("sha256")
            return "" if noted == sha256(self._file) else "the record has another hash of the weights file"
        noted = provenance.get("versions", {}).get("timm")
        return "" if noted == version("timm") else f"its weights are from timm {noted}"

    def load(self, seed: int, context: LoadContext) -> Backbone:
        """Load the backbone; weights that are not in the hub's cache are downloaded."""
        from prior_bench.checkpoints.recognise import load_image_weights
        from prior_bench.encoders.image import ImageEncoder, input_of, known_model

        arguments = dict(self._encoder)
        if self._file is not None:
            stated = input_of(known_model(arguments["model_name"]), arguments.get("in_channels", 3))
            changed = arguments.get("input") or {}
            arguments = {**at_size_of_weights({**arguments, "input": stated}), "input": {**stated, **changed}}
        encoder = ImageEncoder(**arguments)
        if self._file is not None:
            load_image_weights(encoder, self._file)
        provenance = {"source": "timm weights", "model": self._encoder["model_name"], "file": self._file}
        return made_backbone(self.name, encoder, None, self.identity(seed), provenance)
