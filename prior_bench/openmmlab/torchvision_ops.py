"""The stand-in for ``mmcv._ext`` if mmcv has no compiled ops; it implements some ops with torch.

Signatures and in-place outputs are those of mmcv 2.1's extension, so that mmcv's Python wrappers work. Half
precision is computed in float32, because torchvision's CPU kernels require it. Other names can also be
imported (mmcv looks up more than a hundred); they raise an error when they are called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torchvision  # noqa: F401  registers torch.ops.torchvision
from torch import Tensor
from torch.nn import functional

from prior_bench.errors import BenchError


def get_compiler_version() -> str:
    """Return the compiler of mmcv for environment reports."""
    return "none (torchvision stand-in)"


def get_compiling_cuda_version() -> str:
    """Return the CUDA version of mmcv for environment reports."""
    return "none (torchvision stand-in)"


def nms(boxes: Tensor, scores: Tensor, *, iou_threshold: float, offset: int) -> Tensor:
    """Return the indices of kept boxes [N, 4] by decreasing score; ``offset`` 1 includes the last pixel."""
    grown = torch.cat([boxes[:, :2], boxes[:, 2:] + offset], dim=1)
    return torch.ops.torchvision.nms(grown.float(), scores.float(), iou_threshold)


def softnms(
    boxes: Tensor,
    scores: Tensor,
    dets: Tensor,
    *,
    iou_threshold: float,
    sigma: float,
    min_score: float,
    method: int,
    offset: int,
) -> Tensor:
    """Apply soft-NMS (Bodla et al. 2017): fill ``dets`` [N, 5] and return the indices of the kept boxes.

    Args:
        method: 0 drops overlapping boxes, 1 lowers their score linearly, 2 lowers it by a Gaussian.
    """
    left, scores = torch.arange(len(boxes)), scores.clone()
    kept: list[Tensor] = []
    while len(left):
        best = left[scores[left].argmax()]
        dets[len(kept)] = torch.cat([boxes[best], scores[best, None]])
        kept.append(best)
        left = left[left != best]
        overlap = _iou(boxes[best], boxes[left], offset)
        if method == 2:
            decay = torch.exp(-(overlap**2) / sigma)
        else:
            lowered = 1 - overlap if method == 1 else torch.zeros_like(overlap)
            decay = torch.where(overlap >= iou_threshold, lowered, 1.0)
        scores[left] *= decay
        left = left[scores[left] >= min_score]
    return torch.stack(kept) if kept else torch.zeros(0, dtype=torch.long)


def _iou(box: Tensor, others: Tensor, offset: int) -> Tensor:
    top_left = torch.maximum(box[:2], others[:, :2])
    bottom_right = torch.minimum(box[2:], others[:, 2:])
    overlap = (bottom_right - top_left + offset).clamp(min=0).prod(dim=1)
    areas = (others[:, 2:] - others[:, :2] + offset).prod(dim=1)
    return overlap / ((box[2:] - box[:2] + offset).prod() + areas - overlap)


def roi_align_forward(
    input: Tensor,
    rois: Tensor,
    output: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    *,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Fill ``output`` [R, C, h, w] with the pooled regions ``rois`` [R, 5] of ``input``.

    Args:
        pool_mode: 1 averages the samples of a bin; 0 takes their maximum, whose position in ``input`` is
            written to ``argmax_y`` and ``argmax_x`` [R, C, h, w] (-1 for bins without samples).
    """
    input, rois = input.float(), rois.float()
    if pool_mode == 1:
        pooled = torch.ops.torchvision.roi_align(
            input, rois, spatial_scale, aligned_height, aligned_width, sampling_ratio, aligned
        )
        output.copy_(pooled)
        return
    start, size = _extents(rois, spatial_scale, aligned)
    if sampling_ratio > 0:
        samples = torch.full_like(size, sampling_ratio).long()
    else:
        samples = (size / size.new_tensor((aligned_height, aligned_width))).ceil().long()
    output.fill_(torch.finfo(torch.float32).min)  # as in mmcv for bins without samples
    argmax_y.fill_(-1)
    argmax_x.fill_(-1)
    for down, across in samples.unique(dim=0).tolist():
        if min(down, across) < 1:
            continue
        chosen = (samples == samples.new_tensor((down, across))).all(dim=1)
        rows, columns = aligned_height * down, aligned_width * across
        # each sample is the centre of a bin of a finer grid
        sampled = torch.ops.torchvision.roi_align(
            input, rois[chosen], spatial_scale, rows, columns, 1, aligned
        )
        greatest, place = functional.max_pool2d(sampled, (down, across), return_indices=True)
        (y, x), (height, width) = (values[chosen].T[..., None, None, None] for values in (start, size))
        output[chosen] = greatest.to(output)
        argmax_y[chosen] = (y + (place // columns + 0.5) * height / rows).to(argmax_y)
        argmax_x[chosen] = (x + (place % columns + 0.5) * width / columns).to(argmax_x)


def _extents(rois: Tensor, spatial_scale: float, aligned: bool) -> tuple[Tensor, Tensor]:
    """Return the first corner and the size of regions, each [R, 2] as (y, x), in pixels of the map."""
    first, last = (rois[:, corner] * spatial_scale - 0.5 * aligned for corner in ([2, 1], [4, 3]))
    return first, (last - first) if aligned else (last - first).clamp(min=1)


def roi_align_backward(
    grad_output: Tensor,
    rois: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    grad_input: Tensor,
    *,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Fill ``grad_input`` [B, C, H, W] with the gradient of :func:`roi_align_forward`."""
    grad_output, rois, shape = grad_output.float(), rois.float(), grad_input.shape
    if pool_mode == 0:
        # each value is from one position in one channel: a region of one pixel in a batch of channels
        grad_output = (grad_output * (argmax_y != -1)).reshape(-1, 1, 1, 1)
        rois = _one_pixel_regions(rois[:, 0], argmax_y.float(), argmax_x.float())
        shape = torch.Size((shape[0] * shape[1], 1, *shape[2:]))
        aligned_height = aligned_width = sampling_ratio = 1
        spatial_scale, aligned = 1.0, True
    grad = torch.ops.torchvision._roi_align_backward(
        grad_output, rois, spatial_scale, aligned_height, aligned_width, *shape, sampling_ratio, aligned
    )
    grad_input.copy_(grad.view_as(grad_input))


def _one_pixel_regions(image: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """Return aligned regions [R * C * h * w, 5] with centres ``y`` and ``x`` [R, C, h, w]."""
    channels = torch.arange(y.shape[1], device=y.device)
    plane = (image[:, None] * len(channels) + channels)[..., None, None].expand_as(y)
    return torch.stack([plane, x, y, x + 1, y + 1], dim=-1).reshape(-1, 5)


def sigmoid_focal_loss_forward(
    input: Tensor, target: Tensor, weight: Tensor, output: Tensor, *, gamma: float, alpha: float
) -> None:
    """Fill ``output`` [N, C] with the focal loss (Lin et al. 2017) of logits ``input`` [N, C].

    Args:
        target: int64 [N], class of each row; C means background.
        weight: [C], weight of each class, or empty.
    """
    output.copy_(_focal_loss(input.float(), target, weight.float(), gamma, alpha))


def sigmoid_focal_loss_backward(
    input: Tensor, target: Tensor, weight: Tensor, grad_input: Tensor, *, gamma: float, alpha: float
) -> None:
    """Fill ``grad_input`` [N, C] with the gradient of the sum of :func:`sigmoid_focal_loss_forward`."""
    with torch.enable_grad():
        logits = input.detach().float().requires_grad_()
        loss = _focal_loss(logits, target, weight.float(), gamma, alpha).sum()
    grad_input.copy_(torch.autograd.grad(loss, logits)[0])


def _focal_loss(logits: Tensor, target: Tensor, weight: Tensor, gamma: float, alpha: float) -> Tensor:
    classes = logits.shape[1]
    positive = functional.one_hot(target, classes + 1)[:, :classes].to(logits)
    cross_entropy = functional.binary_cross_entropy_with_logits(logits, positive, reduction="none")
    wrong = torch.where(positive > 0, 1 - logits.sigmoid(), logits.sigmoid())
    balance = torch.where(positive > 0, alpha, 1 - alpha)
    loss = balance * wrong**gamma * cross_entropy
    return loss * weight if weight.numel() else loss


def __getattr__(name: str) -> Callable[..., Any]:
    # inspect and importlib look up dunder names, which must not exist
    if name.startswith("__"):
        raise AttributeError(name)

    def missing(*args: Any, **kwargs: Any) -> Any:
        raise BenchError(
            "the torchvision stand-in for mmcv's compiled ops does not have this op",
            where=f"mmcv op '{name}'",
            fix="install a compiled mmcv; it is used instead",
        )

    missing.__name__ = name
    return missing
