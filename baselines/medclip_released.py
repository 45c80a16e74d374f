"""MedCLIP as released: its ResNet-50 and its Swin (called MedCLIP-ViT), with their text encoder.

The method is for the evaluation of released weights. Its loss is the contrastive one of the authors' model
class; the paper's semantic matching, which needs labels of images and sentences, is not implemented.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from prior_bench.api import Features, PretrainBatch, TextBatch
from prior_bench.checkpoints.known.parts import (
    MIMIC_CXR,
    MODEL,
    SWIN_CONSTANTS,
    image_encoder,
    transformers_swin,
)
from prior_bench.checkpoints.layouts import POSITIONS, ReleasedLayout
from prior_bench.encoders.image import ImageEncoder
from prior_bench.encoders.text import TextEncoder
from prior_bench.errors import BenchError
from prior_bench.losses.contrastive import info_nce
from prior_bench.schema.base import Count, Positive

SOURCE = "github.com/RyanWangZf/MedCLIP"
INPUT: dict[str, Any] = {"mean": 0.5862785803043838, "std": 0.27950088968644304, "interpolation": "bicubic"}
EXPOSURE = (MIMIC_CXR, ("chexpert", "pre-trained on CheXpert's images, by its authors' code"))
LARGEST_LOGIT_SCALE = 4.6052
"""Upper bound of the logarithm of the scale (``compute_logits``); the lower one is 0."""
PADDING = (
    "texts are averaged over their own tokens; the authors' code also averages over padding, so that there a "
    "text's vector depends on the longest text of its batch"
)


class ReleasedMedCLIP(nn.Module):
    """MedCLIP (arXiv 2210.10163) with the architecture of its released weights.

    Args:
        image_encoder: arguments of :class:`ImageEncoder`.
        text_encoder: arguments of :class:`TextEncoder`, with at least two layers; ``pool`` has no effect.
        embed_dim: D, number of dimensions of the joint space.
        temperature: inverse of the initial scale; it is learned.

    Raises:
        BenchError: the text encoder has one layer.
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
        if self.text_encoder.model.config.num_hidden_layers < 2:
            raise BenchError(
                "MedCLIP averages the first, the second and the last layer, but there is only one",
                where="method.text_encoder",
                fix="give at least 2 layers (num_hidden_layers)",
            )
        self.image_head = nn.Linear(self.image_encoder.dim, embed_dim, bias=False)
        self.text_head = nn.Linear(self.text_encoder.dim, embed_dim, bias=False)
        self.logit_scale = nn.Parameter(torch.tensor(-math.log(temperature)))

    def loss(self, batch: PretrainBatch) -> dict[str, Tensor]:
        """Compute the mean InfoNCE loss of both directions (``clip_loss`` of the authors' code)."""
        image, text = self.encode_image(batch.images).global_, self.encode_text(batch.text).global_
        image_to_text, text_to_image = info_nce(image, text, 1 / self._scale())
        return {"loss_contrastive": (image_to_text + text_to_image) / 2}

    def chance_losses(self, pairs: int) -> dict[str, float]:
        """Value of the loss where nothing is learned, in a batch of ``pairs``."""
        return {"loss_contrastive": math.log(pairs)}

    def encode_image(self, images: Tensor) -> Features:
        """Encode images [B, C, H, W] as unit vectors of the joint space, without local features."""
        return Features(F.normalize(self.image_head(self.image_encoder(images).global_), dim=-1))

    def encode_text(self, text: TextBatch) -> Features:
        """Encode texts as unit vectors of the joint space: the mean of three layers and of the tokens.

        The layers are the first, the second and the last (``MedCLIPTextModel.forward``). Padding is left out,
        so that a text has the vector that the authors' code gives for it alone.
        """
        states = self.text_encoder.model(
            input_ids=text.input_ids, attention_mask=text.attention_mask, output_hidden_states=True
        ).hidden_states
        tokens = (states[1] + states[2] + states[-1]) / 3  # states[0] is that of the embeddings
        real = text.attention_mask.bool().unsqueeze(-1)
        mean = tokens.masked_fill(~real, 0).sum(dim=1) / real.sum(dim=1)
        return Features(F.normalize(self.text_head(mean), dim=-1))

    def similarity(self, image: Features, text: Features) -> Tensor:
        """Compute the scaled cosine similarity, [images, texts]."""
        return self._scale() * image.global_ @ text.global_.T

    def _scale(self) -> Tensor:
        return self.logit_scale.clamp(0, LARGEST_LOGIT_SCALE).exp()


def layouts() -> tuple[ReleasedLayout, ...]:
    """Return the layouts of this method (entry point ``prior_bench.layouts``)."""
    resnet = _layout(
        "MedCLIP, ResNet-50",
        marks=("vision_model.model.layer1.", "vision_model.model.layer4."),
        rename=(("vision_model.model.fc.", "image_head."), ("vision_model.model.", MODEL)),
        encoder=image_encoder("resnet50", resize="pad", **INPUT),
    )
    swin = _layout(
        "MedCLIP, Swin-T",
        marks=("vision_model.model.embeddings.", "vision_model.model.encoder.layers.3."),
        rename=(
            ("vision_model.projection_head.", "image_head."),
            *transformers_swin("vision_model.model."),
        ),
        encoder=image_encoder("swin_tiny_patch4_window7_224", resize="pad", img_size=224, **INPUT),
        unused=(SWIN_CONSTANTS,),
    )
    return resnet, swin


def _layout(
    name: str,
    marks: tuple[str, ...],
    rename: tuple[tuple[str, str], ...],
    encoder: dict[str, Any],
    unused: tuple[tuple[str, str], ...] = (),
) -> ReleasedLayout:
    return ReleasedLayout(
        name=name,
        marks=marks,
        rename=(
            *rename,
            ("text_model.model.", "text_encoder.model."),
            ("text_model.projection_head.", "text_head."),
            ("logit_scale", "logit_scale"),
        ),
        method={
            "type": "medclip_released",
            "image_encoder": encoder,
            "text_encoder": {"config": {"model_type": "bert", "num_hidden_layers": 12}},
            "embed_dim": 512,
        },
        unused=(
            *unused,
            POSITIONS,
            (r"text_model\.model\.pooler\.", "BERT's pooler: tokens are averaged instead"),
        ),
        wrappers=("", "module."),
        vocabulary=28996,
        max_tokens=77,
        source=SOURCE,
        notes=(PADDING,),
        exposure=EXPOSURE,
    )
