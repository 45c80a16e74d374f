"""BioViL and BioViL-T: the ResNet-50 of their image models (hi-ml)."""

from __future__ import annotations

from typing import Any

from prior_bench.checkpoints.known.parts import MIMIC_CXR, MODEL, image_encoder
from prior_bench.checkpoints.layouts import ReleasedLayout

SOURCE = "github.com/microsoft/hi-ml, hi-ml-multimodal"
PLAIN: dict[str, Any] = {"mean": 0.0, "std": 1.0}
"""hi-ml scales pixels to [0, 1] and does not normalise them."""
_HEADS = (
    (r"encoder\.encoder\.fc\.", "ImageNet's classifier, which is never run"),
    (r"projector\.", "the projection to the joint space with texts"),
    (r"classifier\.", "a classifier of downstream tasks"),
)


def layouts() -> tuple[ReleasedLayout, ...]:
    """Return the layouts of this family (entry point ``prior_bench.layouts``)."""
    marks = ("encoder.encoder.layer1.", "encoder.encoder.layer4.", "projector.model.")
    rename = (("encoder.encoder.", MODEL),)
    single = ReleasedLayout(
        name="BioViL, ResNet-50",
        marks=marks,
        rename=rename,
        method={"image_encoder": image_encoder("resnet50", 480, "crop", resize_to=512, **PLAIN)},
        unused=_HEADS,
        wrappers=("", "module."),
        source=SOURCE,
        exposure=(MIMIC_CXR,),
    )
    two = ReleasedLayout(
        name="BioViL-T, ResNet-50",
        marks=(*marks, "encoder.backbone_to_vit.", "encoder.vit_pooler."),
        rename=rename,
        method={"image_encoder": image_encoder("resnet50", 448, "crop", resize_to=512, **PLAIN)},
        unused=(
            *_HEADS,
            (r"encoder\.backbone_to_vit\.", "a linear map of the ResNet's 2048 features to 256"),
            (r"encoder\.vit_pooler\.", "the comparison with a previous image, which a single image skips"),
            (r"encoder\.missing_previous_emb$", "a constant in place of that comparison"),
        ),
        wrappers=("", "module."),
        source=SOURCE,
        notes=(
            "features are the 2048 of the ResNet; hi-ml's own embedding of a single image is a linear map of "
            "them to 256 numbers, beside 256 constants",
        ),
        exposure=(MIMIC_CXR,),
    )
    return single, two
