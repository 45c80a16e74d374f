"""Vectors that were computed beforehand and take the place of a backbone's forward passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from typing import Protocol as Interface

if TYPE_CHECKING:
    import numpy as np

    from prior_bench.data.manifest import Manifest


@dataclass(frozen=True)
class NeededVectors:
    """The images and texts whose vectors a run uses.

    Attributes:
        images: rows of the data set.
        texts: distinct texts, each a tuple of sentences.
    """

    images: Manifest
    texts: list[tuple[str, ...]] = field(default_factory=list)


class StoredVectors(Interface):
    """Vectors of images, by the ``id`` of the manifest, and of texts, by :func:`text_key`."""

    def require(self, needed: NeededVectors, arguments: str = "") -> None:
        """Check that the vectors are there, and are of these images.

        Args:
            needed: images and texts.
            arguments: of ``prior-bench embed``, with which it lists what is needed, for messages.

        Raises:
            BenchError: vectors are missing, or an image is not the one whose vector is stored.
        """

    def images(self, data: Manifest, what: str = "global") -> np.ndarray:
        """Return the vectors of all rows, float32 [rows, D].

        Args:
            data: the images.
            what: ``"global"``, the feature that a probe uses, or ``"joint"``, in the space of the texts.
        """

    def similarity(
        self, data: Manifest, texts: Sequence[tuple[str, ...]], groups: Sequence[Sequence[int]] = ()
    ) -> np.ndarray:
        """Return the score of every row with every text, float32 [rows, texts + groups].

        Args:
            data: the images.
            texts: tuples of sentences.
            groups: positions in ``texts``; each group adds the score with the mean of its vectors.
        """


def text_key(sentences: Sequence[str]) -> str:
    """Return the sentences joined by single spaces, as the tokenizer joins them."""
    return " ".join(sentences)
