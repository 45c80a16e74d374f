"""Checkpoints with the keys and shapes of the released ones, and random content."""

import gzip
import json
from argparse import Namespace
from pathlib import Path

import torch
from torch import Tensor

KEYS = Path(__file__).parents[1] / "checkpoints" / "keys"
LAYOUTS = {
    "convirt_mgca_resnet50": "ConVIRT (MGCA repository), ResNet-50",
    "convirt_mgca_vit_base": "ConVIRT (MGCA repository), ViT-B/16",
    "convirt_thirdparty_edreis": "ConVIRT (edreisMD), ResNet-50",
    "gloria_resnet50": "GLoRIA, ResNet-50",
    "mgca_resnet50": "MGCA, ResNet-50",
    "mgca_vit_base": "MGCA, ViT-B/16",
    "prior": "PRIOR, ResNet-50",
    "prior_image_encoder_only": "PRIOR, image encoder",
}
"""Key list to layout."""
WITH_TEXT = tuple(name for name in LAYOUTS if name != "prior_image_encoder_only")


def shapes(name: str) -> dict[str, tuple[tuple[int, ...], torch.dtype]]:
    """Shape and type of each tensor of a released file, in its order."""
    with gzip.open(KEYS / f"{name}.txt.gz", "rt") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines]
    return {key: (tuple(json.loads(shape)), getattr(torch, dtype)) for key, shape, dtype in rows}


def light(name: str) -> dict[str, Tensor]:
    """Tensors of the right shapes that take no memory, each one number repeated; all different."""
    return {
        key: torch.full((1,), 0.01 + i / 10_000 if dtype.is_floating_point else 1, dtype=dtype)[0].expand(
            shape
        )
        for i, (key, (shape, dtype)) in enumerate(shapes(name).items())
    }


def real(name: str, seed: int = 0) -> dict[str, Tensor]:
    """Random tensors of the size of a trained network's."""
    random = torch.Generator().manual_seed(seed)
    found = {}
    for key, (shape, dtype) in shapes(name).items():
        if not dtype.is_floating_point:
            found[key] = torch.ones(shape, dtype=dtype)
        elif len(shape) > 1:
            inputs = max(1, torch.Size(shape[1:]).numel())
            found[key] = torch.randn(shape, generator=random) * min(0.05, (2 / inputs) ** 0.5)
        else:  # variances and scales near 1, so that nothing explodes
            positive = key.endswith("weight") or key.endswith("running_var")
            found[key] = torch.rand(shape, generator=random) * 0.2 + (0.9 if positive else -0.1)
    return found


def wrapped(name: str, tensors: dict[str, Tensor]) -> dict:
    """As the file of that name holds its state dict."""
    if name in ("convirt_thirdparty_edreis", "prior_image_encoder_only"):
        return tensors
    lightning = {
        "epoch": 3,
        "global_step": 7,
        "pytorch-lightning_version": "1.5.9",
        "state_dict": tensors,
        "callbacks": {},
        "optimizer_states": [],
        "lr_schedulers": [],
    }
    if name.startswith(("mgca", "convirt")):
        lightning["hyper_parameters"] = {"emb_dim": 128, "hparams": Namespace(gpus=2, data_dir=Path("/data"))}
    return lightning


def write(folder: Path, name: str, tensors: dict[str, Tensor]) -> Path:
    """The file of that name with these tensors."""
    torch.save(wrapped(name, tensors), path := folder / f"{name}.ckpt")
    return path


def write_vocabulary(folder: Path, size: int = 28996) -> Path:
    """A BERT vocabulary of that size, with letters, a few words of reports, and fillers."""
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    words = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        ".",
        "the",
        "heart",
        "is",
        "enlarged",
        "no",
        "clear",
    ]
    words += ["lungs", "are", "effusion", "pleural", *letters, *(f"##{c}" for c in letters)]
    words += [f"[unused{i}]" for i in range(size - len(words))]
    (path := folder / "vocab.txt").write_text("\n".join(words) + "\n")
    return path
