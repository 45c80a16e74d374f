"""Torch data sets that return the inputs and data samples of mmseg and mmdet models.

Images are already normalised for the backbone; the model must not normalise them again. Images without
foreground or boxes are kept.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import torch
from mmengine.structures import InstanceData, PixelData
from torch import Tensor
from torch.utils.data import Dataset

from prior_bench.api import InputSpec
from prior_bench.data.images.read import read_image
from prior_bench.data.images.transforms import DenseTransform
from prior_bench.data.manifest import Manifest
from prior_bench.openmmlab.sampler import Draw


class DenseDataset(Dataset, ABC):
    """Rows of a manifest after a transform that moves boxes and masks with the image.

    An integer index returns a row for evaluation. A Draw also seeds the augmentation, so that a sample does
    not depend on the process that loads it.

    Args:
        manifest: manifest with the rows.
        transform: see :func:`prior_bench.data.images.transforms.dense_transform`.
        classes: names of the foreground classes.
    """

    def __init__(self, manifest: Manifest, transform: DenseTransform, classes: tuple[str, ...]):
        self.manifest, self.transform = manifest, transform
        self.metainfo = {"classes": classes}

    def __len__(self) -> int:
        return len(self.manifest)

    def __getitem__(self, key: int | Draw) -> dict[str, Any]:
        if not isinstance(key, Draw):
            return self.sample(int(key))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(key.seed)
            return self.sample(key.row)

    @abstractmethod
    def sample(self, row: int) -> dict[str, Any]:
        """Return ``inputs`` [C, S, S] and ``data_samples`` of a row."""


class SegmentationDataset(DenseDataset):
    """Images with binary masks (the column ``mask``)."""

    def sample(self, row: int) -> dict[str, Any]:
        """Return ``inputs`` [C, S, S] and a SegDataSample whose ``gt_sem_seg`` is uint8 [1, S, S]."""
        image = read_image(self.manifest.path(row))
        annotated = self.manifest.cell("mask", row)
        inputs, _, mask, _ = self.transform(image, None, annotated.decode(*image.shape))
        assert mask is not None, "a mask that was given comes back"
        return {"inputs": inputs, "data_samples": mask_sample(mask, row)}


def mask_sample(mask: Tensor, row: int) -> Any:
    """Return a SegDataSample of a mask [H, W] at the size of the input, and of a row of the manifest."""
    from mmseg.structures import SegDataSample

    shape = tuple(mask.shape)
    sample = SegDataSample(metainfo=dict(row=row, img_shape=shape, ori_shape=shape, pad_shape=shape))
    sample.gt_sem_seg = PixelData(data=mask[None])
    return sample


class DetectionDataset(DenseDataset):
    """Images with boxes (the column ``boxes``, arrays [n, 5]); n may be 0.

    The input is padded with black at the right and bottom to a multiple of ``divisor``, as the upsampling in
    YOLOv3's neck requires. Padding does not change coordinates.
    """

    def __init__(
        self,
        manifest: Manifest,
        transform: DenseTransform,
        classes: tuple[str, ...],
        input: InputSpec,
        divisor: int = 32,
    ):
        super().__init__(manifest, transform, classes)
        self.divisor = divisor
        black = [-mean / std for mean, std in zip(input.means, input.stds, strict=True)]
        self.black = torch.tensor(black)[:, None, None]

    def sample(self, row: int) -> dict[str, Any]:
        """Return ``inputs`` [C, S, S] and a DetDataSample with ``gt_instances`` in pixels of the input.

        Its metainfo has ``row`` and ``geometry``, which maps back to pixels of the stored image (None if the
        image was augmented at random).
        """
        from mmdet.structures import DetDataSample

        image = read_image(self.manifest.path(row))
        annotated = np.asarray(self.manifest.cell("boxes", row), dtype=np.float32).reshape(-1, 5)
        inputs, moved, _, geometry = self.transform(image, annotated, None)
        assert moved is not None, "boxes that were given come back"
        visible = torch.from_numpy(moved)
        inputs = self._pad(inputs)
        shape = tuple(inputs.shape[-2:])
        sample = DetDataSample(
            metainfo=dict(
                row=row,
                geometry=geometry,
                img_shape=shape,
                ori_shape=shape,
                pad_shape=shape,
                batch_input_shape=shape,
                scale_factor=(1.0, 1.0),
            )
        )
        sample.gt_instances = InstanceData(bboxes=visible[:, :4], labels=visible[:, 4].long())
        return {"inputs": inputs, "data_samples": sample}

    def _pad(self, inputs: Tensor) -> Tensor:
        height, width = inputs.shape[-2:]
        sides = [side + -side % self.divisor for side in (height, width)]
        padded = self.black.expand(-1, *sides).clone()
        padded[:, :height, :width] = inputs
        return padded
