"""CARZero as released: its ViT-B/16, its text encoder (BioClinicalMPBERT), and its cross-attention.

The method is for the evaluation of released weights (commit fa4e09c). An image and a text have no cosine: the
vector of each reads the features of the other in the same layers, and the score is the mean of two logits.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from prior_bench.api import Features, PretrainBatch, TextBatch
from prior_bench.checkpoints.known.parts import MIMIC_CXR, MODEL, image_encoder
from prior_bench.checkpoints.layouts import POSITIONS, ReleasedLayout
from prior_bench.encoders.image import ImageEncoder
from prior_bench.encoders.text import TextEncoder
from prior_bench.schema.base import Count

from .carzero_fusion import CrossDecoder
from .carzero_tokenizer import PlainTokenizer
from .words import merge_pieces, row_of_token

LOGITS = (
    "scores are logits of a match, without a threshold that means presence; as in the authors' code, only "
    "their order counts"
)
TEXTS = (
    "texts are lower-cased words without punctuation, and sentences of one word are left out, as in the "
    "authors' code"
)
PADDING = "the image reads 97 words of a text, of which the missing ones are zeros that also count"
PADCHEST = ("padchest", "its text encoder was tuned on reports of PadChest, by its README")
"""Entry of ``exposure``."""


class ReleasedCARZero(nn.Module):
    """CARZero (arXiv 2402.17417) with the architecture of its released weights.

    Args:
        image_encoder: arguments of :class:`ImageEncoder`; its local features are the patches.
        text_encoder: arguments of :class:`TextEncoder`, by default with the sum of the last four layers
            (``last_layers=4``); ``pool`` has no effect. Texts have ``max_tokens`` rows, in the release 97.
        embed_dim: D, width of the cross-attention; a multiple of 4. Features of another width are projected.
        layers: number of layers of the cross-attention.
        feedforward: width of their hidden layers.
    """

    local_features = False
    """Patches and words are what the other side reads, and no features of the same space."""
    local_text_features = False

    def __init__(
        self,
        image_encoder: dict[str, Any],
        text_encoder: dict[str, Any],
        embed_dim: Count = 768,
        layers: Count = 4,
        feedforward: Count = 1024,
    ):
        super().__init__()
        self.image_encoder = ImageEncoder(**image_encoder)
        self.text_encoder = TextEncoder(**{"last_layers": 4, **text_encoder})
        self.text_encoder.tokenizer = PlainTokenizer.from_json(self.text_encoder.tokenizer.to_json())
        self.image_head = _projection(self.image_encoder.dim, embed_dim)
        self.patch_head = _projection(self.image_encoder.local_dim, embed_dim)
        self.text_head = _projection(self.text_encoder.dim, embed_dim)
        self.fusion = CrossDecoder(embed_dim, layers, feedforward)

    def encode_image(self, images: Tensor) -> Features:
        """Encode images [B, C, S, S] as vectors [B, D] (of a ViT, the class token) and patches [B, N, D]."""
        features = self.image_encoder(images)
        return Features(self.image_head(features.global_), self.patch_head(features.parts))

    def encode_text(self, text: TextBatch) -> Features:
        """Encode texts as vectors [B, D] and rows [B, W, D]: [CLS], the words, [SEP] and zeros.

        A word is the sum of its tokens, the vector the mean of all W rows. W is the tokenizer's
        ``max_tokens``, whatever the length of the texts.
        """
        tokens, width = self.text_head(self.text_encoder(text).tokens), self.text_encoder.tokenizer.max_tokens
        rows = merge_pieces(tokens, row_of_token(text), width)
        return Features(rows.mean(dim=1), rows)

    def logits(self, image: Features, text: Features) -> tuple[Tensor, Tensor]:
        """Compute the logits of texts that read images, and of images that read texts, [images, texts] each.

        What is read are the vector and the patches or rows.
        """
        seen, said = (torch.cat([one.global_[:, None], one.parts], dim=1) for one in (image, text))
        return self.fusion(text.global_, seen), self.fusion(image.global_, said).T

    def similarity(self, image: Features, text: Features) -> Tensor:
        """Compute the mean of both logits, [images, texts]."""
        by_text, by_image = self.logits(image, text)
        return (by_text + by_image) / 2

    def loss(self, batch: PretrainBatch) -> dict[str, Tensor]:
        """Compute the cross-entropies of finding the partner in the batch by each of the two logits.

        Each is the mean of both directions (``DQNCOSLoss`` of the authors' code).
        """
        by_text, by_image = self.logits(self.encode_image(batch.images), self.encode_text(batch.text))
        return {"loss_reading_images": _matching(by_text), "loss_reading_texts": _matching(by_image)}

    def chance_losses(self, pairs: int) -> dict[str, float]:
        """Values of the losses where nothing is learned, in a batch of ``pairs``."""
        return {"loss_reading_images": math.log(pairs), "loss_reading_texts": math.log(pairs)}


def _projection(width: int, wanted: int) -> nn.Module:
    return nn.Identity() if width == wanted else nn.Linear(width, wanted, bias=False)


def _matching(logits: Tensor) -> Tensor:
    own = torch.arange(len(logits), device=logits.device)
    return (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2


def layouts() -> tuple[ReleasedLayout, ...]:
    """Return the layouts of this method (entry point ``prior_bench.layouts``)."""
    encoder = image_encoder(
        "vit_base_patch16_224",
        resize="pad",
        mean=0.4978,
        std=0.2449,
        interpolation="area",
        resize_to=256,
        rounding="down",
        img_size=224,
    )
    carzero = ReleasedLayout(
        name="CARZero, ViT-B/16",
        marks=("img_encoder.model.blocks.11.", "text_encoder.model.", "fusion_module.decoder.layers."),
        rename=(
            ("img_encoder.model.", MODEL),
            ("text_encoder.model.", "text_encoder.model."),
            ("fusion_module.mlp_head.", "fusion.head."),
            ("fusion_module.decoder.", "fusion."),
        ),
        method={
            "type": "carzero_released",
            "image_encoder": encoder,
            "text_encoder": {"config": {"model_type": "bert", "num_hidden_layers": 12}},
            "embed_dim": 768,
        },
        unused=(
            POSITIONS,
            (r"text_encoder\.model\.pooler\.", "BERT's pooler: the last four layers are read"),
            (r"fusion_module\.decoder_norm\.", "the norm of the decoder under a second name"),
            (r"fusion_module\.decoder\.layers\.\d+\.(self_attn|norm1)\.", "self-attention, which is not run"),
            (r"fusion_module\.logit_scale$", "a temperature that is not used"),
        ),
        wrappers=("CARZero.", "", "module.CARZero.", "module."),
        vocabulary=28996,
        max_tokens=97,
        tokenizer="Laihaoran/BioClinicalMPBERT",
        source="github.com/laihaoran/CARZero",
        notes=(LOGITS, TEXTS, PADDING),
        exposure=(MIMIC_CXR, PADCHEST),
    )
    return (carzero,)
