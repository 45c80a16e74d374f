"""ConVIRT as released by others: in the MGCA repository, and by edreisMD."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from prior_bench.api import Features
from prior_bench.checkpoints.layouts import POSITIONS, ReleasedLayout
from prior_bench.encoders.heads import projection_head
from prior_bench.schema.base import Count

from .convirt import ConVIRT
from .mgca.heads import GlobalHead
from .mgca.released import CROSS_ATTENTION, NO_TOKEN_TYPES, SOURCE
from .released import ENLARGED, MIMIC_CXR, PADDING, image_encoder


class ReleasedConVIRT(ConVIRT):
    """ConVIRT with the projection heads and the enlarged input of its released re-implementations.

    Args:
        image_encoder, text_encoder, embed_dim: as in :class:`ConVIRT`.
        image_hidden, text_hidden: widths of the heads' hidden layers.
        batch_norm: whether heads have batch normalisation, as in the MGCA repository.
        upsample: side to which images are enlarged, in pixels.
        arguments: further arguments of :class:`ConVIRT`.
    """

    def __init__(
        self,
        image_encoder: dict[str, Any],
        text_encoder: dict[str, Any],
        embed_dim: Count,
        image_hidden: Count,
        text_hidden: Count,
        batch_norm: bool = False,
        upsample: Count | None = None,
        **arguments: Any,
    ):
        super().__init__(image_encoder, text_encoder, embed_dim, **arguments)

        def head(width: int, hidden: int) -> nn.Module:
            if batch_norm:
                return GlobalHead(width, hidden, embed_dim)
            return projection_head("mlp", width, embed_dim, hidden)

        self.image_head = head(self.image_encoder.dim, image_hidden)
        self.text_head = head(self.text_encoder.dim, text_hidden)
        self.upsample = upsample

    def encode_image(self, images: Tensor) -> Features:
        """Encode images [B, C, H, W] in the joint space, without local features."""
        if self.upsample:
            size = (self.upsample, self.upsample)
            images = F.interpolate(images, size=size, mode="bilinear", align_corners=True)
        return super().encode_image(images)


def layouts() -> tuple[ReleasedLayout, ...]:
    """Return the layouts of this method (entry point ``prior_bench.layouts``)."""
    return (
        _of_mgca("ConVIRT (MGCA repository), ResNet-50", "layer1.", "resnet50", 299, (ENLARGED, PADDING)),
        _of_mgca("ConVIRT (MGCA repository), ViT-B/16", "blocks.", "vit_base_patch16_224", None, (PADDING,)),
        _of_edreis(),
    )


def _of_mgca(
    name: str, mark: str, model_name: str, upsample: int | None, notes: tuple[str, ...]
) -> ReleasedLayout:
    return ReleasedLayout(
        name=name,
        marks=(f"img_encoder.model.{mark}", "text_encoder.model."),
        rename=(
            ("img_encoder.model.", "image_encoder.model."),
            ("img_encoder.global_embed.", "image_head."),
            ("text_encoder.model.", "text_encoder.model."),
            ("text_encoder.global_embed.", "text_head."),
        ),
        method={
            "type": "convirt_released",
            "image_encoder": image_encoder(model_name),
            "text_encoder": {"config": {"model_type": "bert", "num_hidden_layers": 6}, "pool": "cls"},
            "embed_dim": 128,
            "image_hidden": 2048,
            "text_hidden": 2048,
            "batch_norm": True,
            "upsample": upsample,
            "temperature": 0.07,
            "image_to_text_weight": 0.5,
        },
        unused=(
            POSITIONS,
            CROSS_ATTENTION,
            (r"(img|text)_encoder\.local_embed\.", "local heads of the shared encoders, not used by ConVIRT"),
        ),
        supplied=(NO_TOKEN_TYPES,),
        vocabulary=28996,
        max_tokens=112,
        source=SOURCE,
        notes=notes,
        exposure=(MIMIC_CXR,),
    )


def _of_edreis() -> ReleasedLayout:
    return ReleasedLayout(
        name="ConVIRT (edreisMD), ResNet-50",
        marks=("res_features.", "res_l1.", "bert_model.", "bert_l1."),
        rename=(
            ("res_features.0.", "image_encoder.model.conv1."),
            ("res_features.1.", "image_encoder.model.bn1."),
            *((f"res_features.{3 + n}.", f"image_encoder.model.layer{n}.") for n in (1, 2, 3, 4)),
            ("res_l1.", "image_head.0."),
            ("res_l2.", "image_head.2."),
            ("bert_model.", "text_encoder.model."),
            ("bert_l1.", "text_head.0."),
            ("bert_l2.", "text_head.2."),
        ),
        method={
            "type": "convirt_released",
            "image_encoder": {
                "model_name": "resnet50",
                "in_channels": 3,
                "input": {"size": 224, "channels": 3, "mean": 0.5, "std": 0.5, "resize": "squash"},
            },
            "text_encoder": {"config": {"model_type": "bert", "num_hidden_layers": 12}, "pool": "mean"},
            "embed_dim": 512,
            "image_hidden": 2048,
            "text_hidden": 768,
            "temperature": 0.1,
        },
        unused=(POSITIONS, (r"bert_model\.pooler\.", "BERT's pooler: tokens are averaged instead")),
        vocabulary=28996,
        max_tokens=512,
        source="github.com/edreisMD/ConVIRT-pytorch",
        notes=(
            "the input's statistics could not be established: 0.5 / 0.5 is a guess "
            "(--input mean=...,std=... changes it)",
        ),
    )
