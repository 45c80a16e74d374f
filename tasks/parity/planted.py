"""Numbers that a fixture need not hold: both sides compute them."""

import math

import numpy as np
import torch


def planted(*shape: int, start: float = 0.0, scale: float = 1.0) -> torch.Tensor:
    """Return float32 of a shape: ``scale`` x sin(``start`` + 1.7 k) for the k-th number."""
    angles = start + 1.7 * np.arange(math.prod(shape), dtype=np.float64)
    return torch.from_numpy((scale * np.sin(angles)).astype(np.float32).reshape(shape))


def planted_labels(images: int, classes: int, exclusive: bool) -> torch.Tensor:
    """Return labels, float32 [images, classes]: about a third are 1, or (``exclusive``) one in each row."""
    if exclusive:
        return torch.eye(classes)[torch.arange(images) * 7 // 3 % classes]
    return (planted(images, classes, start=0.4) > 0.5).float()
