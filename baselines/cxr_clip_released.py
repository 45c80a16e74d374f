"""CXR-CLIP as released: its ResNet-50 and its Swin-T, with BioClinicalBERT.

The method is for the evaluation of released weights (cxr-clip, commit 955ab93). Its loss is the contrastive
one between images and texts; the authors' further ones, of two views and of two texts, are not implemented.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from prior_bench.api import Features, PretrainBatch, TextBatch
from prior_bench.checkpoints.known.parts import (
    IMAGENET,
    MIMIC_CXR,
    MODEL,
    SWIN_CONSTANTS,
    image_encoder,
    transformers_swin,
)
from prior_bench.checkpoints.layouts import POSITIONS, ReleasedLayout
from prior_bench.encoders.image import ImageEncoder
from prior_bench.encoders.text import TextEncoder
from prior_bench.losses.contrastive import info_nce
from prior_bench.schema.base import Count, Positive

SOURCE = "github.com/Soombit-ai/cxr-clip"
_SOME = "pre-trained on it in the variants with this data set; the file does not name its variant"
EXPOSURE = (MIMIC_CXR, ("chexpert", _SOME), ("nih_chestxray14", _SOME))
COSINE = "scores are cosines, as in the authors' evaluation, which does not read the learned temperature"


class ReleasedCXRCLIP(nn.Module):
    """CXR-CLIP (arXiv 2310.13292) with the architecture of its released weights.

    Args:
        image_encoder: arguments of :class:`ImageEncoder`.
        text_encoder: arguments of :class:`TextEncoder`; ``pool`` has no effect.
        embed_dim: D, number of dimensions of the joint space.
        temperature: initial divisor of the cosines in the loss; it is learned.
    """

    local_features = False

    def __init__(
        self,
        image_encoder: dict[str, Any],
        text_encoder: dict[str, Any],
        embed_dim: Count = 512,
        temperature: Positive = 0.07,
    ):
        super().__init__()
        self.image_encoder = ImageEncoder(**image_encoder)
        self.text_encoder = TextEncoder(**text_encoder)
        self.image_head = nn.Linear(self.image_encoder.dim, embed_dim)
        self.text_head = nn.Linear(self.text_encoder.dim, embed_dim)
        self.logit_scale = nn.Parameter(torch.tensor(-math.log(temperature)))

    def loss(self, batch: PretrainBatch) -> dict[str, Tensor]:
        """Compute the mean InfoNCE loss of both directions."""
        image, text = self.encode_image(batch.images).global_, self.encode_text(batch.text).global_
        image_to_text, text_to_image = info_nce(image, text, (-self.logit_scale).exp())
        return {"loss_contrastive": (image_to_text + text_to_image) / 2}

    def chance_losses(self, pairs: int) -> dict[str, float]:
        """Value of the loss where nothing is learned, in a batch of ``pairs``."""
        return {"loss_contrastive": math.log(pairs)}

    def encode_image(self, images: Tensor) -> Features:
        """Encode images [B, C, S, S] as unit vectors of the joint space, without local features."""
        return Features(F.normalize(self.image_head(self.image_encoder(images).global_), dim=-1))

    def encode_text(self, text: TextBatch) -> Features:
        """Encode texts as unit vectors of the joint space: the projection of the last token, [SEP]."""
        tokens, last = self.text_encoder(text).tokens, text.attention_mask.sum(dim=1) - 1
        chosen = tokens[torch.arange(len(tokens), device=tokens.device), last]
        return Features(F.normalize(self.text_head(chosen), dim=-1))

    def similarity(self, image: Features, text: Features) -> Tensor:
        """Compute the cosines [images, texts]."""
        return image.global_ @ text.global_.T


def layouts() -> tuple[ReleasedLayout, ...]:
    """Return the layouts of this method (entry point ``prior_bench.layouts``)."""
    resnet = _layout(
        "CXR-CLIP, ResNet-50",
        marks=("image_encoder.resnet.layer1.", "image_encoder.resnet.layer4."),
        rename=(("image_encoder.resnet.", MODEL),),
        encoder=image_encoder("resnet50", resize="crop", **IMAGENET),
    )
    swin = _layout(
        "CXR-CLIP, Swin-T",
        marks=("image_encoder.image_encoder.embeddings.", "image_encoder.image_encoder.encoder.layers.3."),
        rename=transformers_swin("image_encoder.image_encoder."),
        encoder=image_encoder("swin_tiny_patch4_window7_224", resize="crop", mean=0.5, std=0.5, img_size=224)
        | {"pool": "first"},
        unused=(SWIN_CONSTANTS,),
        notes=("the global feature is the first patch of the last map, as in the authors' code",),
    )
    return resnet, swin


def _layout(
    name: str,
    marks: tuple[str, ...],
    rename: tuple[tuple[str, str], ...],
    encoder: dict[str, Any],
    unused: tuple[tuple[str, str], ...] = (),
    notes: tuple[str, ...] = (),
) -> ReleasedLayout:
    return ReleasedLayout(
        name=name,
        marks=marks,
        rename=(
            *rename,
            ("text_encoder.text_encoder.", "text_encoder.model."),
            ("image_projection.projection.", "image_head."),
            ("text_projection.projection.", "text_head."),
            ("logit_scale", "logit_scale"),
        ),
        method={
            "type": "cxr_clip_released",
            "image_encoder": encoder,
            "text_encoder": {"config": {"model_type": "bert", "num_hidden_layers": 12}},
            "embed_dim": 512,
        },
        unused=(
            *unused,
            POSITIONS,
            (r"text_encoder\.text_encoder\.pooler\.", "BERT's pooler: the last token is read instead"),
        ),
        wrappers=("", "module."),
        vocabulary=28996,
        max_tokens=256,
        source=SOURCE,
        notes=(*notes, COSINE),
        exposure=EXPOSURE,
        keyed_by_image=True,
    )
