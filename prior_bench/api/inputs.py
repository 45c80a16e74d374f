"""The input that an image encoder expects: size, channels, statistics, and how an image becomes a square."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from numbers import Integral
from typing import Any

from prior_bench.errors import BenchError, unknown_name

INTERPOLATIONS = ("bilinear", "bicubic", "area", "bilinear_aliased")
ROUNDINGS = ("nearest", "down")
RESIZES = ("squash", "pad", "crop", "pad_first")
FILES = ("png", "jpeg")
LARGEST = 8192
"""Largest side length in pixels; a slip or a damaged file would ask for terabytes."""
LEAST_STD, MOST = 1e-6, 1e4
"""Bounds of the statistics: torchxrayvision's pixels in [-1024, 1024] have a std of 1 / 2048."""
LATER_FIELDS: dict[str, Any] = {
    "interpolation": "bilinear",
    "resize_to": None,
    "rounding": "nearest",
    "brighten": None,
    "equalize": None,
}
"""Fields of InputSpec that were added later, with the values that are left out of keys."""


@dataclass(frozen=True, repr=False)
class InputSpec:
    """The input that an image encoder expects; it is stored with the weights.

    Attributes:
        size: side length of the square input, in pixels.
        channels: 1 or 3 (a greyscale image is repeated).
        mean, std: normalisation of pixels scaled to [0, 1]: one number, or one for each channel.
            Equal numbers for all channels become one.
        resize: ``"squash"`` (ignores the aspect ratio), ``"pad"`` (resizes the longest side, then pads with
            zeros to a square), ``"crop"`` (resizes the shortest side, then crops the centre) or
            ``"pad_first"`` (pads with zeros to a square, then resizes it, as LoVT does).
        interpolation: filter of the resizing: ``"bilinear"`` or ``"bicubic"``, both antialiased; ``"area"``,
            the mean over the area that a new pixel covers (OpenCV's INTER_AREA); or ``"bilinear_aliased"``,
            which interpolates between the four nearest pixels only (OpenCV's INTER_LINEAR).
        resize_to: side length in pixels to which ``resize`` scales, if it is larger than ``size``; the centre
            is then cropped to ``size``. By default it is ``size``.
        rounding: how ``"pad"`` and ``"crop"`` round the scaled length of the other side: to the ``"nearest"``
            pixel, or ``"down"``, as torchvision and most papers' code do.
        brighten: whether pixels are first multiplied so that the brightest is white, as some papers do with
            DICOM files, and how the products are rounded: to the ``"nearest"`` grey level, or ``"down"``.
            None: pixels stay as they are.
        equalize: whether the histogram is equalised before anything else, and the kind of file that keeps the
            result in between: ``"png"``, or ``"jpeg"``, which changes it (LoVT). None: it stays as it is.
    """

    size: int = 224
    channels: int = 3
    mean: float | tuple[float, ...] = 0.5
    std: float | tuple[float, ...] = 0.5
    resize: str = "pad"
    interpolation: str = "bilinear"
    resize_to: int | None = None
    rounding: str = "nearest"
    brighten: str | None = None
    equalize: str | None = None

    def __post_init__(self):
        _require_side("size", self.size)
        if self.resize_to is not None:
            _require_side("resize_to", self.resize_to)
        if self.channels not in (1, 3) or isinstance(self.channels, bool):
            raise BenchError(f"channels is {self.channels!r}; must be 1 or 3", where="input")
        if self.resize not in RESIZES:
            raise unknown_name("way to resize", str(self.resize), list(RESIZES), where="input")
        for name in ("mean", "std"):
            object.__setattr__(self, name, _statistic(name, getattr(self, name), self.channels))
        if self.interpolation not in INTERPOLATIONS:
            raise unknown_name("interpolation", self.interpolation, list(INTERPOLATIONS), where="input")
        if self.rounding not in ROUNDINGS:
            raise unknown_name("rounding", self.rounding, list(ROUNDINGS), where="input")
        if self.brighten not in (None, *ROUNDINGS):
            raise unknown_name("rounding of brighten", str(self.brighten), list(ROUNDINGS), where="input")
        if self.equalize not in (None, *FILES):
            raise unknown_name("file of equalize", str(self.equalize), list(FILES), where="input")
        if self.resize_to == self.size:
            object.__setattr__(self, "resize_to", None)
        if self.resize_to is not None and self.resize_to < self.size:
            what = f"resize_to is {self.resize_to}; must be at least size, which is {self.size}"
            raise BenchError(what, where="input", fix="leave it out, if nothing is cropped")

    def to_dict(self) -> dict[str, Any]:
        """Return the fields for keys and files; later fields are left out where they change nothing."""
        return {k: v for k, v in asdict(self).items() if k not in LATER_FIELDS or v != LATER_FIELDS[k]}

    def changed(self, changes: Mapping[str, Any]) -> InputSpec:
        """Return the spec with other fields.

        With another ``size``, the cropped share of the image stays the same; with another ``resize``,
        nothing is cropped, unless ``resize_to`` is given, too.
        """
        size, resized = changes.get("size", self.size), self.resize_to
        if resized is not None:
            resized = None if "resize" in changes else round(resized * size / self.size)
        return replace(self, **{"resize_to": resized, **changes})

    def __repr__(self) -> str:
        return f"InputSpec({', '.join(f'{name}={value!r}' for name, value in self.to_dict().items())})"

    @property
    def library_interpolation(self) -> str:
        """The filter as timm and open_clip name it; they lack ``"area"`` and ``"bilinear_aliased"``."""
        return "bicubic" if self.interpolation == "bicubic" else "bilinear"

    @property
    def means(self) -> tuple[float, ...]:
        """The mean of each channel."""
        return self.mean if isinstance(self.mean, tuple) else (self.mean,) * self.channels

    @property
    def stds(self) -> tuple[float, ...]:
        """The standard deviation of each channel."""
        return self.std if isinstance(self.std, tuple) else (self.std,) * self.channels


def spec_of(stated: Mapping[str, Any], where: object) -> InputSpec:
    """Return the InputSpec that a file or folder states; its errors name the place."""
    try:
        return InputSpec(**stated)
    except BenchError as error:
        raise BenchError(error.what, where=f"{where}: {error.where}", fix=error.fix) from error


def _require_side(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, Integral) or not 1 <= int(value) <= LARGEST:
        what = f"{name} is {value!r}; must be a number of pixels from 1 to {LARGEST}"
        raise BenchError(what, where="input")


def _statistic(name: str, given: Any, channels: int) -> float | tuple[float, ...]:
    values = tuple(given) if isinstance(given, list | tuple) else (given,)
    sound = all(isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) for v in values)
    if not sound or (name == "std" and min(values, default=0) <= 0):
        what = "a positive number" if name == "std" else "a number"
        raise BenchError(f"{name} is {given!r}; must be {what}, or one for each channel", where="input")
    if any(abs(v) > MOST for v in values) or (name == "std" and min(values) < LEAST_STD):
        what = f"{name} is {given!r}, which no pixels scaled to [0, 1] have"
        raise BenchError(what, where="input", fix="give it for pixels from 0 to 1, e.g. mean=0.5, std=0.25")
    if len(values) not in (1, channels):
        what = f"{name} has {len(values)} values, but the input has {channels} channels"
        raise BenchError(what, where="input", fix=f"give one value, or {channels}")
    return values[0] if len(set(values)) == 1 else values
