"""A manifest as a torch data set: decoded, transformed images with their row."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from torch import Tensor
from torch.utils.data import Dataset

from prior_bench.data.images.read import read_image
from prior_bench.data.manifest import Manifest


class ImageDataset(Dataset):
    """Images only; labels and reports are looked up in the manifest by the row index.

    Args:
        manifest: rows to serve.
        transform: from uint8 [H, W] to float32 [C, S, S] (see :mod:`prior_bench.data.images.transforms`).
        change: what is done to the decoded image before, from it and its id; see
            :mod:`prior_bench.data.images.corruptions`.
    """

    def __init__(
        self,
        manifest: Manifest,
        transform: Callable[[np.ndarray], Tensor],
        change: Callable[[np.ndarray, str], np.ndarray] | None = None,
    ):
        self.files = [str(manifest.root / name) for name in manifest.table["image"]]
        self.ids = [str(name) for name in manifest.table["id"]]
        self.transform, self.change = transform, change

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, row: int) -> tuple[Tensor, int]:
        """(image float32 [C, S, S], row).

        Raises:
            BenchError: the file cannot be decoded.
        """
        image = read_image(self.files[row])
        if self.change:
            image = self.change(image, self.ids[row])
        return self.transform(image), row
