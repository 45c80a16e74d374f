"""MRM, MaCo and ECAMP: ViT-B/16 of masked autoencoders with reports, as their fine-tuning code uses them."""

from __future__ import annotations

from typing import Any

from prior_bench.checkpoints.known.parts import MIMIC_CXR, MODEL, all_but, image_encoder
from prior_bench.checkpoints.layouts import ReleasedLayout

_KEPT = ("cls_token", "pos_embed", r"patch_embed\.", r"blocks\.")
_FRESH = "the authors' fine-tuning code puts a fresh norm after the mean of the patches"
_POOLING = (
    "the global feature is the mean of the patches (without the class token) and a fresh norm, as in the "
    "authors' fine-tuning code, which drops the pre-trained norm"
)


def layouts() -> tuple[ReleasedLayout, ...]:
    """Return the layouts of this family (entry point ``prior_bench.layouts``)."""
    mrm = _layout(
        "MRM, ViT-B/16",
        ("bert_encoder.", "bert_mlp.", "decoder_pred."),
        {"mean": 0.4978, "std": 0.2449},
        "github.com/RL4M/MRM-pytorch",
    )
    maco = _layout(
        "MaCo, ViT-B/16",
        ("bert_encoder.", "img_mlp.", "pos_weight_img."),
        {"mean": 0.4978, "std": 0.2449},
        "github.com/SZUHvern/MaCo",
    )
    ecamp = _layout(
        "ECAMP, ViT-B/16",
        ("bert_encoder.", "bert_mlp.", "decoder_pred.", "super_res."),
        {"mean": 0.4721, "std": 0.3037},
        "github.com/ToniChopp/ECAMP",
        "statistics are those of pre-training; its fine-tuning code has 0.4722 / 0.3028",
    )
    return mrm, maco, ecamp


def _layout(
    name: str, marks: tuple[str, ...], statistics: dict[str, Any], source: str, *notes: str
) -> ReleasedLayout:
    return ReleasedLayout(
        name=name,
        marks=("patch_embed.proj.", "blocks.11.", *marks),
        rename=tuple((part, MODEL + part) for part in ("cls_token", "pos_embed", "patch_embed.", "blocks.")),
        method={
            "image_encoder": image_encoder(
                "vit_base_patch16_224", resize="crop", **statistics, global_pool="avg", img_size=224
            )
        },
        unused=(
            (r"norm\.", "dropped as in the authors' fine-tuning code: a fresh norm takes its place"),
            all_but(*_KEPT, reason="the decoder of images and the part for reports"),
        ),
        supplied=(
            (f"{MODEL}fc_norm.weight", 1.0, _FRESH),
            (f"{MODEL}fc_norm.bias", 0.0, _FRESH),
        ),
        wrappers=("", "module."),
        source=source,
        notes=(_POOLING, *notes),
        exposure=(MIMIC_CXR,),
    )
