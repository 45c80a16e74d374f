"""A two-tower model of another library as a method: images and texts in one space, compared by cosine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, logsigmoid, normalize

from prior_bench.api import Features, PretrainBatch, TextBatch
from prior_bench.libraries.texts import LibraryTokenizer
from prior_bench.libraries.vision import LibraryEncoder


class TextTower(nn.Module):
    """The place of the tokenizer; the text encoder itself is part of the library's model."""

    def __init__(self, tokenizer: LibraryTokenizer):
        super().__init__()
        self.tokenizer = tokenizer


class TwoTowers(nn.Module, ABC):
    """A model with an image tower, a text tower, a temperature and possibly a bias (CLIP, SigLIP).

    It fulfils :class:`prior_bench.api.Method` for evaluation. No pre-training config builds it.

    Args:
        model: the library's module.
        image_encoder: its vision model, which shares its parameters.
        tokenizer: its tokenizer.
    """

    local_features = False
    """Its patches are not in the joint space."""
    has_bias = False
    """Whether a bias is added to the scaled cosines."""

    def __init__(self, model: nn.Module, image_encoder: LibraryEncoder, tokenizer: LibraryTokenizer):
        super().__init__()
        self.model: Any = model
        self.image_encoder: Any = image_encoder
        self.text_encoder: Any = TextTower(tokenizer)

    @abstractmethod
    def image_vectors(self, images: Tensor) -> Tensor:
        """Return the library's vectors [B, D] of images [B, C, S, S] in the joint space."""

    @abstractmethod
    def text_vectors(self, text: TextBatch) -> Tensor:
        """Return the library's vectors [T, D] of texts in the joint space."""

    @abstractmethod
    def scale_and_bias(self) -> tuple[Tensor | float, Tensor | float]:
        """Return the factor and the addend that make logits of cosines."""

    def encode_image(self, images: Tensor) -> Features:
        """Encode images [B, C, S, S] as vectors of length 1 in the joint space."""
        return Features(normalize(self.image_vectors(images), dim=-1))

    def encode_text(self, text: TextBatch) -> Features:
        """Encode texts as vectors of length 1 in the joint space."""
        return Features(normalize(self.text_vectors(text), dim=-1))

    def similarity(self, image: Features, text: Features) -> Tensor:
        """Return the library's logits per image, [images, texts]."""
        scale, bias = self.scale_and_bias()
        return image.global_ @ text.global_.T * scale + bias

    def loss(self, batch: PretrainBatch) -> dict[str, Tensor]:
        """Return the contrastive loss of the kind that the model was trained with.

        It is the sigmoid loss for a model with a bias (Zhai et al. 2023, SigLIP), otherwise the mean of the
        cross entropies over texts and over images (Radford et al. 2021, CLIP).
        """
        logits = self.similarity(self.encode_image(batch.images), self.encode_text(batch.text))
        count = len(logits)
        if self.has_bias:
            sign = 2 * torch.eye(count, device=logits.device) - 1
            return {"loss_contrastive": -logsigmoid(sign * logits).sum() / count}
        own = torch.arange(count, device=logits.device)
        return {"loss_contrastive": (cross_entropy(logits, own) + cross_entropy(logits.T, own)) / 2}
