"""torchxrayvision's classifiers: DenseNet-121 at 224 pixels and ResNet-50 at 512, for grey images."""

from __future__ import annotations

from typing import Any

from prior_bench.checkpoints.known.parts import MODEL, image_encoder
from prior_bench.checkpoints.layouts import ReleasedLayout

SOURCE = "github.com/mlmed/torchxrayvision"
RANGE: dict[str, Any] = {"mean": 0.5, "std": 0.5 / 1024}
"""The library feeds pixels in [-1024, 1024], that is (pixel / 255 - 0.5) / (0.5 / 1024)."""
FOUND = "trained on it by some of torchxrayvision's weights; the file does not say by which"
_HEAD = "the classifier of findings"
_THRESHOLDS = (r"op_threshs$", "thresholds of the classifier")
_NOTES = (
    "pixels are scaled to [-1024, 1024], and the centre square is used, as the library does",
    "the data sets that were trained on differ by file (weights='densenet121-res224-all', '…-nih', …), and "
    "the file does not name them: the leakage check assumes all of them",
    "the library resizes with skimage or OpenCV, prior-bench with torchvision: pixels differ slightly",
)


def layouts() -> tuple[ReleasedLayout, ...]:
    """Return the layouts of this family (entry point ``prior_bench.layouts``)."""
    densenet = dict(
        rename=(("features.", f"{MODEL}features."),),
        method={"image_encoder": image_encoder("densenet121", resize="crop", grey=True, **RANGE)},
        unused=((r"classifier\.", _HEAD), _THRESHOLDS),
        wrappers=("", "module."),
        source=SOURCE,
        notes=_NOTES,
        exposure=_seen("mimic_cxr", "chexpert", "nih_chestxray14", "padchest_gr", "rsna_pneumonia", "openi"),
    )
    first = ("features.conv0.weight", (64, 1, 7, 7))
    dense = ("features.denseblock4.denselayer16.",)
    resnet = dict(
        marks=("layer4.2.", "layer3.5."),
        rename=(("", MODEL),),
        method={"image_encoder": image_encoder("resnet50", 512, "crop", grey=True, **RANGE)},
        unused=((r"fc\.", _HEAD),),
        source=SOURCE,
        notes=_NOTES,
        exposure=_seen("nih_chestxray14", "padchest_gr", "rsna_pneumonia", "siim_acr", "vindr_cxr"),
    )
    eighteen = (("fc.weight", (18, 2048)), ("conv1.weight", (64, 1, 7, 7)))
    return (
        ReleasedLayout(
            name="torchxrayvision, DenseNet-121",
            marks=(*dense, "op_threshs"),
            shapes=(first,),
            **densenet,  # type: ignore[arg-type]
        ),
        ReleasedLayout(
            name="torchxrayvision, DenseNet-121 without thresholds",
            marks=dense,
            shapes=(first, ("classifier.weight", (18, 1024))),
            **densenet,  # type: ignore[arg-type]
        ),
        ReleasedLayout(
            name="torchxrayvision, ResNet-50",
            shapes=eighteen,
            wrappers=("", "model.", "module.model."),
            **{**resnet, "unused": (*resnet["unused"], _THRESHOLDS)},  # type: ignore[arg-type, misc]
        ),
    )


def _seen(*names: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, FOUND) for name in names)
