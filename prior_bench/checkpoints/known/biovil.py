"""BioViL and BioViL-T: the ResNet-50 of their image models (hi-ml).

Their text encoder is in another place; ``baselines/biovil_released.py`` has the layouts of both together.
"""

from __future__ import annotations

from typing import Any

from prior_bench.checkpoints.known.parts import MIMIC_CXR, MODEL, image_encoder
from prior_bench.checkpoints.layouts import ReleasedLayout

SOURCE = "github.com/microsoft/hi-ml, hi-ml-multimodal"
PLAIN: dict[str, Any] = {"mean": 0.0, "std": 1.0}
"""hi-ml scales pixels to [0, 1] and does not normalise them."""
SINGLE, TWO = "BioViL, ResNet-50", "BioViL-T, ResNet-50"
WITH_BERT = ", with CXR-BERT"
"""End of the names of the layouts of both encoders."""
_REASONS = {
    "encoder.encoder.fc.": "ImageNet's classifier, which is never run",
    "classifier.": "a classifier of downstream tasks",
    "projector.": "the projection to the joint space with texts",
    "encoder.backbone_to_vit.": "a linear map of the ResNet's 2048 features to 256",
    "encoder.vit_pooler.": "the comparison with a previous image, which a single image skips",
    "encoder.missing_previous_emb": "a constant in place of that comparison",
    "text_model.cls.": "the head of masked language modelling",
}


def heads(*further: str) -> tuple[tuple[str, str], ...]:
    """Return the entries of ``unused`` for the classifiers and for further beginnings of names."""
    beginnings = ("encoder.encoder.fc.", "classifier.", *filter(None, further))
    return tuple((beginning.replace(".", r"\."), _REASONS[beginning]) for beginning in beginnings)


def input_of(size: int) -> dict[str, Any]:
    """Return the arguments of the image encoder, whose images are cropped from 512 pixels."""
    return image_encoder("resnet50", size, "crop", resize_to=512, **PLAIN)


def layouts() -> tuple[ReleasedLayout, ...]:
    """Return the layouts of this family (entry point ``prior_bench.layouts``)."""
    marks = ("encoder.encoder.layer1.", "encoder.encoder.layer4.", "projector.model.")
    rename = (("encoder.encoder.", MODEL),)
    single = ReleasedLayout(
        name=SINGLE,
        marks=marks,
        rename=rename,
        method={"image_encoder": input_of(480)},
        unused=heads("projector."),
        wrappers=("", "module."),
        source=SOURCE,
        exposure=(MIMIC_CXR,),
        text_model="microsoft/BiomedVLP-CXR-BERT-specialized@v1.1",
        with_text=SINGLE + WITH_BERT,
    )
    two = ReleasedLayout(
        name=TWO,
        marks=(*marks, "encoder.backbone_to_vit.", "encoder.vit_pooler."),
        rename=rename,
        method={"image_encoder": input_of(448)},
        unused=heads(
            "projector.", "encoder.backbone_to_vit.", "encoder.vit_pooler.", "encoder.missing_previous_emb"
        ),
        wrappers=("", "module."),
        source=SOURCE,
        notes=(
            "features are the 2048 of the ResNet; hi-ml's own embedding of a single image is a linear map of "
            "them to 256 numbers, beside 256 constants",
        ),
        exposure=(MIMIC_CXR,),
        text_model="microsoft/BiomedVLP-BioViL-T@v1.0",
        with_text=TWO + WITH_BERT,
    )
    return single, two
