"""A model in memory as a source of weights."""

from __future__ import annotations

import copy
from typing import Any

from torch import nn

from prior_bench.api import Backbone, LoadContext, StoredVectors
from prior_bench.api.encoders import require_encoder
from prior_bench.backbones.image_encoders import hash_of
from prior_bench.backbones.model_identity import code_of_model, weights_hash
from prior_bench.encoders.probe import probe, probe_method
from prior_bench.errors import BenchError, ErrorList

METHOD_PARTS = ("encode_image", "encode_text", "similarity")
"""Functions that make a module a method: two encoders and a score for pairs."""


class GivenModel:
    """An image encoder, a method or a Backbone in its current state in memory.

    Evaluations use a copy, so that the caller's module keeps its device and mode.

    Args:
        model: an ``nn.Module`` with the contract of :class:`prior_bench.api.encoders.ImageEncoderLike` or of
            :class:`prior_bench.api.Method`; or a Backbone.
        name: label of the row; by default the name of the class.

    Raises:
        BenchError: the module lacks declarations of the contract, or its outputs contradict them.
    """

    def __init__(self, model: nn.Module | Backbone, name: str | None = None):
        self._backbone = model if isinstance(model, Backbone) else None
        self._encoder: Any
        self._method: Any
        if isinstance(model, Backbone):
            self._encoder, self._method = model.image_encoder, model.method
            self.name = name or model.name
        else:
            is_method = any(hasattr(model, part) for part in METHOD_PARTS)
            self._method = model if is_method else None
            self._encoder = getattr(model, "image_encoder", None) if is_method else model
            self.name = name or _class_name(model)
        self.has_text = self._method is not None
        self.check()
        self._weights = weights_hash(self._whole)

    def check(self) -> None:
        """Check the declarations of the model, and its outputs by a run on blank images (and one text)."""
        if self.stored is not None:
            return  # its encoders are placeholders
        if not isinstance(self._whole, nn.Module):
            what = f"is a {type(self._whole).__name__}, not a torch.nn.Module"
            fix = "give a module, a Backbone, or a text such as 'timm:resnet50' or 'weights.ckpt'"
            raise BenchError(what, where=f"backbone '{self.name}'", fix=fix)
        if self._method is not None:
            _require_method(self._method, self.name)
        require_encoder(self._encoder, self.name)
        trial = copy.deepcopy(self._whole)  # a run may change a counter and therefore the identity
        probe(trial.image_encoder if self.has_text else trial, self.name)
        if self.has_text:
            probe_method(trial, self.name)

    @property
    def encoder(self) -> Any:
        """The image encoder."""
        return self._encoder

    @property
    def stored(self) -> StoredVectors | None:
        """The vectors of a Backbone that has no network."""
        return self._backbone.stored if self._backbone is not None else None

    @property
    def method_class(self) -> type | None:
        """The class of the method; None for an image encoder alone."""
        return None if self._method is None else type(self._method)

    def identity(self, seed: int) -> str:
        """Return the identity of an unchanged Backbone; for other models, hash the weights and the code."""
        if self._backbone is not None and self._backbone.provenance.get("weights") == self._weights:
            return self._backbone.identity
        parts = (self._weights, *code_of_model(self._whole), str(self._encoder.input))
        return hash_of("given", *parts)

    def load(self, seed: int, context: LoadContext) -> Backbone:
        """Return a copy on the context's device."""
        whole = copy.deepcopy(self._whole).eval().to(context.device)
        method = whole if self._method is not None else None
        encoder = whole.image_encoder if method is not None else whole
        if self._backbone is not None:
            provenance = dict(self._backbone.provenance)
            if provenance.get("weights") != self._weights:
                provenance["changed"] = "after it was loaded"
        else:
            provenance = {"source": "a module in memory", "class": _class_name(self._whole)}
        provenance["weights"] = self._weights
        identity = self.identity(seed)
        return Backbone(
            self.name, encoder, method, self._encoder.input, identity, provenance, stored=self.stored
        )

    def row(self) -> dict[str, Any]:
        """Return the description that records store instead of a config."""
        return {"name": self.name, "type": "given", "class": _class_name(self._whole)}

    def training_data(self) -> list[dict[str, Any]]:
        """Return the pre-training data of a Backbone, if its source declared it."""
        return self._exposure().get("training_data", [])

    def known_exposure(self) -> list[tuple[str, str]]:
        """Return the exposure of a Backbone, if its source declared it."""
        return [tuple(one) for one in self._exposure().get("known_exposure", [])]

    def _exposure(self) -> dict[str, Any]:
        return self._backbone.provenance.get("exposure", {}) if self._backbone is not None else {}

    @property
    def _whole(self) -> Any:
        return self._method if self._method is not None else self._encoder


def _require_method(method: Any, name: str) -> None:
    missing = [part for part in METHOD_PARTS if not callable(getattr(method, part, None))]
    problems = [BenchError(f"has no {part}(…)", fix="see prior_bench.api.Method") for part in missing]
    if getattr(method, "image_encoder", None) is None:
        problems.append(BenchError("has no image_encoder", fix="self.image_encoder = the encoder of images"))
    if not callable(getattr(getattr(method, "text_encoder", None), "tokenizer", None)):
        fix = "self.text_encoder.tokenizer = a function from texts (tuples of sentences) to a TextBatch"
        problems.append(BenchError("has no text_encoder with a tokenizer", fix=fix))
    if problems:
        what = f"{type(method).__name__} is not a complete method:"
        raise ErrorList(what, problems, where=f"backbone '{name}'")


def _class_name(model: Any) -> str:
    """Return the name of the model's class; for a wrapped module, the name of the inner class."""
    inner = getattr(model, "module", None)
    return type(inner if isinstance(inner, nn.Module) else model).__name__
