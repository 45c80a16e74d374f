"""The focal loss of a one-channel segmentation."""

from __future__ import annotations

from mmengine.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional


@MODELS.register_module()
class BinaryFocalLoss(nn.Module):
    """A loss of (1 - p)^gamma times the cross-entropy, averaged over pixels; p is the true label's
    probability.

    Lin et al., arXiv 1708.02002, eq. 4 (no class weight), as in GLoRIA's and MGCA's code. mmseg's FocalLoss
    cannot be used: on a CPU with one channel, it pairs every pixel with every other pixel.

    Args:
        loss_weight: factor of the loss. gamma: focusing parameter.
        loss_name: key of the loss; it must begin with ``loss_``.
    """

    def __init__(self, loss_weight: float = 1.0, gamma: float = 2.0, loss_name: str = "loss_focal"):
        super().__init__()
        self.loss_weight, self.gamma, self.loss_name = loss_weight, gamma, loss_name

    def forward(
        self, logits: Tensor, target: Tensor, weight: Tensor | None = None, ignore_index: int | None = None
    ) -> Tensor:
        """Compute the loss of logits [B, 1, H, W] and targets [B, H, W] of 0 and 1; ``weight`` is unused."""
        logits, target = logits.squeeze(1).float(), target.float()
        entropy = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
        wrong = (-logits * (2 * target - 1)).sigmoid()
        return self.loss_weight * (wrong**self.gamma * entropy).mean()
