"""Sources of weights that need no training: random, timm's, and checkpoint files."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from prior_bench.api import Backbone, LoadContext
from prior_bench.errors import BenchError


def native_backbone(name: str, path: str | Path, identity: str) -> Backbone:
    """A backbone from a checkpoint that prior-bench wrote.

    Raises:
        BenchError: the file is damaged or does not fit its method.
    """
    from prior_bench.checkpoints.native import load_method

    method, info = load_method(path)
    provenance = {"source": "prior-bench checkpoint", "path": str(path), "method": info.method["type"]}
    provenance |= {
        key: info.provenance[key] for key in ("seed", "data", "identity") if key in info.provenance
    }
    return _backbone(name, method.image_encoder, method, identity, provenance)


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
        self._encoder = _encoder_arguments(image_encoder)
        self.has_text = config is not None
        if (config is None) == (image_encoder is None):
            raise BenchError("give either 'config' or 'image_encoder'", where=f"backbone '{name}'")

    def check(self) -> None:
        """Raise BenchError where the config cannot work."""
        if self._config_name is not None:
            _ = self._config
        else:
            _check_encoder(self._encoder)

    @property
    def _config(self) -> Any:
        from prior_bench.pretraining.config import load_config

        return load_config(self._config_name, self._overrides)

    def identity(self, seed: int) -> str:
        """Hash of the architecture, the seed and, with a text tower, the corpus of its tokenizer."""
        if self._config_name is None:
            return _hash("random", self._encoder, seed, _encoder_code())
        from prior_bench.pretraining.identity import method_code
        from prior_bench.pretraining.source import data_fingerprint

        config = self._config
        parts = (
            config.method,
            config.vocab_size,
            config.determining()["data"],
            method_code(config.method["type"]),
        )
        return _hash("random", parts, data_fingerprint(config.data), seed)

    def load(self, seed: int, context: LoadContext) -> Backbone:
        """The random backbone; needs no GPU and writes nothing."""
        import torch

        provenance = {"source": "random initialisation", "seed": seed}
        if self._config_name is None:
            from prior_bench.encoders.image import ImageEncoder

            with torch.random.fork_rng(devices=[]):
                torch.default_generator.manual_seed(seed)
                encoder = ImageEncoder(**self._encoder)
            return _backbone(self.name, encoder, None, self.identity(seed), provenance)
        from prior_bench.pretraining.dataset import read_pairs
        from prior_bench.pretraining.model import build_method

        config = self._config
        method = build_method(config, read_pairs(config.data).corpus(), seed)
        provenance |= {"config": config.name, "method": config.method["type"]}
        return _backbone(self.name, method.image_encoder, method, self.identity(seed), provenance)


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
        self._encoder = {**_encoder_arguments(image_encoder), "pretrained": file or True}

    def check(self) -> None:
        """Raise BenchError for an unknown model or a missing file."""
        _check_encoder(self._encoder)
        if self._file is not None and not Path(self._file).is_file():
            raise BenchError("no such weights file", where=self._file)

    def identity(self, seed: int) -> str:
        """Hash of the model's name and timm's version, or of the file; the seed does not matter."""
        from prior_bench.checkpoints.files import sha256

        origin = sha256(self._file) if self._file else version("timm")
        return _hash("timm", {**self._encoder, "pretrained": origin}, _encoder_code())

    def load(self, seed: int, context: LoadContext) -> Backbone:
        """The backbone; fetches the weights where the hub's cache lacks them."""
        from prior_bench.encoders.image import ImageEncoder

        provenance = {"source": "timm weights", "model": self._encoder["model_name"], "file": self._file}
        return _backbone(self.name, ImageEncoder(**self._encoder), None, self.identity(seed), provenance)


class CheckpointFile:
    """A weights file: ours, or a state dict of a known layout.

    Args:
        name: row label.
        path: the file.
        image_encoder: for foreign files, arguments of ImageEncoder or a timm model's name; guessed where
            not given.
    """

    def __init__(self, name: str, path: str, image_encoder: dict[str, Any] | str | None = None):
        self.name, self.path = name, Path(path)
        self._encoder = None if image_encoder is None else _encoder_arguments(image_encoder)

    @property
    def has_text(self) -> bool:
        """Whether the file is one of ours, which hold whole methods."""
        from prior_bench.checkpoints.native import read_info

        return self.path.is_file() and read_info(self.path) is not None

    def check(self) -> None:
        """Raise BenchError where the file is missing or its architecture unknown."""
        from prior_bench.checkpoints.files import read_metadata

        read_metadata(self.path)
        if self._encoder is not None:
            _check_encoder(self._encoder)

    def identity(self, seed: int) -> str:
        """Hash of the file and of how it is used; the seed does not matter."""
        from prior_bench.checkpoints.files import sha256

        return _hash("checkpoint", sha256(self.path), self._encoder, _encoder_code())

    def load(self, seed: int, context: LoadContext) -> Backbone:
        """The backbone.

        Raises:
            BenchError: the file cannot be read, or is a checkpoint of another architecture.
        """
        from prior_bench.checkpoints.files import read_tensors
        from prior_bench.checkpoints.native import read_info
        from prior_bench.checkpoints.recognise import guess_architecture, load_image_weights
        from prior_bench.encoders.image import ImageEncoder

        if read_info(self.path) is not None:
            return native_backbone(self.name, self.path, self.identity(seed))
        arguments = self._encoder
        if arguments is None:
            model_name, channels = guess_architecture(read_tensors(self.path), self.path)
            arguments = {"model_name": model_name, "in_channels": channels}
        encoder = ImageEncoder(**arguments)
        found = load_image_weights(encoder, self.path)
        provenance = {
            "source": "checkpoint file",
            "path": str(self.path),
            "model": arguments["model_name"],
            **found,
        }
        return _backbone(self.name, encoder, None, self.identity(seed), provenance)


def _backbone(name: str, encoder: Any, method: Any, identity: str, provenance: dict[str, Any]) -> Backbone:
    (method if method is not None else encoder).eval()
    return Backbone(name, encoder, method, encoder.input, identity, provenance)


def _encoder_arguments(given: dict[str, Any] | str | None) -> dict[str, Any]:
    arguments = {"model_name": given} if isinstance(given, str) else dict(given or {})
    return {"model_name": "resnet50", **arguments}


def _check_encoder(arguments: dict[str, Any]) -> None:
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


def _encoder_code() -> str:
    from prior_bench.engine.code import code_version

    return code_version("prior_bench.encoders")


def _hash(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]
