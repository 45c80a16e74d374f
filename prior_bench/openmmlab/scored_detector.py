"""A YOLOv3 that also computes the training loss of the batches on which it is evaluated."""

from __future__ import annotations

from typing import Any

from mmdet.models.detectors import YOLOV3
from mmengine.registry import MODELS
from torch import Tensor


@MODELS.register_module()
class LossYOLOV3(YOLOV3):
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
