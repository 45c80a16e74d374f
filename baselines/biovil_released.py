"""BioViL and BioViL-T as released: their image model, and CXR-BERT, which is in another place.

The method is for the evaluation of released weights (hi-ml-multimodal, commit b67c1d2). Its loss is the
contrastive one; masked language modelling and the comparison with a previous image are not implemented.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from prior_bench.api import Features, PretrainBatch, TextBatch
from prior_bench.checkpoints.known.biovil import SINGLE, SOURCE, TWO, WITH_BERT, heads, input_of
from prior_bench.checkpoints.known.parts import MIMIC_CXR, MODEL
from prior_bench.checkpoints.layouts import POSITIONS, TEXT_MODEL, ReleasedLayout
from prior_bench.encoders.image import ImageEncoder
from prior_bench.encoders.text import TextEncoder
from prior_bench.encoders.tokenizer import ReportTokenizer
from prior_bench.losses.contrastive import info_nce
from prior_bench.schema.base import Count, Positive

ENDINGS = "!?."
"""Characters that hi-ml removes from the end of a prompt."""
PROMPTS = "punctuation at the end of a text is removed, as in hi-ml"
PATCHES = (
    "patches are in the space of the texts: options.map=similarity_global gives BioViL's maps of phrases, "
    "without the Gaussian filter of 1.5 patches by which hi-ml smooths them"
)


class PromptTokenizer(ReportTokenizer):
    """A ReportTokenizer that leaves out the punctuation at the end of a text."""

    def __call__(self, texts: list[tuple[str, ...]]) -> TextBatch:
        """Tokenise B texts; see :class:`ReportTokenizer`."""
        return super().__call__(
            [(*text[:-1], *(last.rstrip(ENDINGS) for last in text[-1:])) for text in texts]
        )


class ReleasedBioViL(nn.Module):
    """BioViL (arXiv 2204.09817) or BioViL-T for single images, with the architecture of its released weights.

    Args:
        image_encoder: arguments of :class:`ImageEncoder`.
        text_encoder: arguments of :class:`TextEncoder`; ``pool`` has no effect.
        embed_dim: D, number of dimensions of the joint space.
        static_dim: of BioViL-T, the number of channels to which the map of the image is reduced; as many
            constants, in place of the comparison with a previous image, follow them. None for BioViL.
        temperature: of the loss; scores are cosines.
    """

    local_text_features = False
    """A text has one vector; its tokens are not in the joint space."""

    def __init__(
        self,
        image_encoder: dict[str, Any],
        text_encoder: dict[str, Any],
        embed_dim: Count = 128,
        static_dim: Count | None = None,
        temperature: Positive = 0.5,
    ):
        super().__init__()
        self.image_encoder = ImageEncoder(**image_encoder)
        self.text_encoder = TextEncoder(**text_encoder)
        self.text_encoder.tokenizer = PromptTokenizer.from_json(self.text_encoder.tokenizer.to_json())
        width = self.image_encoder.local_dim
        self.reduction: nn.Module = nn.Identity()
        if static_dim is not None:
            self.reduction = nn.Conv2d(width, static_dim, kernel_size=1, bias=False)
            self.no_previous = nn.Parameter(torch.zeros(1, static_dim, 1, 1))
            width = 2 * static_dim
        self.image_head = nn.Sequential(
            nn.Conv2d(width, embed_dim, kernel_size=1, bias=False),
            nn.BatchNorm2d(embed_dim),
            nn.ReLU(),
            nn.Conv2d(embed_dim, embed_dim, kernel_size=1),
        )
        self.text_head = nn.Sequential(
            nn.Linear(self.text_encoder.dim, embed_dim),
            nn.GELU(),
            nn.LayerNorm(embed_dim, eps=1e-12),
            nn.Linear(embed_dim, embed_dim),
        )
        self.static_dim, self.temperature = static_dim, temperature

    def loss(self, batch: PretrainBatch) -> dict[str, Tensor]:
        """Compute the mean InfoNCE loss of both directions."""
        image, text = self.encode_image(batch.images).global_, self.encode_text(batch.text).global_
        image_to_text, text_to_image = info_nce(image, text, self.temperature)
        return {"loss_contrastive": (image_to_text + text_to_image) / 2}

    def chance_losses(self, pairs: int) -> dict[str, float]:
        """Value of the loss where nothing is learned, in a batch of ``pairs``."""
        return {"loss_contrastive": math.log(pairs)}

    def encode_image(self, images: Tensor) -> Features:
        """Encode images [B, C, S, S] as unit vectors: the mean of the projected patches, and each patch."""
        patches = self.image_encoder(images).parts.mT.unsqueeze(-1)  # [B, C, N, 1]
        patches = self.reduction(patches)
        if self.static_dim is not None:
            patches = torch.cat([patches, self.no_previous.expand_as(patches)], dim=1)
        projected = self.image_head(patches).squeeze(-1)  # [B, D, N]
        return Features(F.normalize(projected.mean(dim=2), dim=-1), F.normalize(projected.mT, dim=-1))

    def encode_text(self, text: TextBatch) -> Features:
        """Encode texts as unit vectors: the projection of the first token."""
        return Features(F.normalize(self.text_head(self.text_encoder(text).tokens[:, 0]), dim=-1))

    def similarity(self, image: Features, text: Features) -> Tensor:
        """Compute the cosines [images, texts]."""
        return image.global_ @ text.global_.T


def layouts() -> tuple[ReleasedLayout, ...]:
    """Return the layouts of this method (entry point ``prior_bench.layouts``)."""
    temporal = (
        ("encoder.backbone_to_vit.", "reduction."),
        ("encoder.missing_previous_emb", "no_previous"),
    )
    return (
        _layout(SINGLE, 480, "microsoft/BiomedVLP-CXR-BERT-specialized"),
        _layout(TWO, 448, "microsoft/BiomedVLP-BioViL-T", temporal, {"static_dim": 256}),
    )


def _layout(
    name: str,
    size: int,
    model: str,
    further: tuple[tuple[str, str], ...] = (),
    arguments: dict[str, Any] | None = None,
) -> ReleasedLayout:
    marks = ("encoder.encoder.layer4.", "projector.model.", f"{TEXT_MODEL}cls_projection_head.")
    unused = (POSITIONS, *heads(f"{TEXT_MODEL}cls.", "encoder.vit_pooler." if further else ""))
    return ReleasedLayout(
        name=name + WITH_BERT,
        marks=(*marks, *(theirs for theirs, _ in further)),
        rename=(
            ("encoder.encoder.", MODEL),
            *further,
            ("projector.model.", "image_head."),
            (f"{TEXT_MODEL}bert.", "text_encoder.model."),
            (f"{TEXT_MODEL}cls_projection_head.dense_to_hidden.", "text_head.0."),
            (f"{TEXT_MODEL}cls_projection_head.LayerNorm.", "text_head.2."),
            (f"{TEXT_MODEL}cls_projection_head.dense_to_output.", "text_head.3."),
        ),
        method={
            "type": "biovil_released",
            "image_encoder": input_of(size),
            "text_encoder": {"config": {"model_type": "bert", "num_hidden_layers": 12}, "pool": "cls"},
            "embed_dim": 128,
            **(arguments or {}),
        },
        unused=unused,
        wrappers=("", "module."),
        vocabulary=30522,
        max_tokens=512,
        tokenizer=model,
        source=SOURCE,
        notes=(PROMPTS, PATCHES),
        exposure=(MIMIC_CXR,),
    )
