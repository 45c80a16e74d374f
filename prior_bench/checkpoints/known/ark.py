"""Ark and Ark+: Swin Transformers that were trained on the labels of several data sets."""

from __future__ import annotations

from typing import Any

from prior_bench.checkpoints.known.parts import IMAGENET, SWIN_CONSTANTS, image_encoder, old_swin
from prior_bench.checkpoints.layouts import ReleasedLayout

SOURCE = "github.com/jlianglab/Ark"
_SEEN = "trained on it, by the authors' code of six data sets; a file of fewer does not say so"
_DATA = ("mimic_cxr", "chexpert", "nih_chestxray14", "rsna_pneumonia", "vindr_cxr")


def layouts() -> tuple[ReleasedLayout, ...]:
    """Return the layouts of this family (entry point ``prior_bench.layouts``)."""
    base = image_encoder("swin_base_patch4_window7_224", interpolation="bicubic", **IMAGENET, img_size=224)
    large = image_encoder(
        "swin_large_patch4_window12_384", 768, interpolation="bicubic", **IMAGENET, img_size=768
    )
    return _layout("Ark, Swin-B", base, 128, ()), _layout(
        "Ark+, Swin-L at 768 pixels",
        large,
        192,
        ("the file does not state the size of images: 768 is that of the released Ark+",),
    )


def _layout(name: str, encoder: dict[str, Any], width: int, notes: tuple[str, ...]) -> ReleasedLayout:
    return ReleasedLayout(
        name=name,
        marks=("layers.0.downsample.", "layers.3.blocks.1.", "projector"),
        shapes=(("patch_embed.proj.weight", (width, 3, 4, 4)),),
        rename=old_swin(),
        method={"image_encoder": encoder},
        unused=(
            (r"projector\.", "the projection before the classifiers; the authors fine-tune without it"),
            (r"(omni_heads|head|head_dist)\.", "classifiers of the training data"),
            SWIN_CONSTANTS,
        ),
        wrappers=("", "module."),
        source=SOURCE,
        notes=(
            "of a file with a student and a teacher, the teacher is read, as the authors do",
            "features are those before the projector, as in the authors' fine-tuning; their linear probes "
            "read the projection",
            *notes,
        ),
        exposure=tuple((data, _SEEN) for data in _DATA),
    )
