"""torchxrayvision's classifiers: DenseNet-121 at 224 pixels and ResNet-50 at 512, for grey images."""

from __future__ import annotations

from typing import Any

from prior_bench.checkpoints.known.parts import MODEL, image_encoder
from prior_bench.checkpoints.layouts import ReleasedLayout

SOURCE = "github.com/mlmed/torchxrayvision"
RANGE: dict[str, Any] = {"mean": 0.5, "std": 0.5 / 1024}
"""The library feeds pixels in [-1024, 1024], that is (pixel / 255 - 0.5) / (0.5 / 1024)."""
_FOUND = "some of torchxrayvision's weights were trained on it; the file does not say which it has"
_THRESHOLDS = (r"op_threshs$", "thresholds of the classifier")
_NOTES = (
    "pixels are scaled to [-1024, 1024], and the centre square is used, as the library does",
    "the data sets that were trained on differ by file (weights='densenet121-res224-all', '…-nih', …), and "
    "the file does not name them: the leakage check assumes all of them",
    "the library resizes with skimage or OpenCV, prior-bench with torchvision: pixels differ slightly",
)
_DENSENET = ("mimic_cxr", "chexpert", "nih_chestxray14", "padchest", "rsna_pneumonia", "openi")
_RESNET = ("nih_chestxray14", "padchest", "rsna_pneumonia", "siim_acr", "vindr_cxr")


def layouts() -> tuple[ReleasedLayout, ...]:
    """Return the layouts of this family (entry point ``prior_bench.layouts``)."""
    resnet = ReleasedLayout(
        name="torchxrayvision, ResNet-50",
        marks=("layer3.5.", "layer4.2."),
        shapes=(("conv1.weight", (64, 1, 7, 7)), ("fc.weight", (18, 2048))),
        rename=(("", MODEL),),
        method={"image_encoder": image_encoder("resnet50", 512, "crop", grey=True, **RANGE)},
        unused=((r"fc\.", "the classifier of findings"), _THRESHOLDS),
        wrappers=("", "model.", "module.model."),
        source=SOURCE,
        notes=_NOTES,
        exposure=tuple((name, _FOUND) for name in _RESNET),
    )
    return (
        _densenet("", ("op_threshs",), ()),
        _densenet(" without thresholds", (), (("classifier.weight", (18, 1024)),)),
        resnet,
    )


def _densenet(
    kind: str, marks: tuple[str, ...], shapes: tuple[tuple[str, tuple[int, ...]], ...]
) -> ReleasedLayout:
    return ReleasedLayout(
        name=f"torchxrayvision, DenseNet-121{kind}",
        marks=("features.denseblock4.denselayer16.", *marks),
        shapes=(("features.conv0.weight", (64, 1, 7, 7)), *shapes),
        rename=(("features.", f"{MODEL}features."),),
        method={"image_encoder": image_encoder("densenet121", resize="crop", grey=True, **RANGE)},
        unused=((r"classifier\.", "the classifier of findings"), _THRESHOLDS),
        wrappers=("", "module."),
        source=SOURCE,
        notes=_NOTES,
        exposure=tuple((name, _FOUND) for name in _DENSENET),
    )
