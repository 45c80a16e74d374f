"""Corruptions of test images in five severities, independent of the backbone and of the files' resolution.

The decoded image is corrupted before a backbone's own resizing, so that all backbones see the same corrupted
test set. The amounts do not depend on the stored resolution: an image is first reduced to a shorter side of
at most :data:`SIDE` pixels, and noise and blur are relative to that side.

=========  ======================================================  ====  ====  ====  ====  ====
corruption amount                                                  1     2     3     4     5
=========  ======================================================  ====  ====  ====  ====  ====
noise      standard deviation of Gaussian noise, as a share of     0.08  0.12  0.18  0.26  0.38
           255; a grain has 1/224 of the shorter side
blur       standard deviation of the Gaussian, in 1/224 of the     1     2     3     4     6
           shorter side
contrast   remaining share of the difference to the mean           0.4   0.3   0.2   0.1   0.05
jpeg       quality                                                 25    18    15    10    7
exposure   exponent on grey values in [0, 1]: over-exposed         1.25  1.5   1.9   2.4   3
           (darker) or under-exposed (its inverse, brighter)
rotation   degrees about the centre, to the left or the right      3     6     10    15    25
=========  ======================================================  ====  ====  ====  ====  ====

The amounts of the first four are those of ImageNet-C (Hendrycks & Dietterich, ICLR 2019, arXiv 1903.12261;
blur is of its extra set), whose images have 224 pixels. ImageNet-C has no exposure and no rotation; their
amounts are this suite's. Random choices (noise, over or under, left or right) are seeded by the corruption,
the severity and the image's id, so that they depend neither on the order of the images nor on the run.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from prior_bench.data.images.decode import reduced
from prior_bench.errors import BenchError
from prior_bench.registry import CORRUPTIONS

Corruption = Callable[[np.ndarray, int, np.random.Generator], np.ndarray]
"""A function from uint8 [H, W], a severity (1 to 5) and a random generator to uint8 [H, W]. Users' own
corruptions are found as entry points of the group ``prior_bench.corruptions``, or as ``module:function`` in
the protocol."""

SEVERITIES = (1, 2, 3, 4, 5)

SIDE = 512
"""Shorter side, in pixels, to which larger images are reduced; larger for backbones with larger inputs."""

GRAIN = 224
"""Grains of noise along the shorter side, and the unit of blur: the side of ImageNet-C's images."""


class Condition(NamedTuple):
    """A corruption and its severity; as text ``noise_3``."""

    corruption: str
    severity: int

    def __str__(self) -> str:
        return f"{self.corruption}_{self.severity}"


def conditions(options: Mapping[str, Any]) -> tuple[Condition, ...]:
    """Return all conditions of the options ``corruptions`` and ``severities`` (default: all five)."""
    severities = options.get("severities", SEVERITIES)
    return tuple(Condition(name, s) for name in options.get("corruptions", ()) for s in severities)


def corrupt(image: np.ndarray, image_id: str, condition: Condition, side: int = SIDE) -> np.ndarray:
    """Return the corrupted image, uint8 [H', W'], which is no larger than the original.

    Args:
        image: uint8 [H, W].
        image_id: id of the image; it seeds the random choices.
        condition: corruption and severity.
        side: shorter side to which larger images are first reduced, in pixels.

    Raises:
        BenchError: the corruption is unknown, or its output has another type or size than its input.
    """
    corruption = CORRUPTIONS.get(condition.corruption)
    image = reduced(image, round(side * max(image.shape) / min(image.shape)))
    seed = hashlib.sha256(f"{condition}|{image_id}".encode()).digest()
    random = np.random.default_rng(int.from_bytes(seed[:8], "little"))
    changed = corruption(image, condition.severity, random)
    if getattr(changed, "dtype", None) != np.uint8 or changed.shape != image.shape:
        raise BenchError("does not return uint8 of the same size", where=f"corruption {condition}")
    return changed


def noise(image: np.ndarray, severity: int, random: np.random.Generator) -> np.ndarray:
    """Add white Gaussian noise."""
    deviation = (0.08, 0.12, 0.18, 0.26, 0.38)[severity - 1]
    height, width = image.shape
    grains = [max(1, round(length * GRAIN / min(image.shape))) for length in image.shape]
    field = Image.fromarray(random.standard_normal(grains, dtype=np.float32))
    # a box repeats grains that are larger than pixels, and averages those that are smaller
    drawn = np.asarray(field.resize((width, height), Image.Resampling.BOX))
    return _grey(image + 255 * deviation * drawn)


def blur(image: np.ndarray, severity: int, random: np.random.Generator) -> np.ndarray:
    """Blur with a Gaussian."""
    from scipy.ndimage import gaussian_filter

    deviation = (1, 2, 3, 4, 6)[severity - 1] * min(image.shape) / GRAIN
    return _grey(gaussian_filter(image.astype(np.float32), deviation, mode="nearest"))


def contrast(image: np.ndarray, severity: int, random: np.random.Generator) -> np.ndarray:
    """Reduce the contrast about the image's mean."""
    left = (0.4, 0.3, 0.2, 0.1, 0.05)[severity - 1]
    return _grey(image.mean() + left * (image - image.mean()))


def jpeg(image: np.ndarray, severity: int, random: np.random.Generator) -> np.ndarray:
    """Compress as JPEG in blocks of 8 pixels. Unlike the others, it affects smaller images more."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=(25, 18, 15, 10, 7)[severity - 1])
    return np.array(Image.open(file))


def exposure(image: np.ndarray, severity: int, random: np.random.Generator) -> np.ndarray:
    """Over- or under-expose by a gamma curve, with equal probability; black and white do not change."""
    exponent = (1.25, 1.5, 1.9, 2.4, 3.0)[severity - 1]
    if random.random() < 0.5:
        exponent = 1 / exponent
    return _grey(255 * (np.arange(256) / 255) ** exponent)[image]


def rotation(image: np.ndarray, severity: int, random: np.random.Generator) -> np.ndarray:
    """Rotate; the image is cut at the frame, and uncovered corners are black."""
    degrees = (3, 6, 10, 15, 25)[severity - 1]
    if random.random() < 0.5:
        degrees = -degrees
    return np.array(Image.fromarray(image).rotate(degrees, Image.Resampling.BILINEAR, fillcolor=0))


def _grey(values: np.ndarray) -> np.ndarray:
    return np.rint(values).clip(0, 255).astype(np.uint8)
