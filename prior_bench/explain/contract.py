"""What a method may provide for explanations, besides ``attention`` of :class:`prior_bench.api.Method`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from typing import Protocol as Interface

if TYPE_CHECKING:
    from torch import Tensor

    from prior_bench.api import Backbone, Method, TextBatch


@dataclass(frozen=True)
class Prototype:
    """A learned prototype of sentences.

    Attributes:
        index: position among the K.
        share: of the corpus's sentences (repeats counted) that choose it, in [0, 1].
        sentences: those nearest to it, the nearest first.
    """

    index: int
    share: float
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class PrototypeUse:
    """How a corpus uses K prototypes.

    Attributes:
        count: K.
        sentences: of the corpus, repeats counted.
        distinct: different sentences among them.
        perplexity: exp of the entropy of the choices: how many prototypes are in use, from 1 to K.
        top: the most used prototypes, the most used first.
    """

    count: int
    sentences: int
    distinct: int
    perplexity: float
    top: tuple[Prototype, ...]


class Explainer(Interface):
    """What a method can show. Each part is None if the method, as trained, does not have it.

    A class registered under the method's name in :data:`prior_bench.registry.EXPLAINERS`, made with
    ``(method, reports)``. It is called with the method in evaluation mode and without gradients; texts and
    images lie on the method's device.
    """

    def __init__(self, method: Method, reports: Sequence[tuple[str, ...]]):
        """``reports`` are those of the training split, from whose sentences the method may choose."""

    def write(self, images: Tensor) -> list[tuple[str, ...]] | None:
        """The sentences that the method writes for images [B, C, H, W]."""

    def reconstruct(self, images: Tensor, text: TextBatch) -> dict[str, Tensor] | None:
        """Reconstructed images by source, from image and report: [B, 1, H, W] in the scale of the input."""

    def decoded_sentences(self, images: Tensor) -> Tensor | None:
        """Sentence vectors that the method decodes from images, [B, Q, D], in no order."""

    def true_sentences(self, text: TextBatch) -> tuple[Tensor, Tensor]:
        """The targets of :meth:`decoded_sentences`, if that is not None: [B, S, D] and bool [B, S]."""

    def prototypes(self, top: int) -> PrototypeUse | None:
        """How the reports use the method's prototypes, with the ``top`` most used."""


def explainer_of(backbone: Backbone, reports: Sequence[tuple[str, ...]]) -> Any | None:
    """The :class:`Explainer` of a backbone's method; None if it has none, or there are no reports."""
    from prior_bench.registry import EXPLAINERS, METHODS

    for name in EXPLAINERS.names() if reports else ():
        if name in METHODS.names() and type(backbone.method) is METHODS.get(name):
            return EXPLAINERS.get(name)(backbone.method, reports)
    return None
