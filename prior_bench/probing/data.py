"""Torch data sets of images or features with their labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from prior_bench.data.images.read import read_image
from prior_bench.data.manifest import Manifest
from prior_bench.openmmlab.sampler import Draw


class LabelledImages(Dataset):
    """Transformed images with labels. An index that is a Draw seeds the augmentation; an integer does not.

    Args:
        manifest: manifest of the images, one per row.
        transform: function from uint8 [H, W] to float32 [C, S, S].
    """

    def __init__(self, manifest: Manifest, transform: Callable[[np.ndarray], torch.Tensor]):
        self.manifest, self.transform = manifest, transform
        self.targets = torch.tensor(manifest.targets())

    def __len__(self) -> int:
        return len(self.manifest)

    def __getitem__(self, key: int | Draw) -> dict[str, Any]:
        if not isinstance(key, Draw):
            return self._sample(int(key))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(key.seed)
            return self._sample(key.row)

    def _sample(self, row: int) -> dict[str, Any]:
        return {"inputs": self.transform(read_image(self.manifest.path(row))), "target": self.targets[row]}


class LabelledFeatures(Dataset):
    """Precomputed features with labels.

    Args:
        features: float32 [N, D].
        targets: float32 [N, C].
    """

    def __init__(self, features: np.ndarray, targets: np.ndarray):
        self.features, self.targets = torch.from_numpy(features), torch.tensor(targets)

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, key: int | Draw) -> dict[str, Any]:
        row = key.row if isinstance(key, Draw) else int(key)
        return {"inputs": self.features[row], "target": self.targets[row]}
