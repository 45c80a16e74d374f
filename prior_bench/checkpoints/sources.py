"""Sources of weights that need no training and no file of ours: random and timm's."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from prior_bench.api import Backbone, LoadContext
from prior_bench.errors import BenchError


class RandomInit:
    """Random weights, drawn with the run's seed.

    Args:
        name: row label.
        config: name or path of a pre-training config: its method, untrained (so that zero-shot and
            retrieval of a random model are defined), its tokenizer trained on the same corpus.
        image_encoder: instead of ``config``, arguments of ImageEncoder or a timm model's name: no text tower.
        overrides: dotted keys to change in ``config``.
    """

    def __init__(
        self,
        name: str,
        config: str | None = None,
        image_encoder: dict[str, Any] | str | None = None,
        overrides: dict[str, Any] | None = None,
    ):
        self.name, self._config_name, self._overrides = name, config, overrides
        self._encoder = encoder_arguments(image_encoder)
        self.has_text = config is not None
        if (config is None) == (image_encoder is None):
            raise BenchError("give either 'config' or 'image_encoder'", where=f"backbone '{name}'")

    def check(self) -> None:
        """Raise BenchError where the config cannot work."""
        if self._config_name is not None:
            _ = self._config
        else:
            check_encoder(self._encoder)

    @property
    def _config(self) -> Any:
        from prior_bench.pretraining.config import load_config

        return load_config(self._config_name, self._overrides)

    def identity(self, seed: int) -> str:
        """Hash of the architecture, the seed and, with a text tower, the corpus of its tokenizer."""
        if self._config_name is None:
            return hash_of("random", self._encoder, seed, encoder_code())
        from prior_bench.pretraining.identity import method_code
        from prior_bench.pretraining.source import data_fingerprint

        config = self._config
        parts = (
            config.method,
            config.vocab_size,
            config.determining()["data"],
            method_code(config.method["type"]),
        )
        return hash_of("random", parts, data_fingerprint(config.data), seed)

    def load(self, seed: int, context: LoadContext) -> Backbone:
        """The random backbone; needs no GPU and writes nothing."""
        provenance = {"source": "random initialisation", "seed": seed}
        if self._config_name is None:
            encoder = drawn_encoder(self._encoder, seed)
            return made_backbone(self.name, encoder, None, self.identity(seed), provenance)
        from prior_bench.pretraining.dataset import read_pairs
        from prior_bench.pretraining.model import build_method

        config = self._config
        method = build_method(config, read_pairs(config.data).corpus(), seed)
        provenance |= {"config": config.name, "method": config.method["type"]}
        return made_backbone(self.name, method.image_encoder, method, self.identity(seed), provenance)


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
        self._encoder = {**encoder_arguments(image_encoder), "pretrained": file or True}

    def check(self) -> None:
        """Raise BenchError for an unknown model or a missing file."""
        check_encoder(self._encoder)
        if self._file is not None and not Path(self._file).is_file():
            raise BenchError("no such weights file", where=self._file)

    def identity(self, seed: int) -> str:
        """Hash of the model's name and timm's version, or of the file; the seed does not matter."""
        from prior_bench.checkpoints.files import sha256

        origin = sha256(self._file) if self._file else version("timm")
        return hash_of("timm", {**self._encoder, "pretrained": origin}, encoder_code())

    def load(self, seed: int, context: LoadContext) -> Backbone:
        """The backbone; fetches the weights where the hub's cache lacks them."""
        from prior_bench.encoders.image import ImageEncoder

        provenance = {"source": "timm weights", "model": self._encoder["model_name"], "file": self._file}
        return made_backbone(self.name, ImageEncoder(**self._encoder), None, self.identity(seed), provenance)


def made_backbone(
    name: str, encoder: Any, method: Any, identity: str, provenance: dict[str, Any]
) -> Backbone:
    """A backbone in evaluation mode; ``method`` is None where only the image encoder is there."""
    (method if method is not None else encoder).eval()
    return Backbone(name, encoder, method, encoder.input, identity, provenance)


def encoder_arguments(given: dict[str, Any] | str | None) -> dict[str, Any]:
    """Arguments of ImageEncoder from a row's ``image_encoder``; a ResNet-50 where no model is named."""
    arguments = {"model_name": given} if isinstance(given, str) else dict(given or {})
    return {"model_name": "resnet50", **arguments}


def drawn_encoder(arguments: dict[str, Any], seed: int) -> Any:
    """An ImageEncoder whose weights depend on the seed alone; the random generator stays where it was."""
    import torch

    from prior_bench.encoders.image import ImageEncoder

    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return ImageEncoder(**arguments)


def check_encoder(arguments: dict[str, Any]) -> None:
    """Raise ErrorList where ImageEncoder does not take these arguments."""
    import inspect

    from prior_bench.encoders.image import ImageEncoder, known_model
    from prior_bench.errors import ErrorList, unknown_name

    known = list(inspect.signature(ImageEncoder).parameters)
    errors = [
        unknown_name("argument", key, known, where="image_encoder") for key in arguments if key not in known
    ]
    try:
        known_model(arguments["model_name"])
    except BenchError as error:
        errors.append(error)
    if errors:
        raise ErrorList("this image encoder cannot be made:", errors)


def encoder_code() -> str:
    """Version of the encoders' code."""
    from prior_bench.engine.code import code_version

    return code_version("prior_bench.encoders")


def hash_of(*parts: Any) -> str:
    """Short hash of plain values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]
