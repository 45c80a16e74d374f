"""A manifest as a torch data set of decoded and transformed images."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from torch import Tensor
from torch.utils.data import Dataset

from prior_bench.data.images.read import read_image
from prior_bench.data.manifest import Manifest


class ImageDataset(Dataset):
    """The images of a manifest; the caller looks up labels and reports by the row index.

    Args:
        manifest: the images to load.
        transform: function from uint8 [H, W] to float32 [C, S, S]
            (:mod:`prior_bench.data.images.transforms`).
        change: function from the decoded image and its id to the image that is transformed, e.g. a corruption
            (:mod:`prior_bench.data.images.corruptions`).
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
        """Return (image float32 [C, S, S], row).

        Raises:
            BenchError: the file cannot be decoded.
        """
        image = read_image(self.files[row])
        if self.change:
            image = self.change(image, self.ids[row])
        return self.transform(image), row
