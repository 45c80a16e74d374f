"""Cross-modality conditional reconstruction (CCR): inputs, matching and losses of the two branches."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from prior_bench.prior.sentences import masked_mean


def scramble(patches: Tensor) -> Tensor:
    """Read a channel-major map as N rows of C in memory order, [B, N, C] (an error of the released code)."""
    return patches.mT.reshape(patches.shape)


def to_map(patches: Tensor, scrambled: bool = False) -> Tensor:
    """Convert patches [B, N, D] of a square grid to a map [B, D, H, W]; as released, only reshape them."""
    batch, count, dim = patches.shape
    side = math.isqrt(count)
    return (patches if scrambled else patches.mT).reshape(batch, dim, side, side)


def fuse(patches: Tensor, attended: Tensor, drop: float, by_channel: bool, scrambled: bool) -> Tensor:
    """Concatenate the masked image and, for each patch, the sentences it attends to: [B, 2D, H, W].

    Args:
        patches: [B, N, D].
        attended: [B, N, D], for each patch the sentences that it attends to.
        drop: share of positions that are masked; the others are scaled up, as in dropout.
        by_channel: whether to mask channels instead of positions.
        scrambled: see :func:`to_map`.
    """
    if by_channel:
        image = F.dropout2d(to_map(patches, scrambled), drop)
    else:
        image = to_map(F.dropout1d(patches, drop), scrambled)
    return torch.cat([image, to_map(attended, scrambled)], dim=1)


def image_loss(decoded: Tensor, images: Tensor) -> Tensor:
    """Compute the mean absolute error to the first channel of images [B, C, S, S], resized if necessary."""
    target = images[:, :1]
    if target.shape[-2:] != decoded.shape[-2:]:
        target = F.interpolate(target, size=decoded.shape[-2:], mode="bilinear", align_corners=True)
    return (decoded - target).abs().mean()


def matching_cost(decoded: Tensor, targets: Tensor) -> Tensor:
    """Compute the L1 distance of each decoded sentence and each target, both [B, N, D]: float64 [B, N, N]."""
    return torch.cdist(decoded.detach().double(), targets.detach().double(), p=1)


def assign(cost: Tensor) -> Tensor:
    """Return the target of each query, int64 [B, N], by Hungarian matching of costs [B, N, N]."""
    # the one place of a step in which the host must wait for a GPU
    columns = np.stack([linear_sum_assignment(one)[1] for one in cost.cpu().numpy()])
    return torch.from_numpy(columns).to(cost.device, non_blocking=True)


def reorder(decoded: Tensor, assignment: Tensor, inverse: bool = False) -> Tensor:
    """Sort decoded sentences [B, N, D] in the order of their targets (or, as released, the inverse order)."""
    order = assignment if inverse else assignment.argsort(1)
    return decoded.gather(1, order[..., None].expand_as(decoded))


def report_loss(reordered: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """Compute the mean absolute error of [B, N, D] over the slots of ``mask``, averaged over reports."""
    return masked_mean((reordered - targets).abs().mean(-1), mask).mean()
