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
        log: whether to use the negative logarithm of the Dice instead of one minus Dice (GLoRIA, MGCA).
        loss_name: key of the loss; it must begin with ``loss_``.
    """

    def __init__(
        self, loss_weight: float = 1.0, smooth: float = 1.0, log: bool = False, loss_name: str = "loss_dice"
    ):
        super().__init__()
        self.loss_weight, self.smooth, self.log, self.loss_name = loss_weight, smooth, log, loss_name

    def forward(
        self, logits: Tensor, target: Tensor, weight: Tensor | None = None, ignore_index: int | None = None
    ) -> Tensor:
        """Compute the loss of logits [B, 1, H, W] and targets [B, H, W] of 0 and 1; ``weight`` is unused."""
        probability, target = logits.squeeze(1).float().sigmoid(), target.float()
        overlap = (probability * target).sum()
        size = probability.sum() + target.sum()
        dice = (2 * overlap + self.smooth) / (size + self.smooth)
        return self.loss_weight * (-dice.log() if self.log else 1 - dice)
