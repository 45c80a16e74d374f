"""Map coordinates from a stored image to a network's input, and exactly back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as F

from prior_bench.errors import unknown_name

RESIZE_MODES = ("squash", "pad", "crop", "pad_first")


@dataclass(frozen=True)
class Geometry:
    """Scaling to ``scaled`` pixels, followed by padding (positive offset) or cropping (negative) to a square.

    With ``border``, the stored image is first padded.

    Attributes:
        height, width: size of the stored image, in pixels.
        scaled: (height, width) after scaling.
        offset: (top, left) corner of the scaled image in the square.
        size: side length of the square.
        border: (rows, columns) of zeros that are added on both sides before the scaling.
    """

    height: int
    width: int
    scaled: tuple[int, int]
    offset: tuple[int, int]
    size: int
    border: tuple[int, int] = (0, 0)

    @classmethod
    def of(
        cls,
        height: int,
        width: int,
        size: int,
        mode: str,
        scale_to: int | None = None,
        rounding: str = "nearest",
    ) -> Geometry:
        """Return the geometry of a ``resize`` mode of :class:`prior_bench.api.InputSpec`.

        Args:
            height, width: size of the stored image, in pixels.
            size: side length of the square.
            mode: ``"squash"``, ``"pad"``, ``"crop"`` or ``"pad_first"``. The last one adds whole
                pixels on both sides: if the sides differ by an odd number, the square lacks a row or column,
                as in LoVT.
            scale_to: side length to which the mode scales before the centre is cropped; by default ``size``.
            rounding: of the scaled length of the other side: ``"nearest"`` or ``"down"``. With ``"down"``,
                where ``"crop"`` could begin at two pixels, it takes the even one, as torchvision does.

        Raises:
            BenchError: the mode is unknown.
        """
        if mode not in RESIZE_MODES:
            raise unknown_name("resize mode", mode, list(RESIZE_MODES))
        if mode == "squash":
            scaled = (scale_to or size,) * 2
            return cls(height, width, scaled, ((size - scaled[0]) // 2,) * 2, size)
        if mode == "pad_first":
            border = (max(height, width) - height) // 2, (max(height, width) - width) // 2
            scaled = (scale_to or size,) * 2
            return cls(height, width, scaled, ((size - scaled[0]) // 2,) * 2, size, border)
        target, side = scale_to or size, (max if mode == "pad" else min)(height, width)
        if rounding == "down":
            # in integers, because 103 * (256 / 103) is less than 256
            scaled = max(1, height * target // side), max(1, width * target // side)
            if mode == "crop":
                offset = -round((scaled[0] - size) / 2), -round((scaled[1] - size) / 2)
                return cls(height, width, scaled, offset, size)
        else:
            scaled = max(1, round(height * (target / side))), max(1, round(width * (target / side)))
        return cls(height, width, scaled, ((size - scaled[0]) // 2, (size - scaled[1]) // 2), size)

    # --- images and masks

    def image(self, pixels: Tensor, interpolation: str = "bilinear") -> Tensor:
        """Map an image, uint8 [C, height, width], to [C, size, size], padded with 0.

        Args:
            pixels: the image.
            interpolation: filter, as in :class:`prior_bench.api.InputSpec`.
        """
        pixels = self._bordered(pixels)
        if interpolation == "area":
            return self._place(resized_by_area(pixels, self.scaled))
        aliased = interpolation == "bilinear_aliased"
        filter = InterpolationMode.BILINEAR if aliased else InterpolationMode(interpolation)
        scaled = F.resize(pixels, list(self.scaled), interpolation=filter, antialias=not aliased)
        return self._place(scaled)

    def mask(self, mask: Tensor, filter: str = "nearest") -> Tensor:
        """Map an integer mask [height, width] to [size, size].

        Args:
            mask: 0 and 1.
            filter: ``"nearest"``, which keeps 0 and 1, or ``"area"``: float32, the foreground's share of the
                area that a new pixel covers (OpenCV's INTER_AREA on a float mask).
        """
        if filter == "area":
            return self._place(area_means(self._bordered(mask[None]), self.scaled))[0]
        bordered = self._bordered(mask[None])
        nearest = F.resize(bordered, list(self.scaled), interpolation=InterpolationMode.NEAREST_EXACT)
        return self._place(nearest)[0]

    def _bordered(self, stored: Tensor) -> Tensor:
        rows, columns = self.border
        return F.pad(stored, [columns, rows, columns, rows]) if any(self.border) else stored

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
        (rows, columns) = self.border
        return self.scaled[1] / (self.width + 2 * columns), self.scaled[0] / (self.height + 2 * rows)

    @property
    def _corner(self) -> tuple[float, float]:
        """Place (x, y) of the stored image's upper left corner in the input."""
        (sx, sy), (top, left), (rows, columns) = self._scale, self.offset, self.border
        return left + columns * sx, top + rows * sy

    def boxes(self, boxes: np.ndarray) -> np.ndarray:
        """Map boxes [n, 4 or more] (x1, y1, x2, y2, …) from stored to input pixels, without clipping."""
        return _affine(boxes, self._scale, self._corner)

    @property
    def pixel(self) -> tuple[float, float]:
        """Width and height of a pixel of the input, in pixels of the stored image."""
        sx, sy = self._scale
        return 1 / sx, 1 / sy

    def to_original(self, boxes: np.ndarray | Tensor, clip: bool = True) -> np.ndarray:
        """Map boxes [n, 4 or more] from input pixels back to stored ones, clipped to the image or not."""
        boxes = boxes.detach().cpu().numpy() if isinstance(boxes, Tensor) else boxes
        (sx, sy), (left, top) = self._scale, self._corner
        back = _affine(boxes, (1 / sx, 1 / sy), (-left / sx, -top / sy))
        if clip:
            back[:, 0:4:2] = back[:, 0:4:2].clip(0, self.width)
            back[:, 1:4:2] = back[:, 1:4:2].clip(0, self.height)
        return back


def resized_by_area(pixels: Tensor, scaled: tuple[int, int]) -> Tensor:
    """Resize uint8 [C, H, W] to ``scaled``: each new pixel is the mean over the area of the image it covers.

    Pixels that it covers in part count in part, as in OpenCV's INTER_AREA. OpenCV does something else where
    one side becomes longer and the other shorter.
    """
    return area_means(pixels, scaled).round_().clamp_(0, 255).to(torch.uint8)


def area_means(pixels: Tensor, scaled: tuple[int, int]) -> Tensor:
    """Return the mean over the area that each new pixel covers, float32 [C, *scaled], of pixels [C, H, W]."""
    down, across = (_overlaps(old, new) for old, new in zip(pixels.shape[-2:], scaled, strict=True))
    return down @ pixels.to(torch.float32) @ across.T


@lru_cache(maxsize=16)
def _overlaps(old: int, new: int) -> Tensor:
    """The share of each of ``old`` pixels in each of ``new`` pixels of the same length in all, [new, old]."""
    step = old / new
    start = torch.arange(new, dtype=torch.float64)[:, None] * step
    pixel = torch.arange(old, dtype=torch.float64)
    covered = torch.minimum(start + step, pixel + 1) - torch.maximum(start, pixel)
    return (covered.clamp_(min=0) / step).to(torch.float32)


def _affine(boxes: np.ndarray, scale: tuple[float, float], shift: tuple[float, float]) -> np.ndarray:
    moved = np.asarray(boxes, dtype=np.float64).copy()
    moved[:, :4] = moved[:, :4] * (*scale, *scale) + (*shift, *shift)
    return moved.astype(np.float32)
