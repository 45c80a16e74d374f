"""Common parts of the released checkpoints of GLoRIA, MGCA and the MGCA repository's ConVIRT."""

from __future__ import annotations

from typing import Any

PADDING = (
    "as released, images are padded to a square of 256 and their centre of 224 is used: "
    "transform=dict(Resize=dict(size=256)) in a protocol does so"
)
CHEXPERT = ("chexpert", "pre-trained on CheXpert with its reports, by its authors' code")
"""Entry of ``exposure`` of GLoRIA."""
MIMIC_CXR = ("mimic_cxr", "pre-trained on MIMIC-CXR, by the README")
"""Entry of ``exposure`` of the weights of the MGCA repository."""
ENLARGED = (
    "zero-shot and retrieval enlarge the image to 299 pixels, as released, and so do the linear protocols of "
    "MGCA and GLoRIA; otherwise the image encoder is fed 224"
)


def image_encoder(model_name: str) -> dict[str, Any]:
    """Return the arguments of ImageEncoder for their encoders."""
    return {
        "model_name": model_name,
        "in_channels": 3,
        "local_stage": -2,
        "input": {"size": 224, "channels": 3, "mean": 0.5, "std": 0.5, "resize": "pad"},
    }
