"""Random weights, the baseline row of every comparison."""

from __future__ import annotations

from typing import Any

from prior_bench.api import Backbone, LoadContext
from prior_bench.backbones.image_encoders import (
    check_encoder,
    drawn_encoder,
    encoder_arguments,
    encoder_versions,
    hash_of,
    made_backbone,
    size_problem,
)
from prior_bench.data.references import resolve
from prior_bench.data.versions import data_versions
from prior_bench.errors import BenchError
from prior_bench.registry import METHODS
from prior_bench.versions import raised


class RandomInit:
    """Random weights, drawn with the seed of the run.

    Args:
        name: row label.
        config: name or path of a pre-training config. Its method is not trained, but its tokenizer is trained
            on the same corpus, so that zero-shot classification and retrieval are defined.
        image_encoder: arguments of ImageEncoder or a timm model's name, instead of ``config``; there is then
            no text encoder.
        overrides: dotted keys of ``config`` to change, with their values.
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
        """Raise BenchError if the config cannot be used."""
        if self._config_name is not None:
            _ = self._config
        else:
            check_encoder(self._encoder)

    @property
    def _config(self) -> Any:
        from prior_bench.pretraining.config import load_config

        assert self._config_name is not None, "only requested for a backbone with a config"
        return load_config(self._config_name, self._overrides)

    @property
    def method_class(self) -> type | None:
        """The class of the config's method; None without a config."""
        return None if self._config_name is None else METHODS.get(self._config.method["type"])

    def size_problem(self, size: int) -> str:
        """Why the image encoder cannot take images of ``size`` pixels; empty if it can."""
        return "" if self._config_name is not None else size_problem(self._encoder, size)

    def identity(self, seed: int) -> str:
        """Hash the architecture, the seed and, with a text encoder, the corpus of its tokenizer."""
        if self._config_name is None:
            return hash_of("random", self._sized, seed, encoder_versions(self._encoder))
        from prior_bench.pretraining.identity import data_fingerprint, determining, method_versions

        config = self._config
        parts = (
            config.method,
            config.vocab_size,
            determining(config)["data"],
            raised({**method_versions(config.method), **data_versions(resolve(config.data.dataset))}),
        )
        return hash_of("random", parts, data_fingerprint(config.data), seed)

    @property
    def _sized(self) -> dict[str, Any]:
        """The image encoder's arguments, with the size of one whose embeddings have another one than 224."""
        from prior_bench.encoders.image import native_size

        native = native_size(self._encoder["model_name"])
        if native in (None, 224) or "size" in (self._encoder.get("input") or {}):
            return self._encoder
        return {**self._encoder, "size": native}

    def confirms(self, seed: int, provenance: dict[str, Any], context: LoadContext) -> str:
        """Return "" if input and number of parameters equal those of a record, otherwise a reason."""
        encoder = self.load(seed, context).image_encoder
        parameters = sum(p.numel() for p in encoder.parameters())
        noted = provenance.get("input"), provenance.get("parameters")
        same = noted == (encoder.input.to_dict(), parameters)
        return "" if same else "its image encoder is not the one of today's config"

    def load(self, seed: int, context: LoadContext) -> Backbone:
        """Make the random backbone; this needs no GPU and writes no files."""
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
