"""GLoRIA (Huang et al., ICCV 2021): each word attends to regions of the radiograph.

An image and a text are compared globally and locally. For the local score, each word gathers the regions that
it attends to and is compared with them. Both scores must distinguish the true pair from the other pairs of
the batch, in both directions.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Annotated, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from prior_bench.api import Features, PretrainBatch, TextBatch
from prior_bench.encoders.image import ImageEncoder
from prior_bench.encoders.text import TextEncoder
from prior_bench.losses.contrastive import info_nce
from prior_bench.schema.base import Count, NotNegative, Positive
from prior_bench.variants import Fits, resolve

from ..words import columns_up_to, merge_pieces, row_of_token, rows_needed, word_counts
from .losses import attend, local_loss, matching
from .variants import GloriaVariant

TEXTS_AT_ONCE = 16
"""Number of texts per step of the similarity, whose memory grows with images x texts x words x regions."""


class GLoRIA(nn.Module):
    """The method GLoRIA; it fulfils :class:`prior_bench.api.Method`.

    Args:
        image_encoder: arguments of :class:`ImageEncoder`; in the paper a ResNet-50, whose third layer
            gives the regions (``local_stage=-2``, the default here).
        text_encoder: arguments of :class:`TextEncoder`; in the paper Bio_ClinicalBERT with the sum of its
            last four layers (``last_layers=4``, the default here).
        embed_dim: D, number of dimensions of the joint space; by default BERT's own (768 in the paper).
        upsample: side in pixels to which images are enlarged for losses and similarity; 299 in the release,
            which gives 19 x 19 regions.
        temp1: sharpness of the attention over regions.
        temp2: sharpness of the pooling over words.
        temp3: scale of the scores in the losses, global and local.
        local_weight, global_weight: weights of the losses.
        variant: ``"paper"``, ``"released"``, or switches (see :mod:`baselines.gloria.variants`).
        chunk: number of texts at a time in the local loss, which saves memory; the result does not change.
    """

    def __init__(
        self,
        image_encoder: dict[str, Any],
        text_encoder: dict[str, Any],
        embed_dim: Count | None = None,
        upsample: Count | None = None,
        temp1: Positive = 4.0,
        temp2: Positive = 5.0,
        temp3: Positive = 10.0,
        local_weight: NotNegative = 1.0,
        global_weight: NotNegative = 1.0,
        variant: Annotated[str | dict[str, Any] | GloriaVariant, Fits(GloriaVariant)] = "paper",
        chunk: Count | None = None,
    ):
        super().__init__()
        self.variant = resolve(variant, GloriaVariant)
        self.image_encoder = ImageEncoder(**{"local_stage": -2, **image_encoder})
        self.text_encoder = TextEncoder(**{"last_layers": 4, **text_encoder})
        dim = embed_dim or self.text_encoder.dim
        self.global_embedder = nn.Linear(self.image_encoder.dim, dim)
        self.local_embedder = nn.Linear(self.image_encoder.local_dim, dim, bias=False)
        self.text_embedder: nn.Module = nn.Identity()
        if dim != self.text_encoder.dim:
            self.text_embedder = nn.Linear(self.text_encoder.dim, dim, bias=False)
        self.upsample, self.chunk = upsample, chunk
        self.temp1, self.temp2, self.temp3 = temp1, temp2, temp3
        self.local_weight, self.global_weight = local_weight, global_weight
        if self.variant.character_counted_texts:
            lengths = character_counts(self.text_encoder.tokenizer)
            self.register_buffer("characters_of_token", lengths, persistent=False)

    characters_of_token: Tensor

    # --- encoders ---------------------------------------------------------------------------------------

    def encode_image(self, images: Tensor) -> Features:
        """Encode images [B, C, H, W] in the joint space as [B, D] and regions [B, R, D]."""
        if self.upsample:
            size = (self.upsample, self.upsample)
            images = F.interpolate(images, size=size, mode="bilinear", align_corners=True)
        features = self.image_encoder(images)
        return Features(self.global_embedder(features.global_), self.local_embedder(features.local))

    def encode_text(self, text: TextBatch) -> Features:
        """Encode texts in the joint space as [B, D] and words [B, W, D] with their mask, without [CLS]."""
        rows = self._rows(text)
        counts = word_counts(text)
        if self.variant.character_counted_texts:
            counts = self.characters_of_token[text.input_ids].sum(1) + counts - 1
        mask = columns_up_to(1 + counts, rows.shape[1], first=1)
        return Features(self._sentence(rows, text), rows[:, 1:], mask[:, 1:])

    def _rows(self, text: TextBatch) -> Tensor:
        """Return [CLS], words and [SEP] in the joint space, [B, W, D]; zero after [SEP]."""
        tokens = self.text_embedder(self.text_encoder(text).tokens)
        zeros_matter = self.variant.character_counted_texts
        width = self.text_encoder.tokenizer.max_tokens if zeros_matter else rows_needed(text)
        return merge_pieces(tokens, row_of_token(text), width)

    def _sentence(self, rows: Tensor, text: TextBatch) -> Tensor:
        """Compute the mean over the words, [B, D]."""
        specials = self.variant.specials_in_sentence
        first, last = (0, 2) if specials else (1, 1)
        counted = columns_up_to(word_counts(text) + last, rows.shape[1], first).unsqueeze(-1)
        return (rows * counted).sum(1) / counted.sum(1).clamp(min=1)

    # --- losses -----------------------------------------------------------------------------------------

    def loss(self, batch: PretrainBatch) -> dict[str, Tensor]:
        """Compute the global and the local contrastive losses in both directions."""
        image, rows = self.encode_image(batch.images), self._rows(batch.text)
        counts = word_counts(batch.text) + 1
        mask = columns_up_to(counts, rows.shape[1], first=0 if self.variant.cls_as_word else 1)
        width = int(word_counts(batch.text.on_host).max()) + 1  # training needs no more columns
        text = Features(self._sentence(rows, batch.text), rows[:, :width], mask[:, :width])
        return self.alignment(image, text)

    def alignment(self, image: Features, text: Features) -> dict[str, Tensor]:
        """Compute the losses from features in the joint space; row i of one belongs to row i of the other."""
        share = 1.0 if self.variant.summed_directions else 0.5
        score = partial(self._matching, chunk=self.chunk)
        whole = info_nce(image.global_, text.global_, 1 / self.temp3)
        local = local_loss(image.parts, text.parts, _mask(text), self.temp3, score)
        return {
            "loss_global_image_to_text": share * self.global_weight * whole[0],
            "loss_global_text_to_image": share * self.global_weight * whole[1],
            "loss_local_image_to_text": share * self.local_weight * local[0],
            "loss_local_text_to_image": share * self.local_weight * local[1],
        }

    def chance_losses(self, pairs: int) -> dict[str, float]:
        """Return the values of losses at chance level in a batch of ``pairs``.

        The local loss from image to text is left out, because long texts have higher scores for every image.
        """
        level = (1.0 if self.variant.summed_directions else 0.5) * math.log(pairs)
        return {
            "loss_global_image_to_text": level * self.global_weight,
            "loss_global_text_to_image": level * self.global_weight,
            "loss_local_text_to_image": level * self.local_weight,
        }

    def _matching(
        self, regions: Tensor, words: Tensor, mask: Tensor, pool: str = "sum", chunk: int | None = None
    ) -> Tensor:
        return matching(
            regions,
            words,
            mask,
            self.temp1,
            self.temp2,
            pool=pool,
            divided=not self.variant.undivided_matching,
            double_softmax=self.variant.double_softmax,
            chunk=chunk,
        )

    # --- similarity -------------------------------------------------------------------------------------

    cascades = True

    def similarity(self, image: Features, text: Features) -> Tensor:
        """Compute the mean of the local and the global score, [images, texts]."""
        return (self.local_similarity(image, text) + self.global_similarity(image, text)) / 2

    def global_similarity(self, image: Features, text: Features) -> Tensor:
        """Compute the cosine similarity of the global features, [images, texts]."""
        return F.normalize(image.global_, dim=-1) @ F.normalize(text.global_, dim=-1).T

    def local_similarity(self, image: Features, text: Features) -> Tensor:
        """Compute the agreement of words with the regions that they attend to, [images, texts]."""
        pool = "max" if self.variant.max_over_words else "sum"
        return self._matching(image.parts, text.parts, _mask(text), pool, TEXTS_AT_ONCE)

    # --- pictures ---------------------------------------------------------------------------------------

    attention_over = "words"

    def attention(self, image: Features, text: Features) -> Tensor:
        """Compute the attention of each word to the regions of its image, [B, W, R]."""
        pairs = zip(*(x.split(1) for x in (image.parts, text.parts, _mask(text))), strict=True)
        double = self.variant.double_softmax
        return torch.cat([attend(one, words, mask, self.temp1, double)[0] for one, words, mask in pairs])


def _mask(text: Features) -> Tensor:
    """Return the mask of a text's words; without a mask, all are words."""
    return text.mask if text.mask is not None else torch.ones_like(text.parts[..., 0], dtype=torch.bool)


def character_counts(tokenizer: Any) -> Tensor:
    """Count the characters of every token of a vocabulary, int64 [vocabulary]; 0 for special tokens."""
    pieces = tokenizer.tokens(range(tokenizer.vocab_size))
    return torch.tensor([0 if p.startswith("[") else len(p.removeprefix("##")) for p in pieces])
