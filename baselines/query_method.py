"""Methods with a query decoder: MedKLIP, KAD and MAVL classify findings by texts that read the patches.

There is no joint space. A text becomes one query or several; a transformer decoder lets the queries attend to
each other and to the patches of the image; a linear classifier reads each finding's queries and gives two
logits, absent and present. The score is their difference, the logarithm of the odds of presence: its sigmoid
is the probability that the authors' softmax gives.

Queries attend to each other, so the score of a text depends on the other texts of the same call.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from prior_bench.api import Features, PretrainBatch, TextBatch
from prior_bench.encoders.image import ImageEncoder
from prior_bench.encoders.text import TextEncoder
from prior_bench.schema.base import Count

HEADS = 4
"""Attention heads of the decoder, of which tensors show nothing; the number is from the authors' code."""
TOGETHER = (
    "queries attend to each other: the score of a finding depends on which others are asked. The authors ask "
    "for all findings of their list at once (options.queries=prompt_set)"
)
"""Note of the layouts."""
PROBABILITY = (
    "scores are the difference of two logits, options.score=sigmoid gives the authors' probabilities"
)
"""Note of the layouts."""


class QueryMethod(nn.Module):
    """Image encoder, text encoder and the decoder of queries; subclasses say what makes a query of a text.

    Args:
        image_encoder: arguments of :class:`ImageEncoder`; its local features are the patches.
        text_encoder: arguments of :class:`TextEncoder`; ``pool`` has no effect.
        embed_dim: D, width of the decoder; a multiple of 4.
        parts: number of queries of a text.
        layers: number of layers of the decoder.
        feedforward: width of the hidden layers in the decoder.
    """

    local_features = False
    """The projected patches and queries are input of the decoder, and no features of the same space."""
    local_text_features = False
    texts_together = True
    patch_head: nn.Module
    """Of patches, [..., C] to [..., D]; methods have their own."""
    query_head: nn.Module
    """Of the texts' vectors, to [..., D]; methods have their own."""

    def __init__(
        self,
        image_encoder: dict[str, Any],
        text_encoder: dict[str, Any],
        embed_dim: Count = 256,
        parts: Count = 1,
        layers: Count = 4,
        feedforward: Count = 1024,
    ):
        super().__init__()
        self.image_encoder = ImageEncoder(**image_encoder)
        self.text_encoder = TextEncoder(**text_encoder)
        self.parts = parts
        layer = nn.TransformerDecoderLayer(embed_dim, HEADS, feedforward, batch_first=True, norm_first=True)
        self.decoder = nn.TransformerDecoder(layer, layers, nn.LayerNorm(embed_dim))
        self.classifier = nn.Linear(parts * embed_dim, 2)

    def project_patches(self, patches: Tensor) -> Tensor:
        """Project patches [B, N, C] to the width of the decoder, [B, N, D]."""
        return self.patch_head(patches)

    def project_queries(self, text: TextBatch) -> Tensor:
        """Encode texts as queries, [rows of ``text``, D]: the vectors of [CLS], projected."""
        return self.query_head(self.text_encoder(text).tokens[:, 0])

    def loss(self, batch: PretrainBatch) -> dict[str, Tensor]:
        """Compute the cross-entropy of matching images and texts of a batch, the mean of both directions.

        It is ours. The authors' losses need findings that were extracted from the reports.
        """
        scores = self.similarity(self.encode_image(batch.images), self.encode_text(batch.text))
        own = torch.arange(len(scores), device=scores.device)
        return {"loss_matching": (F.cross_entropy(scores, own) + F.cross_entropy(scores.T, own)) / 2}

    def chance_losses(self, pairs: int) -> dict[str, float]:
        """Value of the loss where nothing is learned, in a batch of ``pairs``."""
        return {"loss_matching": math.log(pairs)}

    def encode_image(self, images: Tensor) -> Features:
        """Encode images [B, C, S, S] as projected patches [B, N, D], and their mean."""
        patches = self.project_patches(self.image_encoder(images).parts)
        return Features(patches.mean(dim=1), patches)

    def encode_text(self, text: TextBatch) -> Features:
        """Encode T texts, each in ``parts`` rows of tokens, as queries [T, parts, D], and their mean."""
        queries = self.project_queries(text).unflatten(0, (-1, self.parts))
        return Features(queries.mean(dim=1), queries)

    def similarity(self, image: Features, text: Features) -> Tensor:
        """Compute the logarithms of the odds that the findings are present, [images, texts].

        All texts are queries of one pass, so each score depends on all of them.
        """
        queries = text.parts.flatten(0, 1).expand(len(image.parts), -1, -1)
        found = self.decoder(queries, image.parts)
        logits = self.classifier(found.unflatten(1, (-1, self.parts)).flatten(2))
        return logits[..., 1] - logits[..., 0]
