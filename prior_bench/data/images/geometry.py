"""Map coordinates from a stored image to a network's input, and exactly back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as F

from prior_bench.errors import unknown_name

RESIZE_MODES = ("squash", "pad", "crop")


@dataclass(frozen=True)
class Geometry:
    """Scaling to ``scaled`` pixels, followed by padding (positive offset) or cropping (negative) to a square.

    Attributes:
        height, width: size of the stored image, in pixels.
        scaled: (height, width) after scaling.
        offset: (top, left) corner of the scaled image in the square.
        size: side length of the square.
    """

    height: int
    width: int
    scaled: tuple[int, int]
    offset: tuple[int, int]
    size: int

    @classmethod
    def of(cls, height: int, width: int, size: int, mode: str, scale_to: int | None = None) -> Geometry:
        """Return the geometry of a ``resize`` mode of :class:`prior_bench.api.InputSpec`.

        Args:
            height, width: size of the stored image, in pixels.
            size: side length of the square.
            mode: ``"squash"``, ``"pad"`` or ``"crop"``.
            scale_to: side length to which the mode scales before the centre is cropped; by default ``size``.

        Raises:
            BenchError: the mode is unknown.
        """
        if mode not in RESIZE_MODES:
            raise unknown_name("resize mode", mode, list(RESIZE_MODES))
        if mode == "squash":
            scaled = (scale_to or size,) * 2
            return cls(height, width, scaled, ((size - scaled[0]) // 2,) * 2, size)
        scale = (scale_to or size) / (max if mode == "pad" else min)(height, width)
        scaled = max(1, round(height * scale)), max(1, round(width * scale))
        return cls(height, width, scaled, ((size - scaled[0]) // 2, (size - scaled[1]) // 2), size)

    # --- images and masks

    def image(self, pixels: Tensor, interpolation: str = "bilinear") -> Tensor:
        """Map an image [C, height, width] to [C, size, size] (antialiased, padded with 0)."""
        filter = InterpolationMode(interpolation)
        return self._place(F.resize(pixels, list(self.scaled), interpolation=filter, antialias=True))

    def mask(self, mask: Tensor) -> Tensor:
        """Map an integer mask [height, width] to [size, size] by the nearest pixel."""
        nearest = F.resize(mask[None], list(self.scaled), interpolation=InterpolationMode.NEAREST_EXACT)
        return self._place(nearest)[0]

    def _place(self, scaled: Tensor) -> Tensor:
        (top, left), (height, width) = self.offset, self.scaled
        bottom, right = self.size - height - top, self.size - width - left
        padding = [max(side, 0) for side in (left, top, right, bottom)]
        if any(padding):
            scaled = F.pad(scaled, padding)
        if top < 0 or left < 0:
            scaled = F.crop(scaled, max(-top, 0), max(-left, 0), self.size, self.size)
        return scaled

    # --- boxes

    @property
    def _scale(self) -> tuple[float, float]:
        return self.scaled[1] / self.width, self.scaled[0] / self.height

    def boxes(self, boxes: np.ndarray) -> np.ndarray:
        """Map boxes [n, 4 or more] (x1, y1, x2, y2, …) from stored to input pixels, without clipping."""
        (sx, sy), (top, left) = self._scale, self.offset
        return _affine(boxes, (sx, sy), (left, top))

    def to_original(self, boxes: np.ndarray | Tensor) -> np.ndarray:
        """Map boxes [n, 4 or more] from input pixels back to stored pixels, clipped to the stored image."""
        boxes = boxes.detach().cpu().numpy() if isinstance(boxes, Tensor) else boxes
        (sx, sy), (top, left) = self._scale, self.offset
        back = _affine(boxes, (1 / sx, 1 / sy), (-left / sx, -top / sy))
        back[:, 0:4:2] = back[:, 0:4:2].clip(0, self.width)
        back[:, 1:4:2] = back[:, 1:4:2].clip(0, self.height)
        return back


def _affine(boxes: np.ndarray, scale: tuple[float, float], shift: tuple[float, float]) -> np.ndarray:
    moved = np.asarray(boxes, dtype=np.float64).copy()
    moved[:, :4] = moved[:, :4] * (*scale, *scale) + (*shift, *shift)
    return moved.astype(np.float32)
