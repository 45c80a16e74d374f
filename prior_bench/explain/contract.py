"""The contract of explanations, in addition to ``attention`` of :class:`prior_bench.api.Method`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from typing import Protocol as Interface

if TYPE_CHECKING:
    from torch import Tensor

    from prior_bench.api import Backbone, Method, TextBatch


MAPS = ("attention", "similarity", "similarity_global", "grad_cam")
"""Kinds of maps of a phrase over an image; see :mod:`prior_bench.explain.phrase_maps`."""
COSINES = ("similarity", "similarity_global")
"""Kinds whose values are cosines."""


def lacking(method: Any, kind: str) -> str:
    """Why a method cannot give maps of a kind, as far as is known; empty if nothing speaks against it.

    Args:
        method: a :class:`prior_bench.api.Method` or its class.
        kind: one of :data:`MAPS`.
    """
    if kind == "grad_cam":
        if getattr(method, "texts_together", False):
            return "scores that depend on the other texts"
        encoder = getattr(method, "image_encoder", None)  # only an instance has one
        missing = encoder is not None and getattr(encoder, "grad_cam_layer", None) is None
        return "no layer for Grad-CAM (the image encoder's property grad_cam_layer)" if missing else ""
    if not getattr(method, "local_features", True):
        return "no local features"
    if kind == "similarity" and not getattr(method, "local_text_features", True):
        return "no local features of texts"
    if kind == "attention" and not hasattr(method, "attention"):
        return "no attention over the image"
    return ""


@dataclass(frozen=True)
class Prototype:
    """A learned prototype of sentences.

    Attributes:
        index: index among the K prototypes.
        share: share of the corpus's sentences (with repeats) that choose it, in [0, 1].
        sentences: the nearest sentences, nearest first.
    """

    index: int
    share: float
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class PrototypeUse:
    """How a corpus uses K prototypes.

    Attributes:
        count: K, number of prototypes.
        sentences: number of sentences in the corpus, with repeats.
        distinct: number of different sentences among them.
        perplexity: exponential of the entropy of the choices, the effective number of prototypes in use, from
            1 to K.
        top: the most used prototypes, most used first.
    """

    count: int
    sentences: int
    distinct: int
    perplexity: float
    top: tuple[Prototype, ...]


class Explainer(Interface):
    """Explanations by a method. Each part is None if the method, as trained, does not have it.

    An explainer is a class that is registered under the method's name in
    :data:`prior_bench.registry.EXPLAINERS` and made with ``(method, reports)``. It is called with the method
    in evaluation mode and without gradients; texts and images are on the method's device.
    """

    def __init__(self, method: Method, reports: Sequence[tuple[str, ...]]):
        """Prepare explanations; the method may use the sentences of ``reports`` (of the training split)."""

    def write(self, images: Tensor) -> list[tuple[str, ...]] | None:
        """Return the sentences that the method writes for images [B, C, H, W]."""

    def reconstruct(self, images: Tensor, text: TextBatch) -> dict[str, Tensor] | None:
        """Return reconstructed images by source, [B, 1, H, W] in the scale of the input."""

    def decoded_sentences(self, images: Tensor) -> Tensor | None:
        """Return the unordered sentence vectors that the method decodes from images, [B, Q, D]."""

    def true_sentences(self, text: TextBatch) -> tuple[Tensor, Tensor]:
        """Return the targets of :meth:`decoded_sentences` (unless it is None): [B, S, D] and bool [B, S]."""

    def prototypes(self, top: int) -> PrototypeUse | None:
        """Return how the reports use the method's prototypes, with the ``top`` most used ones."""


def explainer_of(backbone: Backbone, reports: Sequence[tuple[str, ...]]) -> Any | None:
    """Return the :class:`Explainer` of a backbone's method; None if there is none or there are no reports."""
    from prior_bench.registry import EXPLAINERS, METHODS

    for name in EXPLAINERS.names() if reports else ():
        if name in METHODS.names() and type(backbone.method) is METHODS.get(name):
            return EXPLAINERS.get(name)(backbone.method, reports)
    return None
