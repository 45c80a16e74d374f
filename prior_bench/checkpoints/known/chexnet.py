"""The released re-implementation of CheXNet: torchvision's DenseNet-121, trained on ChestX-ray14."""

from __future__ import annotations

from prior_bench.checkpoints.known.parts import (
    IMAGENET,
    counters_of_densenet121,
    image_encoder,
    old_densenet121,
)
from prior_bench.checkpoints.layouts import ReleasedLayout


def layouts() -> tuple[ReleasedLayout, ...]:
    """Return the layouts of this family (entry point ``prior_bench.layouts``)."""
    chexnet = ReleasedLayout(
        name="CheXNet (arnoweng), DenseNet-121",
        marks=("densenet121.features.denseblock4.denselayer16.", "densenet121.classifier.0."),
        rename=old_densenet121("densenet121."),
        method={"image_encoder": image_encoder("densenet121", resize="crop", resize_to=256, **IMAGENET)},
        unused=((r"densenet121\.classifier\.", "the classifier of 14 findings"),),
        supplied=counters_of_densenet121("a counter of batches, which PyTorch before 0.4.1 did not keep"),
        source="github.com/arnoweng/CheXNet",
        notes=("as released, scores are the mean of ten crops; here, one view of the image is read",),
        exposure=(("nih_chestxray14", "trained on ChestX-ray14, with a split of its own"),),
    )
    return (chexnet,)
