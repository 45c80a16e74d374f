"""The same weights for both sides: random ones, and ones pre-trained on the sample by this suite."""

from pathlib import Path
from typing import Any

from benchmarks.official.scale import CROP

KINDS = ("random", "pre-trained")
CONFIG = Path(__file__).with_name("gloria_resnet50.py")
METHOD = "gloria.safetensors"
"""The whole GLoRIA, in this suite's format."""
IMAGE_ENCODER = "resnet50.pt"
"""Its image encoder alone: torchvision's ResNet-50 without the last layer, a format that everybody reads."""


def write_weights(kind: str, folder: Path) -> None:
    """Draw or train a small GLoRIA with a ResNet-50; write it, and its image encoder beside it."""
    import torch

    import prior_bench as pb
    from prior_bench.checkpoints.native import save_method
    from prior_bench.schema.reading import read_config

    if (folder / IMAGE_ENCODER).exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "random":
        backbone = pb.load_backbone(f"random:{CONFIG}", device="cpu")
        config, _ = read_config(str(CONFIG), "pretrain")
        save_method(folder / METHOD, backbone.method, config["method"], {})
    else:
        trained = pb.pretrain(CONFIG, folder=folder / "training", device="cpu")
        (folder / METHOD).write_bytes(Path(trained).read_bytes())
        backbone = pb.load_backbone(trained, device="cpu")
    weights = {
        name.removeprefix("model."): value for name, value in backbone.image_encoder.state_dict().items()
    }
    torch.save(weights, folder / IMAGE_ENCODER)


def image_encoder_row(folder: Path) -> dict[str, Any]:
    """The image encoder as the row of a suite."""
    return dict(
        name="ResNet-50",
        type="checkpoint",
        path=str(folder / IMAGE_ENCODER),
        image_encoder="resnet50",
        input=dict(size=CROP, channels=3, mean=0.5, std=0.5),
    )
