"""The soft Dice loss of a one-channel segmentation over the whole batch."""

from __future__ import annotations

from mmengine.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class BatchDiceLoss(nn.Module):
    """A loss of one minus the Dice of foreground probabilities over all pixels of the batch.

    Pooling the pixels gives images without foreground a gradient, unlike a Dice per image. mmseg's DiceLoss
    cannot be used: with one channel, it scores the background.

    Args:
        loss_weight: factor of the loss.
        smooth: value added to numerator and denominator (1 in GLoRIA's and MGCA's code).
        eps: smallest denominator.
        log: whether to use the negative logarithm of the Dice instead of one minus Dice (GLoRIA, MGCA).
        skips_empty: whether the loss of a batch without foreground is 0 (segmentation_models_pytorch).
        loss_name: key of the loss; it must begin with ``loss_``.
    """

    def __init__(
        self,
        loss_weight: float = 1.0,
        smooth: float = 1.0,
        log: bool = False,
        loss_name: str = "loss_dice",
        eps: float = 0.0,
        skips_empty: bool = False,
    ):
        super().__init__()
        self.eps, self.skips_empty = eps, skips_empty
        self.loss_weight, self.smooth, self.log, self.loss_name = loss_weight, smooth, log, loss_name

    def forward(
        self, logits: Tensor, target: Tensor, weight: Tensor | None = None, ignore_index: int | None = None
    ) -> Tensor:
        """Compute the loss of logits [B, 1, H, W] and targets [B, H, W] of 0 and 1; ``weight`` is unused."""
        probability, target = logits.squeeze(1).float().sigmoid(), target.float()
        overlap = (probability * target).sum()
        size = probability.sum() + target.sum()
        dice = (2 * overlap + self.smooth) / (size + self.smooth).clamp_min(self.eps)
        loss = -dice.log() if self.log else 1 - dice
        if self.skips_empty:
            loss = loss * (target.sum() > 0)
        return self.loss_weight * loss
