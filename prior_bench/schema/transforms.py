"""Image transforms of a config: the input of a backbone, and the steps of augmentation with their arguments.

The steps are torchvision's v2 transforms by name (:mod:`prior_bench.data.images.transforms`); a test compares
the arguments here with torchvision's. Nothing here imports torch.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from prior_bench.schema.base import (
    LEFT_OUT,
    Count,
    NotNegative,
    Pair,
    Positive,
    Probability,
    Problems,
    Real,
    Said,
    Several,
    Share,
    Strict,
)


def _rising(pair: tuple[float, float]) -> tuple[float, float]:
    if pair[0] > pair[1]:
        raise PydanticCustomError("allowed", "rising", {"allowed": "the smaller number first"})
    return pair


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise PydanticCustomError("allowed", "odd", {"allowed": "odd"})
    return value


Range = Annotated[Pair[NotNegative], AfterValidator(_rising)]
"""Two numbers of 0 or above, the smaller one first."""
Odd = Annotated[Count, AfterValidator(_odd)]
Amount = Annotated[NotNegative | Range, Said("a number of 0 or above, or two of them")]
"""A number, or two numbers between which it is drawn."""
Degrees = Annotated[
    NotNegative | Annotated[Pair[Real], AfterValidator(_rising)], Said("degrees, or two angles")
]

Mean = Annotated[Real | Several[Real], Said("a number, or one for each channel")]
Deviation = Annotated[Positive | Several[Positive], Said("a number above 0, or one for each channel")]


class Step(Strict):
    """A step of augmentation."""

    p: Probability = 1.0
    """Probability that the step is applied."""


class Flip(Strict):
    """A flip of left and right."""

    p: Probability = 0.5
    """Probability that the step is applied."""


class ResizedCrop(Step):
    """A random part of the image, scaled to the input."""

    size: Count = LEFT_OUT
    """Side of the result in pixels; default: the input size."""
    scale: Annotated[Pair[Share], AfterValidator(_rising)] = (0.08, 1.0)
    """Smallest and largest share of the image's area."""
    ratio: Annotated[Pair[Positive], AfterValidator(_rising)] = (0.75, 4 / 3)
    """Smallest and largest ratio of width to height."""


class Crop(Step):
    """A random part of the image, not scaled."""

    size: Count = LEFT_OUT
    """Side of the result in pixels; default: the input size."""
    padding: Annotated[int, Field(ge=0)] = LEFT_OUT
    """Pixels that are first added around the image."""
    pad_if_needed: bool = False
    """Whether to pad images that are too small."""


class Affine(Step):
    """Rotation, translation, scale and shear."""

    degrees: Degrees = 0
    """Largest rotation to either side in degrees, or two bounds."""
    translate: Pair[Probability] = LEFT_OUT
    """Largest translation, as shares of width and height."""
    scale: Annotated[Pair[Positive], AfterValidator(_rising)] = LEFT_OUT
    """Smallest and largest factor of the size."""
    shear: Degrees = LEFT_OUT
    """Largest shear to either side in degrees, or two bounds."""


class Rotation(Step):
    """Rotation about the centre."""

    degrees: Degrees
    """Largest rotation to either side in degrees, or two bounds."""
    expand: Literal[False] = False
    """The size of the image does not change."""


class Jitter(Step):
    """Changes of brightness and contrast; a radiograph has no colours."""

    brightness: Amount = LEFT_OUT
    """Largest deviation of the factor from 1, or two bounds of the factor."""
    contrast: Amount = LEFT_OUT
    """As ``brightness``, for the contrast."""


class Blur(Step):
    """Gaussian blur."""

    kernel_size: Odd
    """Side of the kernel in pixels."""
    sigma: Annotated[
        Positive | Annotated[Pair[Positive], AfterValidator(_rising)], Said("a number above 0, or two")
    ] = (
        0.1,
        2.0,
    )
    """Standard deviation in pixels, or its two bounds."""


class Sized(Strict):
    """A size in pixels."""

    size: Count
    """Side in pixels."""


ResizeTo = Annotated[Count | Sized, Said("a number of pixels, or dict(size=...)")]


class EvalSteps(Strict):
    """The steps of evaluation, none of which is random."""

    Resize: ResizeTo = LEFT_OUT
    """Size to which images are first scaled; the centre is then cropped to the input size."""


class TrainSteps(Strict):
    """The steps of augmentation, in the given order."""

    Resize: ResizeTo = LEFT_OUT
    """Size to which images are first scaled; the input is then cropped at random."""
    RandomResizedCrop: ResizedCrop | None = None
    """A random part of the image, scaled to the input."""
    RandomCrop: Crop | None = None
    """A random part of the image, not scaled."""
    RandomAffine: Affine | None = None
    """Rotation, translation, scale and shear."""
    RandomRotation: Rotation | None = None
    """Rotation about the centre."""
    RandomHorizontalFlip: Flip | None = None
    """A flip of left and right."""
    ColorJitter: Jitter | None = None
    """Changes of brightness and contrast."""
    GaussianBlur: Blur | None = None
    """Gaussian blur."""


class InputChange(Strict):
    """Changes of a backbone's own input."""

    size: Annotated[int, Field(ge=8)] = LEFT_OUT
    """Side of the square input in pixels."""
    channels: Literal[1, 3] = LEFT_OUT
    """Number of channels; a greyscale image is repeated."""
    mean: Mean = LEFT_OUT
    """Mean of the pixels in [0, 1]: a number, or one for each channel."""
    std: Deviation = LEFT_OUT
    """Standard deviation of the pixels in [0, 1]: a number, or one for each channel."""
    resize: Literal["squash", "pad", "crop", "pad_first"] = LEFT_OUT
    """Way to make an image square; ``pad`` scales, then pads, and ``pad_first`` pads, then scales (LoVT)."""
    interpolation: Literal["bilinear", "bicubic", "area", "bilinear_aliased"] = LEFT_OUT
    """Filter of the resizing: two antialiased ones, and OpenCV's INTER_AREA and INTER_LINEAR."""
    resize_to: Annotated[int, Field(ge=8)] = LEFT_OUT
    """Side to which the image is scaled before the centre is cropped to ``size``; default: ``size``, or the
    share that the backbone crops."""
    rounding: Literal["nearest", "down"] = LEFT_OUT
    """Rounding of the other side's scaled length where the aspect ratio is kept."""
    brighten: Literal["nearest", "down"] | None = LEFT_OUT
    """Whether pixels are first multiplied so that the brightest is white, and how products are rounded."""
    equalize: Literal["png", "jpeg"] | None = LEFT_OUT
    """Whether the histogram is first equalised, and the kind of file that then keeps the image (LoVT)."""


class Transform(Strict):
    """The preparation of images; everything else follows the backbone's own input."""

    input: InputChange | None = None
    """Changes of the backbone's input."""
    train: TrainSteps | None = None
    """Augmentation of training images."""
    eval: EvalSteps | None = None
    """Steps of evaluation."""

    @model_validator(mode="after")
    def _sizes(self) -> Transform:
        problems, size = Problems(), self.input.size if self.input else None
        for part, steps in (("train", self.train), ("eval", self.eval)):
            resize = steps.Resize if steps else None
            pixels: Any = resize.size if isinstance(resize, Sized) else resize
            if isinstance(pixels, dict):
                pixels = pixels["size"]
            if size and pixels and pixels < size:
                what = f"is {pixels}; must be at least input.size, which is {size}"
                problems.add(f"{part}.Resize", pixels, what)
        problems.raise_any()
        return self
