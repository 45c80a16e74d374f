"""ConVIRT: contrastive learning of visual representations from paired images and text (Zhang et al. 2020).

Both encoders have a non-linear head into a joint space, in which an image and a sentence of its report must
find each other within the batch (eq. 2-4).
"""

from __future__ import annotations

import math
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from prior_bench.api import Features, PretrainBatch, TextBatch
from prior_bench.encoders.heads import projection_head
from prior_bench.encoders.image import ImageEncoder
from prior_bench.encoders.text import TextEncoder
from prior_bench.losses.contrastive import Temperature, info_nce
from prior_bench.schema.base import Count, Positive, Probability


class ConVIRT(nn.Module):
    """The method ConVIRT (arXiv 2010.00747, sec. 2).

    Args:
        image_encoder: arguments of :class:`ImageEncoder`; in the paper a ResNet-50, average-pooled.
        text_encoder: arguments of :class:`TextEncoder`; in the paper ClinicalBERT, max-pooled, with frozen
            embeddings and first six layers.
        embed_dim: D, number of dimensions of the joint space; 512 in the paper.
        temperature: tau of eq. 2.
        learnable_temperature: whether to train the temperature; the paper does not.
        image_to_text_weight: lambda of eq. 4; the weight of text-to-image is 1 - lambda.
    """

    local_features = False

    def __init__(
        self,
        image_encoder: dict[str, Any],
        text_encoder: dict[str, Any],
        embed_dim: Count = 512,
        temperature: Positive = 0.1,
        learnable_temperature: bool = False,
        image_to_text_weight: Probability = 0.75,
    ):
        super().__init__()
        self.image_encoder = ImageEncoder(**image_encoder)
        self.text_encoder = TextEncoder(**{"pool": "max", **text_encoder})
        self.image_head = projection_head("mlp", self.image_encoder.dim, embed_dim)
        self.text_head = projection_head("mlp", self.text_encoder.dim, embed_dim)
        self.temperature = Temperature(temperature, learnable_temperature)
        self.image_to_text_weight = image_to_text_weight

    def loss(self, batch: PretrainBatch) -> dict[str, Tensor]:
        """Compute the two weighted InfoNCE losses of a batch (eq. 4)."""
        return self.alignment(self.encode_image(batch.images).global_, self.encode_text(batch.text).global_)

    def alignment(self, image: Tensor, text: Tensor) -> dict[str, Tensor]:
        """Compute the losses from embeddings [B, D]."""
        image_to_text, text_to_image = info_nce(image, text, self.temperature())
        weight = self.image_to_text_weight
        return {
            "loss_image_to_text": weight * image_to_text,
            "loss_text_to_image": (1 - weight) * text_to_image,
        }

    def chance_losses(self, pairs: int) -> dict[str, float]:
        """Values of the losses where nothing is learned, in a batch of ``pairs``."""
        weight = self.image_to_text_weight
        return {
            "loss_image_to_text": weight * math.log(pairs),
            "loss_text_to_image": (1 - weight) * math.log(pairs),
        }

    def encode_image(self, images: Tensor) -> Features:
        """Encode images [B, C, H, W] in the joint space (v of eq. 1), without local features."""
        return Features(self.image_head(self.image_encoder(images).global_))

    def encode_text(self, text: TextBatch) -> Features:
        """Encode texts in the joint space (u of eq. 1), without local features."""
        return Features(self.text_head(self.text_encoder(text).pooled))

    def similarity(self, image: Features, text: Features) -> Tensor:
        """Compute the cosine similarity, [images, texts]."""
        return F.normalize(image.global_, dim=-1) @ F.normalize(text.global_, dim=-1).T
