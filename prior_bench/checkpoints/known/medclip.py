"""MedCLIP: its ResNet-50 and its Swin (called MedCLIP-ViT), without the text encoder."""

from __future__ import annotations

from typing import Any

from prior_bench.checkpoints.known.parts import (
    MIMIC_CXR,
    MODEL,
    SWIN_CONSTANTS,
    image_encoder,
    transformers_swin,
)
from prior_bench.checkpoints.layouts import ReleasedLayout

SOURCE = "github.com/RyanWangZf/MedCLIP"
INPUT: dict[str, Any] = {"mean": 0.5862785803043838, "std": 0.27950088968644304, "interpolation": "bicubic"}
_TEXT = (
    (r"text_model\.", "the text encoder: only the image encoder is read"),
    (r"logit_scale$", "the temperature of the scores with texts"),
)
EXPOSURE = (MIMIC_CXR, ("chexpert", "pre-trained on CheXpert's images, by its authors' code"))


def layouts() -> tuple[ReleasedLayout, ...]:
    """Return the layouts of this family (entry point ``prior_bench.layouts``)."""
    resnet = ReleasedLayout(
        name="MedCLIP, ResNet-50",
        marks=("vision_model.model.layer1.", "vision_model.model.layer4."),
        rename=(("vision_model.model.", MODEL),),
        method={"image_encoder": image_encoder("resnet50", resize="pad", **INPUT)},
        unused=((r"vision_model\.model\.fc\.", "the projection to the joint space with texts"), *_TEXT),
        wrappers=("", "module."),
        source=SOURCE,
        exposure=EXPOSURE,
    )
    swin = ReleasedLayout(
        name="MedCLIP, Swin-T",
        marks=("vision_model.model.embeddings.", "vision_model.model.encoder.layers.3."),
        rename=transformers_swin("vision_model.model."),
        method={
            "image_encoder": image_encoder(
                "swin_tiny_patch4_window7_224", resize="pad", img_size=224, **INPUT
            )
        },
        unused=(
            (r"vision_model\.projection_head\.", "the projection to the joint space with texts"),
            SWIN_CONSTANTS,
            *_TEXT,
        ),
        wrappers=("", "module."),
        source=SOURCE,
        exposure=EXPOSURE,
    )
    return resnet, swin
