"""Transform a decoded radiograph (uint8 [H, W]) to the input of a network (float32 [C, size, size]).

Geometric steps run on uint8 with one channel, which on a CPU is several times faster than float.
Augmentations are torchvision's v2 transforms by name, in the given order, e.g.
``dict(RandomResizedCrop=dict(scale=(0.6, 1.0)), RandomAffine=dict(degrees=20, p=0.5))``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

from prior_bench.api import InputSpec
from prior_bench.data.images.equalise import equalised
from prior_bench.data.images.geometry import Geometry
from prior_bench.errors import BenchError, unknown_name

AUGMENTATIONS: dict[str, type] = {
    "RandomResizedCrop": v2.RandomResizedCrop,
    "RandomCrop": v2.RandomCrop,
    "RandomAffine": v2.RandomAffine,
    "RandomRotation": v2.RandomRotation,
    "RandomHorizontalFlip": v2.RandomHorizontalFlip,
    "ColorJitter": v2.ColorJitter,
    "GaussianBlur": v2.GaussianBlur,
}
"""Augmentations of a training transform, besides ``Resize``. Their arguments are torchvision's; each
also takes ``p``, the probability that the step is applied."""

_SIZED = ("RandomResizedCrop", "RandomCrop")
_OWN_P = ("RandomHorizontalFlip",)

DenseTransform = Callable[
    [np.ndarray, np.ndarray | None, np.ndarray | None],
    tuple[Tensor, np.ndarray | None, Tensor | None, Geometry | None],
]


class RadiographTransform:
    """Transform that resizes by the input spec, augments and normalises.

    The functions below make it. It can be pickled.

    Args:
        spec: the input that the network expects.
        cfg: augmentations by name, in order, with their arguments. ``Resize=dict(size=256)`` first scales to
            another size, from which a square of ``spec.size`` is cropped: at random if ``random``, otherwise
            at the centre.
        random: whether augmentations are allowed.

        masks: filter of the resizing of masks, as in :meth:`Geometry.mask`.
        augment: ``"resized"``: augmentations change the resized image; ``"stored"``: the image as it is
            stored, which is resized afterwards. Masks are augmented after the resizing in both cases, as in
            GLoRIA's and MGCA's code, by the same draws. ``"stored"`` allows no step that changes the size.
        boxes: ``"clipped"``: boxes end at the borders of the input, and those that show less than a pixel are
            left out; ``"whole"``: all boxes stay as they are.

    Raises:
        BenchError: an augmentation or an argument is unknown.
    """

    def __init__(
        self,
        spec: InputSpec,
        cfg: Mapping[str, Any] | None,
        *,
        random: bool,
        masks: str = "nearest",
        augment: str = "resized",
        boxes: str = "clipped",
    ):
        self.spec, self.masks, self.stored_first = spec, masks, augment == "stored"
        self.clips = boxes == "clipped"
        steps = dict(cfg or {})
        resize = steps.pop("Resize", None)
        self.scale_to = spec.resize_to if resize is None else None
        if resize is None:
            resize = spec.size
        self.resize = int(resize["size"] if isinstance(resize, Mapping) else resize)
        if self.resize < spec.size:
            raise BenchError(
                f"Resize to {self.resize} is smaller than the input size {spec.size}", where="transform"
            )
        if not random and steps:
            raise BenchError(
                f"{', '.join(steps)} cannot be used in evaluation", where="transform", fix="use Resize only"
            )
        crops_by_itself = next(iter(steps), "") == "RandomResizedCrop"
        self.base = None if crops_by_itself else spec.resize
        if self.base and self.resize > spec.size and not any(name in steps for name in _SIZED):
            crop = v2.RandomCrop(spec.size) if random else v2.CenterCrop(spec.size)
        else:
            crop = None
        augmentations = [_augmentation(name, dict(values or {}), spec) for name, values in steps.items()]
        self.augment = (
            v2.Compose([*([crop] if crop else []), *augmentations]) if crop or augmentations else None
        )

    def geometry(self, height: int, width: int) -> Geometry | None:
        """Return the geometry of an image [height, width] if it is deterministic, otherwise None."""
        return None if self.augment or not self.base else self._geometry(height, width)

    def _geometry(self, height: int, width: int) -> Geometry:
        assert self.base is not None, "the first step does not crop by itself"
        return Geometry.of(height, width, self.resize, self.base, self.scale_to, self.spec.rounding)

    def __call__(self, image: np.ndarray) -> Tensor:
        """Transform an image, uint8 [H, W], to float32 [C, size, size]."""
        image = _prepared(image, self.spec)
        pixels = torch.from_numpy(np.require(image, requirements=["C", "W"]))[None]
        if self.base:
            pixels = self._geometry(*image.shape).image(pixels, self.spec.interpolation)
        if self.augment:
            pixels = self.augment(tv_tensors.Image(pixels)).as_subclass(Tensor)
        return normalise(pixels, self.spec)

    def dense(
        self, image: np.ndarray, boxes: np.ndarray | None = None, mask: np.ndarray | None = None
    ) -> tuple[Tensor, np.ndarray | None, Tensor | None, Geometry | None]:
        """Transform an image together with its boxes and mask.

        Args:
            image: uint8 [H, W].
            boxes: float32 [n, 4 or 5]: x1, y1, x2, y2 in stored pixels and, optionally, the class index.
            mask: uint8 [H, W].

        Returns:
            The image, float32 [C, S, S]; the boxes in input pixels, clipped, without those outside the image
            (unless ``boxes`` is ``"whole"``);
            the mask, uint8 [S, S] (float32 if reduced by area); and the Geometry, or None if augmentation is
            random.
        """
        image = _prepared(image, self.spec)
        pixels = torch.from_numpy(np.require(image, requirements=["C", "W"]))[None]
        drawn = torch.from_numpy(np.require(mask, requirements=["C", "W"])) if mask is not None else None
        placed = np.asarray(boxes, np.float32) if boxes is not None else None
        draws = torch.get_rng_state() if self.stored_first else None
        if self.augment and draws is not None:
            pixels, placed, _ = _augment_all(self.augment, pixels, placed, None)
        if self.base:
            base = self._geometry(*image.shape)
            pixels = base.image(pixels, self.spec.interpolation)
            drawn = base.mask(drawn, self.masks) if drawn is not None else None
            placed = base.boxes(placed) if placed is not None else None
        if self.augment and draws is None:
            pixels, placed, drawn = _augment_all(self.augment, pixels, placed, drawn)
        elif self.augment and draws is not None and drawn is not None:
            torch.set_rng_state(draws)
            _, _, drawn = _augment_all(self.augment, torch.zeros(1, *drawn.shape), None, drawn)
        if placed is not None and self.clips:
            placed = _clip(placed, pixels.shape[-2], pixels.shape[-1])
        return normalise(pixels, self.spec), placed, drawn, self.geometry(*image.shape)


def eval_transform(spec: InputSpec, cfg: Mapping[str, Any] | None = None) -> RadiographTransform:
    """Return the deterministic transform of ``spec``; ``cfg=dict(Resize=256)`` resizes, then crops."""
    return RadiographTransform(spec, cfg, random=False)


def train_transform(spec: InputSpec, cfg: Mapping[str, Any] | None = None) -> RadiographTransform:
    """Return a transform with the augmentations ``cfg`` (see :data:`AUGMENTATIONS`), in the given order.

    RandomResizedCrop as the first step crops the stored image and replaces ``spec.resize``.
    """
    return RadiographTransform(spec, cfg, random=True)


def dense_transform(
    spec: InputSpec,
    cfg: Mapping[str, Any] | None = None,
    masks: str = "nearest",
    augment: str = "resized",
    boxes: str = "clipped",
) -> DenseTransform:
    """Return ``(image, boxes, mask) -> (tensor, boxes, mask, Geometry or None)``; see
    RadiographTransform.dense, and RadiographTransform for ``masks``, ``augment`` and ``boxes``.

    Without ``cfg``, nothing is random, and the Geometry maps boxes and masks back exactly.
    """
    made = RadiographTransform(spec, cfg, random=bool(cfg), masks=masks, augment=augment, boxes=boxes)
    return made.dense


def _prepared(image: np.ndarray, spec: InputSpec) -> np.ndarray:
    """Return a stored image, uint8 [H, W], with the changes of its grey levels."""
    return equalised(brightened(image, spec.brighten), spec.equalize)


def brightened(image: np.ndarray, rounding: str | None) -> np.ndarray:
    """Multiply pixels, uint8 [H, W], so that the brightest is white; None leaves them as they are.

    MGCA and GLoRIA do it with DICOM files (``nearest``), and so does BenchX (``down``).
    """
    highest = int(image.max(initial=0))
    if rounding is None or highest in (0, 255):
        return image
    whole = np.floor if rounding == "down" else np.rint
    return whole(image / highest * 255).astype(np.uint8)


def normalise(pixels: Tensor, spec: InputSpec) -> Tensor:
    """Normalise uint8 [1, S, S] to float32 [C, S, S] with the channels, means and deviations of ``spec``."""
    grey = pixels.to(torch.float32)
    if isinstance(spec.mean, tuple) or isinstance(spec.std, tuple):
        channels = [
            grey * (1 / (255 * std)) - mean / std for mean, std in zip(spec.means, spec.stds, strict=True)
        ]
        return torch.cat(channels)
    scaled = grey.mul_(1 / (255 * spec.std)).sub_(spec.mean / spec.std)
    return scaled.expand(spec.channels, -1, -1).contiguous()


# --- augmentation -------------------------------------------------------------------------------------


def _augmentation(name: str, arguments: dict[str, Any], spec: InputSpec) -> v2.Transform:
    if name not in AUGMENTATIONS:
        raise unknown_name("augmentation", name, ["Resize", *AUGMENTATIONS], where="transform")
    probability = 1.0 if name in _OWN_P else arguments.pop("p", 1.0)
    if name in _SIZED:
        arguments.setdefault("size", spec.size)
    if name == "RandomResizedCrop":
        arguments.setdefault("antialias", True)
    if name == "RandomAffine":
        arguments.setdefault("degrees", 0)
        arguments.setdefault("interpolation", v2.InterpolationMode.BILINEAR)
    try:
        step = AUGMENTATIONS[name](**arguments)
    except (TypeError, ValueError) as error:
        raise BenchError(f"{name} does not take these arguments: {error}", where="transform") from error
    return step if probability == 1.0 else v2.RandomApply([step], p=probability)


def _augment_all(
    augment: v2.Transform, pixels: Tensor, boxes: np.ndarray | None, mask: Tensor | None
) -> tuple[Tensor, np.ndarray | None, Tensor | None]:
    sample: dict[str, Any] = {"image": tv_tensors.Image(pixels)}
    if boxes is not None:
        corners = torch.from_numpy(boxes[:, :4])
        sample["boxes"] = tv_tensors.BoundingBoxes(
            corners, format="XYXY", canvas_size=tuple(pixels.shape[-2:])
        )
    if mask is not None:
        sample["mask"] = tv_tensors.Mask(mask)
    sample = augment(sample)
    if boxes is not None:
        boxes = np.concatenate([sample["boxes"].as_subclass(Tensor).numpy(), boxes[:, 4:]], axis=1)
    drawn = sample["mask"].as_subclass(Tensor) if mask is not None else None
    return sample["image"].as_subclass(Tensor), boxes, drawn


def _clip(boxes: np.ndarray, height: int, width: int) -> np.ndarray:
    boxes = boxes.copy()
    boxes[:, 0:4:2] = boxes[:, 0:4:2].clip(0, width)
    boxes[:, 1:4:2] = boxes[:, 1:4:2].clip(0, height)
    visible = (boxes[:, 2] - boxes[:, 0] >= 1) & (boxes[:, 3] - boxes[:, 1] >= 1)
    return boxes[visible]
