"""MGCA (Wang et al., NeurIPS 2022): alignment of radiographs and reports at three granularities.

The granularities are instances (a study's image and report find each other), tokens (each word finds its
patches and each patch its words) and diseases (image and report are assigned to the same prototypes).
"""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from typing import Annotated, Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from prior_bench.api import Features, PretrainBatch, TextBatch
from prior_bench.encoders.image import ImageEncoder
from prior_bench.encoders.text import TextEncoder
from prior_bench.errors import unknown_name
from prior_bench.losses.gather import world_size
from prior_bench.schema.base import Count, NotNegative, OneOf, Positive
from prior_bench.variants import Fits, resolve

from ..words import columns_up_to, merge_pieces, row_of_token, word_counts
from .attention import LastAttention, clipped_weights, shifted, uniform_weights
from .heads import GlobalHead, LocalHead
from .losses import (
    instance_alignment,
    prototype_alignment,
    token_alignment,
    token_logits,
    top_k_accuracy,
)
from .variants import MgcaVariant

WEIGHTS = {"instance": 1.0, "token": 0.7, "prototype": 0.5}
"""Weights of the three losses in the paper."""


class Embedded(NamedTuple):
    """Normalised features of one modality in the joint space.

    Attributes:
        features: global features [B, D], tokens [B, N, D] and their mask (None: no padding).
        weights: [B, N], constant weights of the tokens.
    """

    features: Features
    weights: Tensor


