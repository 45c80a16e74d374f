"""Histograms equalised before anything else, as LoVT does with the images of SIIM-ACR and Object-CXR."""

from __future__ import annotations

from io import BytesIO

import numpy as np

LEVELS = 256
"""Grey levels of an image, and bins of its histogram (scikit-image's default)."""
QUALITY = 75
"""Quality of JPEG files (Pillow's default)."""


def equalised(image: np.ndarray, file: str | None) -> np.ndarray:
    """Give each grey level the share of pixels that are not brighter, times 255, rounded down.

    The bins of the histogram reach from the darkest to the brightest pixel; shares are interpolated between
    their centres (scikit-image's ``equalize_hist``).

    Args:
        image: uint8 [H, W].
        file: kind of file that keeps the result in between: ``"png"``, or ``"jpeg"`` at :data:`QUALITY`,
            whose losses the result then has; None leaves the image as it is.
    """
    if file is None:
        return image
    shades = np.arange(LEVELS) / 255.0
    counts = np.bincount(image.ravel(), minlength=LEVELS)
    found = shades[counts > 0]
    binned, edges = np.histogram(shades, LEVELS, range=(found[0], found[-1]), weights=counts)
    share = binned.cumsum() / binned.sum()
    table = (255 * np.interp(shades, (edges[:-1] + edges[1:]) / 2, share)).astype(np.uint8)
    made: np.ndarray = table[image]
    return _through_jpeg(made) if file == "jpeg" else made


def _through_jpeg(image: np.ndarray) -> np.ndarray:
    from PIL import Image

    with BytesIO() as stored:
        Image.fromarray(image).save(stored, format="JPEG", quality=QUALITY)
        return np.array(Image.open(stored))
