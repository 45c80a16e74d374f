"""CXR-CLIP: its ResNet-50 and its Swin-T, without the text encoder."""

from __future__ import annotations

from prior_bench.checkpoints.known.parts import (
    IMAGENET,
    MIMIC_CXR,
    MODEL,
    SWIN_CONSTANTS,
    image_encoder,
    transformers_swin,
)
from prior_bench.checkpoints.layouts import ReleasedLayout

SOURCE = "github.com/Soombit-ai/cxr-clip"
_TEXT = (
    (r"text_encoder\.", "the text encoder: only the image encoder is read"),
    (r"(image|text)_projection\.", "the projections to the joint space"),
    (r"logit_scale$", "the temperature of the scores with texts"),
)
_SOME = "pre-trained on it in the variants with this data set; the file does not name its variant"
EXPOSURE = (MIMIC_CXR, ("chexpert", _SOME), ("nih_chestxray14", _SOME))


def layouts() -> tuple[ReleasedLayout, ...]:
    """Return the layouts of this family (entry point ``prior_bench.layouts``)."""
    resnet = ReleasedLayout(
        name="CXR-CLIP, ResNet-50",
        marks=("image_encoder.resnet.layer1.", "image_encoder.resnet.layer4."),
        rename=(("image_encoder.resnet.", MODEL),),
        method={"image_encoder": image_encoder("resnet50", resize="crop", **IMAGENET)},
        unused=_TEXT,
        wrappers=("", "module."),
        source=SOURCE,
        exposure=EXPOSURE,
    )
    swin = ReleasedLayout(
        name="CXR-CLIP, Swin-T",
        marks=("image_encoder.image_encoder.embeddings.", "image_encoder.image_encoder.encoder.layers.3."),
        rename=transformers_swin("image_encoder.image_encoder."),
        method={
            "image_encoder": image_encoder(
                "swin_tiny_patch4_window7_224", resize="crop", mean=0.5, std=0.5, img_size=224
            )
            | {"pool": "first"}
        },
        unused=(*_TEXT, SWIN_CONSTANTS),
        wrappers=("", "module."),
        source=SOURCE,
        notes=("the global feature is the first patch of the last map, as in the authors' code",),
        exposure=EXPOSURE,
    )
    return resnet, swin
