"""MedKLIP, KAD and MAVL: the ResNet-50s of their image encoders, stored as ``nn.Sequential``.

MedKLIP, MAVL and KAD at 224 pixels end with the third of the four stages, so that the map has 1024 channels
and 16 pixels per position. Their decoders and text encoders are in ``baselines/*_released.py``.
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
CLINICAL_BERT = "emilyalsentzer/Bio_ClinicalBERT"
"""Text encoder of MedKLIP and MAVL, which is not in their files."""
WITH_CLINICAL_BERT = ", with BioClinicalBERT"
"""End of the names of the layouts of both encoders."""
_REST = "the map to the decoder, the decoder of findings and its classifiers: not the image encoder"


def layouts() -> tuple[ReleasedLayout, ...]:
    """Return the layouts of this family (entry point ``prior_bench.layouts``)."""
    return of_medklip(), of_mavl(), *of_kad()


def _three_stages() -> dict[str, Any]:
    return {"image_encoder": image_encoder("resnet50", **IMAGENET, **THREE_STAGES)}


def of_medklip() -> ReleasedLayout:
    """Return the layout of MedKLIP's image encoder."""
    name = "MedKLIP, ResNet-50"
    return ReleasedLayout(
        name=name,
        marks=("res_features.6.5.", "res_l1.", "decoder.layers."),
        rename=sequential_resnet("res_features.", stages=3),
        method=_three_stages(),
        unused=(all_but(r"res_features\.", reason=_REST),),
        source="github.com/MediaBrain-SJTU/MedKLIP",
        notes=(_SHORT,),
        exposure=(MIMIC_CXR,),
        text_model=CLINICAL_BERT,
        with_text=name + WITH_CLINICAL_BERT,
    )


def of_mavl() -> ReleasedLayout:
    """Return the layout of MAVL's image encoder."""
    name = "MAVL, ResNet-50"
    return ReleasedLayout(
        name=name,
        marks=("backbone.6.5.", "pool.positional_embedding", "location_emb."),
        rename=sequential_resnet("backbone.", stages=3),
        method=_three_stages(),
        unused=(all_but(r"backbone\.", reason=_REST),),
        source="github.com/HieuPhan33/CVPR2024_MAVL",
        notes=(
            _SHORT,
            "the global feature is the mean of the map; the released attention pool projects to 256 numbers "
            "for the comparison with texts",
        ),
        exposure=(MIMIC_CXR,),
        text_model=CLINICAL_BERT,
        with_text=name + WITH_CLINICAL_BERT,
    )


def of_kad() -> tuple[ReleasedLayout, ReleasedLayout]:
    """Return the layouts of KAD's image encoders: of four stages, and of three."""
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
