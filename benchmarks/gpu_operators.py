"""Whether operators that detection takes from torchvision give on a GPU what they give on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from prior_bench.openmmlab import torchvision_ops as ops

Result = tuple[Tensor, ...]


def differences(device: str) -> dict[str, float]:
    """Return the largest relative difference of each operator's results on the device and on the CPU."""
    cases: dict[str, Callable[[str], Result]] = {
        "nms": _nms,
        "roi_align": _roi_align,
        "roi_align, gradient": _roi_align_gradient,
        "sigmoid_focal_loss": _focal_loss,
        "sigmoid_focal_loss, gradient": _focal_loss_gradient,
    }
    return {name: _difference(run("cpu"), run(device)) for name, run in cases.items()}


def _difference(here: Result, there: Result) -> float:
    worst = 0.0
    for one, other in zip(here, there, strict=True):
        if one.shape != other.shape:
            return float("inf")
        one, other = one.double(), other.cpu().double()
        worst = max(worst, float((one - other).abs().max() / one.abs().max().clamp(min=1e-12)))
    return worst


def _draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def _boxes(count: int, side: float) -> Tensor:
    corner = _draw(count, 2, seed=1).sigmoid() * side * 0.6
    return torch.cat([corner, corner + 4 + _draw(count, 2, seed=2).sigmoid() * side * 0.3], dim=1)


def _nms(device: str) -> Result:
    scores = torch.linspace(0.9, 0.1, 500)  # no ties, whose order is not defined
    return (ops.nms(_boxes(500, 200).to(device), scores.to(device), iou_threshold=0.5, offset=0),)


def _regions(device: str) -> Tensor:
    number = torch.arange(64).remainder(2).float()
    return torch.cat([number[:, None], _boxes(64, 200)], dim=1).to(device)


ALIGN: dict[str, Any] = dict(
    aligned_height=7, aligned_width=7, spatial_scale=0.25, sampling_ratio=0, pool_mode=1, aligned=True
)


def _roi_align(device: str) -> Result:
    features = _draw(2, 8, 50, 50).to(device)
    output = features.new_empty(64, 8, 7, 7)
    nothing = output.new_empty(0)
    ops.roi_align_forward(features, _regions(device), output, nothing, nothing, **ALIGN)
    return (output,)


def _roi_align_gradient(device: str) -> Result:
    gradient = _draw(64, 8, 7, 7, seed=3).to(device)
    found = gradient.new_zeros(2, 8, 50, 50)
    nothing = found.new_empty(0)
    ops.roi_align_backward(gradient, _regions(device), nothing, nothing, found, **ALIGN)
    return (found,)


def _logits(device: str) -> tuple[Tensor, Tensor, Tensor]:
    target = torch.arange(200).remainder(4)  # 3 is background
    return _draw(200, 3).to(device), target.to(device), torch.empty(0, device=device)


def _focal_loss(device: str) -> Result:
    logits, target, weight = _logits(device)
    output = torch.empty_like(logits)
    ops.sigmoid_focal_loss_forward(logits, target, weight, output, gamma=2.0, alpha=0.25)
    return (output,)


def _focal_loss_gradient(device: str) -> Result:
    logits, target, weight = _logits(device)
    found = torch.empty_like(logits)
    ops.sigmoid_focal_loss_backward(logits, target, weight, found, gamma=2.0, alpha=0.25)
    return (found,)
