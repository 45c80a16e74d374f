"""mmdet's YOLOv3 for batches that several processes share, and with the loss of evaluated batches."""

from __future__ import annotations

from typing import Any

from mmdet.models.detectors import YOLOV3
from mmdet.models.utils import unpack_gt_instances
from mmengine.registry import MODELS
from torch import Tensor

from prior_bench.openmmlab.shared import whole_samples
from prior_bench.shares.rows import whole
from prior_bench.shares.share import current


@MODELS.register_module()
class SharedYOLOV3(YOLOV3):
    """mmdet's YOLOv3, which computes the loss of the whole batch where a process has a share of it."""

    def loss(self, batch_inputs: Tensor, batch_data_samples: list[Any]) -> Any:
        """Return the losses of a batch."""
        if current() is None:
            return super().loss(batch_inputs, batch_data_samples)
        (levels,) = self.bbox_head(self.extract_feat(batch_inputs))
        levels = tuple(whole(level) for level in levels)
        truth, ignored, places = unpack_gt_instances(whole_samples(batch_data_samples, levels[0].device))
        return self.bbox_head.loss_by_feat(levels, truth, places, ignored)


@MODELS.register_module()
class LossYOLOV3(SharedYOLOV3):
    """mmdet's YOLOv3 whose predictions state the loss of their batch in their metainfo, ``batch_loss``."""

    def predict(self, batch_inputs: Tensor, batch_data_samples: list[Any], rescale: bool = True) -> list[Any]:
        """Return samples with ``pred_instances`` and, as all samples of the batch, ``batch_loss``."""
        outputs = self.bbox_head(self.extract_feat(batch_inputs))
        truth = [sample.gt_instances for sample in batch_data_samples]
        places = [sample.metainfo for sample in batch_data_samples]
        losses = self.bbox_head.loss_by_feat(*outputs, truth, places)
        total = sum(float(value) for term in losses.values() for value in _listed(term))
        found = self.bbox_head.predict_by_feat(*outputs, batch_img_metas=places, rescale=rescale)
        samples: list[Any] = self.add_pred_to_datasample(batch_data_samples, found)
        for sample in samples:
            sample.set_metainfo({"batch_loss": total})
        return samples


def _listed(term: Any) -> list[Tensor]:
    """Return the tensors of a loss, which mmdet may give by level."""
    return list(term) if isinstance(term, list | tuple) else [term]
