"""Focal loss of a one-channel segmentation."""

from __future__ import annotations

from mmengine.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional


@MODELS.register_module()
class BinaryFocalLoss(nn.Module):
    """Mean over pixels of (1 - p)^gamma times the cross-entropy, p being the probability of what is true.

    Lin et al., arXiv 1708.02002, eq. 4 (no class weight), as in GLoRIA's and MGCA's code. mmseg's FocalLoss
    cannot be used: with one channel it pairs every pixel with every other on a CPU.

    Args:
        loss_weight: factor.
        gamma: focusing parameter.
        loss_name: key of the loss; it must begin with ``loss_``.
    """

    def __init__(self, loss_weight: float = 1.0, gamma: float = 2.0, loss_name: str = "loss_focal"):
        super().__init__()
        self.loss_weight, self.gamma, self.loss_name = loss_weight, gamma, loss_name

    def forward(
        self, logits: Tensor, target: Tensor, weight: Tensor | None = None, ignore_index: int | None = None
    ) -> Tensor:
        """Loss of logits [B, 1, H, W] for targets [B, H, W] of 0 and 1; ``weight`` is not used."""
        logits, target = logits.squeeze(1).float(), target.float()
        entropy = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
        wrong = (-logits * (2 * target - 1)).sigmoid()
        return self.loss_weight * (wrong**self.gamma * entropy).mean()