class MGCA(nn.Module):
    """The method MGCA; it fulfils :class:`prior_bench.api.Method`.

    In the first epoch the prototypes do not learn: :class:`baselines.mgca.schedule.FreezePrototypes`, a
    hook that the configs name, sets ``prototypes_frozen``.

    Args:
        image_encoder: arguments of :class:`ImageEncoder`; in the paper a ViT-B/16, or a ResNet-50 whose
            third layer gives the patches (``local_stage=-2``, the default here; a ViT has one stage).
        text_encoder: arguments of :class:`TextEncoder`; in the paper Bio_ClinicalBERT, with [CLS] for the
            report and attention maps for the words' weights (both defaults here).
        embed_dim: D, number of dimensions of the joint space.
        hidden_dim: width of the hidden layers in the projection heads.
        upsample: side in pixels to which images are enlarged; 299 for the released ResNet-50.
        temperature: temperature of the instance-wise alignment.
        local_temperature: temperature of the token-wise alignment.
        prototypes: K, number of prototypes.
        prototype_temperature: temperature of the prediction of assignments.
        epsilon, sinkhorn_iterations: parameters of the assignment, see :func:`sinkhorn`.
        weights: changes of :data:`WEIGHTS`.
        variant: ``"paper"``, ``"released"``, or switches (see :mod:`baselines.mgca.variants`).
    """

    def __init__(
        self,
        image_encoder: dict[str, Any],
        text_encoder: dict[str, Any],
        embed_dim: Count = 128,
        hidden_dim: Count = 2048,
        upsample: Count | None = None,
        temperature: Positive = 0.07,
        local_temperature: Positive = 0.1,
        prototypes: Count = 500,
        prototype_temperature: Positive = 0.2,
        epsilon: Positive = 0.05,
        sinkhorn_iterations: Count = 3,
        weights: dict[Annotated[str, OneOf("loss", WEIGHTS)], NotNegative] | None = None,
        variant: Annotated[str | dict[str, Any] | MgcaVariant, Fits(MgcaVariant)] = "paper",
    ):
        super().__init__()
        self.variant = resolve(variant, MgcaVariant)
        self.weights = _weights(weights or {}, self.variant.unit_weights)
        self.image_encoder = ImageEncoder(**{"local_stage": -2, **image_encoder})
        self.text_encoder = TextEncoder(**{"pool": "cls", "attentions": True, **text_encoder})
        is_vit = not self.image_encoder.is_hierarchical
        self.patch_attention = LastAttention(self.image_encoder.model) if is_vit else None

        self.image_head = GlobalHead(self.image_encoder.dim, hidden_dim, embed_dim)
        self.patch_head = LocalHead(self.image_encoder.local_dim, hidden_dim, embed_dim)
        self.text_head = GlobalHead(self.text_encoder.dim, hidden_dim, embed_dim)
        self.word_head = LocalHead(self.text_encoder.dim, hidden_dim, embed_dim)
        self.prototype_layer = nn.Linear(embed_dim, prototypes, bias=False)
        self.word_looks = self.patch_looks = None
        if not self.variant.plain_attention:
            self.word_looks = nn.MultiheadAttention(embed_dim, 1, batch_first=True)
            self.patch_looks = nn.MultiheadAttention(embed_dim, 1, batch_first=True)

        self.upsample = upsample
        self.temperature, self.local_temperature = temperature, local_temperature
        self.prototype_temperature = prototype_temperature
        self.epsilon, self.sinkhorn_iterations = epsilon, sinkhorn_iterations
        self.prototypes_frozen = False

    # --- encoders ---------------------------------------------------------------------------------------

    def encode_image(self, images: Tensor) -> Features:
        """Encode images [B, C, H, W] in the joint space as [B, D] and patches [B, N, D]."""
        return self.embed_image(images).features

    def encode_text(self, text: TextBatch) -> Features:
        """Encode texts in the joint space as [B, D] and words [B, N, D] with their mask."""
        return self.embed_text(text).features

    def embed_image(self, images: Tensor) -> Embedded:
        """Encode images and weight their patches by the attention of a ViT's [CLS], otherwise equally."""
        if self.upsample:
            size = (self.upsample, self.upsample)
            images = F.interpolate(images, size=size, mode="bilinear", align_corners=True)
        watching: AbstractContextManager[list[Tensor]] = nullcontext([])
        if self.patch_attention:
            watching = self.patch_attention.watch()
        with watching as seen:
            features = self.image_encoder(images)
        patches = self.patch_head(features.local)
        weights = clipped_weights(seen[-1].to(patches.dtype)) if seen else uniform_weights(patches)
        return Embedded(_normalised(self.image_head(features.global_), patches, None), weights)

    def embed_text(self, text: TextBatch) -> Embedded:
        """Encode texts with weights of the words: the attention of [CLS] in BERT's last layer."""
        output = self.text_encoder(text)
        attention = output.attentions[-1].detach()[:, :, 0].mean(dim=1)  # [B, L]
        words, mask, attention = self.words(output.tokens, text, attention)
        if self.variant.padding_in_batch_norm:
            words = self.word_head(words)
        else:
            words = self.word_head(words, mask, self._word_count(text))
        features = _normalised(self.text_head(output.pooled), words, mask)
        return Embedded(features, clipped_weights(attention.to(words.dtype)))

    def words(self, tokens: Tensor, text: TextBatch, attention: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Merge tokens [B, L, D] to words [B, N, D]; return words, mask and attention to words [B, N]."""
        rows, last = self._rows_and_last(text)
        if self.variant.shifted_word_attention:
            attention = shifted(attention)
        width = self._width(text)
        words, attention = merge_pieces(tokens, rows, width), merge_pieces(attention, rows, width)
        mask = columns_up_to(1 + last, width, first=1)
        return words[:, 1:], mask[:, 1:], attention.masked_fill(~mask, 0)[:, 1:]

    def _rows_and_last(self, text: TextBatch) -> tuple[Tensor, Tensor]:
        """Return the row of each token [B, L], and the last row of each text that is a word, [B]."""
        rows, counts = row_of_token(text), word_counts(text)
        last = counts + 1 if self.variant.sep_is_word else counts
        if self.variant.shifted_word_attention and rows.shape[1] == self.text_encoder.tokenizer.max_tokens:
            rows, full = cut_full_texts(rows)
            last = torch.where(full, counts - 1, last)
        return rows, last

    def _width(self, text: TextBatch) -> int:
        """Return the number of rows, without waiting for a GPU."""
        # padding changes the released loss: use as much as the released code
        if self.variant.padded_words_as_negatives or self.variant.padding_in_batch_norm:
            return self.text_encoder.tokenizer.max_tokens
        return 1 + int(self._rows_and_last(text.on_host)[1].max())

    def _word_count(self, text: TextBatch) -> int:
        """Return the number of words of all texts that the mask of :meth:`words` lets through."""
        last = self._rows_and_last(text.on_host)[1]
        return int(columns_up_to(1 + last, self._width(text), first=1).sum())

    # --- losses -----------------------------------------------------------------------------------------

    def loss(self, batch: PretrainBatch) -> dict[str, Tensor]:
        """Compute the three weighted losses of a batch, and the share of pairs that are found."""
        image, text = self.embed_image(batch.images), self.embed_text(batch.text)
        terms = self.terms(image, text)
        losses = {f"loss_{name}": self.weights[name] * term for name, term in terms.items()}
        found = top_k_accuracy(image.features.global_, text.features.global_, 1)
        return {**losses, "instance_accuracy": found}

    def terms(self, image: Embedded, text: Embedded) -> dict[str, Tensor]:
        """Compute the three losses without their weights."""
        first, second = image.features.global_, text.features.global_
        instance = sum(instance_alignment(first, second, self.temperature, self.variant.local_negatives))
        token = sum(self.word_loss(image, text)) / 2 + sum(self.patch_loss(image, text)) / 2
        prototype = prototype_alignment(
            first,
            second,
            self.prototypes(),
            self.prototype_temperature,
            self.epsilon,
            self.sinkhorn_iterations,
            self.variant.local_sinkhorn,
        )
        return {
            "instance": instance if self.variant.summed_instance_loss else instance / 2,
            "token": token if self.variant.summed_token_loss else token / 2,
            "prototype": sum(prototype) / 2,
        }

    def chance_losses(self, pairs: int) -> dict[str, float]:
        """Return the value of the instance loss at chance level in a batch of ``pairs``."""
        candidates = pairs // world_size() if self.variant.local_negatives else pairs
        summed = 2 if self.variant.summed_instance_loss else 1
        return {"loss_instance": summed * self.weights["instance"] * math.log(candidates)}

    def word_loss(self, image: Embedded, text: Embedded) -> tuple[Tensor, Tensor]:
        """Compute the losses of words and the patches that they gather, in both directions."""
        logits = self._token_logits(self.word_looks, text.features, image.features, normalise=True)
        candidates = None if self.variant.padded_words_as_negatives else text.features.mask
        return token_alignment(logits, text.weights, candidates)

    def patch_loss(self, image: Embedded, text: Embedded) -> tuple[Tensor, Tensor]:
        """Compute the losses of patches and the words that they gather, in both directions."""
        normalise = not (self.variant.unnormalised_vit_words and self.patch_attention)
        logits = self._token_logits(self.patch_looks, image.features, text.features, normalise)
        return token_alignment(logits, image.weights, None)

    def _token_logits(
        self, looks: nn.Module | None, tokens: Features, others: Features, normalise: bool
    ) -> Tensor:
        if looks is None:
            return token_logits(tokens.local, others.local, others.mask, self.local_temperature, normalise)
        padding = None if others.mask is None else ~others.mask
        gathered, _ = looks(tokens.local, others.local, others.local, padding, need_weights=False)
        gathered = F.normalize(gathered, dim=-1) if normalise else gathered
        return tokens.parts @ gathered.mT / self.local_temperature

    def prototypes(self) -> Tensor:
        """Return the normalised prototypes [K, D]; their gradient is 0 while ``prototypes_frozen``."""
        weight = self.prototype_layer.weight
        if self.variant.normalised_in_place:
            with torch.no_grad():
                weight.copy_(F.normalize(weight, dim=-1))
        else:
            weight = F.normalize(weight, dim=-1)
        if self.prototypes_frozen:
            # not None, because DistributedDataParallel waits for the gradient of every parameter
            weight = weight.detach() + 0 * weight
        return weight

    # --- similarity -------------------------------------------------------------------------------------

    def similarity(self, image: Features, text: Features) -> Tensor:
        """Compute the cosine similarity of the global features, [images, texts]."""
        return F.normalize(image.global_, dim=-1) @ F.normalize(text.global_, dim=-1).T

    # --- pictures ---------------------------------------------------------------------------------------

    attention_over = "words"

    def attention(self, image: Features, text: Features) -> Tensor:
        """Compute the attention of each word to the patches of its image, [B, words, N]."""
        if self.word_looks is None:
            return (text.parts @ image.parts.mT / self.local_temperature).softmax(dim=-1)
        return self.word_looks(text.local, image.local, image.local, need_weights=True)[1]


def cut_full_texts(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Remove the last word and [SEP] of texts without padding; also return which texts, bool [B]."""
    full = rows[:, -1] >= 0
    sep = rows.amax(dim=1)
    gone = full[:, None] & (rows >= (sep - 1)[:, None])
    return rows.masked_fill(gone, -1), full


def _normalised(global_: Tensor, local: Tensor, mask: Tensor | None) -> Features:
    return Features(F.normalize(global_, dim=-1), F.normalize(local, dim=-1), mask)


def _weights(changes: dict[str, float], unit: bool) -> dict[str, float]:
    for name in changes:
        if name not in WEIGHTS:
            raise unknown_name("loss", name, list(WEIGHTS), where="MGCA(weights=...)")
    return {**(dict.fromkeys(WEIGHTS, 1.0) if unit else WEIGHTS), **changes}
