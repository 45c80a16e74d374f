"""mmseg's EncoderDecoder, which takes our masks and whose predictions keep the logits."""

from __future__ import annotations

from typing import Any

from mmengine.registry import MODELS
from mmengine.structures import PixelData
from mmseg.models.segmentors import EncoderDecoder
from mmseg.structures import SegDataSample
from mmseg.utils import add_prefix
from torch import Tensor

from prior_bench.openmmlab.shared import whole_samples
from prior_bench.shares.rows import whole
from prior_bench.shares.share import current


@MODELS.register_module()
class LogitSegmentor(EncoderDecoder):
    """An EncoderDecoder that returns logits of one channel as logits.

    mmseg stores their sigmoid under ``seg_logits``; a loss of them would apply the sigmoid twice.
    """

    def extract_feat(self, inputs: Any) -> Any:
        """Return the backbone's maps; a decoder that ``takes_images`` gets the images before them.

        Without a backbone, the inputs are maps, and already include the images.
        """
        maps = super().extract_feat(inputs)
        takes = getattr(self.decode_head, "takes_images", False) and isinstance(inputs, Tensor)
        return (inputs, *maps) if takes else maps

    def loss(self, inputs: Any, data_samples: list[SegDataSample]) -> dict[str, Tensor]:
        """Return the losses; a softmax over two outputs needs masks of integers of 64 bits."""
        if self.decode_head.out_channels > 1:
            for sample in data_samples:
                sample.gt_sem_seg = PixelData(data=sample.gt_sem_seg.data.long())
        if current() is None:
            losses: dict[str, Tensor] = super().loss(inputs, data_samples)
            return losses
        logits = whole(self.decode_head(self.extract_feat(inputs)))
        found = self.decode_head.loss_by_feat(logits, whole_samples(data_samples, logits.device))
        return add_prefix(found, "decode")

    def postprocess_result(
        self, seg_logits: Tensor, data_samples: list[SegDataSample] | None = None
    ) -> list[SegDataSample]:
        """Return samples with ``pred_sem_seg`` and ``seg_logits`` of logits [B, C, H, W] at input size."""
        samples: list[SegDataSample] = super().postprocess_result(seg_logits, data_samples)
        for sample, logits in zip(samples, seg_logits, strict=True):
            sample.set_data({"seg_logits": PixelData(data=logits)})
        return samples
