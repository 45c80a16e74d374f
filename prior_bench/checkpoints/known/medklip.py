"""MedKLIP, KAD and MAVL: the ResNet-50s of their image encoders, stored as ``nn.Sequential``.

MedKLIP, MAVL and KAD at 224 pixels end with the third of the four stages, so that the map has 1024 channels
and 16 pixels per position.
"""

from __future__ import annotations

from typing import Any

from prior_bench.checkpoints.known.parts import (
    IMAGENET,
    MIMIC_CXR,
    all_but,
    image_encoder,
    sequential_resnet,
)
from prior_bench.checkpoints.layouts import ReleasedLayout

THREE_STAGES: dict[str, Any] = {
    "layers": (3, 4, 6, 0),
    "channels": (64, 128, 256, 256),
    "output_stride": 16,
}
"""timm's arguments for a ResNet-50 without its last stage, which becomes an identity."""
_SHORT = "as released, the ResNet-50 ends with its third stage: 1024 features"
_REST = "the map to the decoder, the decoder of findings and its classifiers: not the image encoder"


def layouts() -> tuple[ReleasedLayout, ...]:
    """Return the layouts of this family (entry point ``prior_bench.layouts``)."""
    short = {"image_encoder": image_encoder("resnet50", **IMAGENET, **THREE_STAGES)}
    medklip = ReleasedLayout(
        name="MedKLIP, ResNet-50",
        marks=("res_features.6.5.", "res_l1.", "decoder.layers."),
        rename=sequential_resnet("res_features.", stages=3),
        method=short,
        unused=(all_but(r"res_features\.", reason=_REST),),
        source="github.com/MediaBrain-SJTU/MedKLIP",
        notes=(_SHORT,),
        exposure=(MIMIC_CXR,),
    )
    mavl = ReleasedLayout(
        name="MAVL, ResNet-50",
        marks=("backbone.6.5.", "pool.positional_embedding", "location_emb."),
        rename=sequential_resnet("backbone.", stages=3),
        method=short,
        unused=(all_but(r"backbone\.", reason=_REST),),
        source="github.com/HieuPhan33/CVPR2024_MAVL",
        notes=(
            _SHORT,
            "the global feature is the mean of the map; the released attention pool projects to 256 numbers "
            "for the comparison with texts",
        ),
        exposure=(MIMIC_CXR,),
    )
    return medklip, mavl, *_kad()


def _kad() -> tuple[ReleasedLayout, ...]:
    common: dict[str, Any] = {
        "unused": (
            all_but(r"res_features\.", r"resnet\.", reason="the map to the decoder of findings"),
            (r"resnet\.", "the same tensors under a second name, and stages that are not run"),
        ),
        "wrappers": ("", "module.", "image_encoder."),
        "source": "github.com/xiaoman-zhang/KAD",
        "exposure": (MIMIC_CXR,),
    }
    marks = ("res_features.6.5.", "res_l1.", "resnet.conv1.")
    whole = ReleasedLayout(
        name="KAD, ResNet-50",
        marks=(*marks, "res_features.7.2."),
        rename=sequential_resnet("res_features."),
        method={"image_encoder": image_encoder("resnet50", 512, "crop", interpolation="bicubic", **IMAGENET)},
        notes=("KAD-512 and KAD-1024 have the same tensors; for the latter: --input size=1024",),
        **common,
    )
    short = ReleasedLayout(
        name="KAD at 224 pixels, ResNet-50",
        marks=marks,
        shapes=(("res_l1.weight", (1024, 1024)),),
        rename=sequential_resnet("res_features.", stages=3),
        method={
            "image_encoder": image_encoder(
                "resnet50", resize="crop", interpolation="bicubic", **IMAGENET, **THREE_STAGES
            )
        },
        notes=(_SHORT,),
        **common,
    )
    return whole, short
