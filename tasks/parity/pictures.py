"""Pictures on which the official transforms were run, and the numbers of the tensors that are compared."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from .dicom_file import write_dicom

SIZES = {
    "portrait": (390, 320),
    "landscape": (389, 523),
    "tall": (525, 401),
    "small": (97, 131),
    "square": (1024, 1024),
}
"""Height and width, by the name of the picture. Scaled to 256 or 224 pixels, some shorter sides end in .5 or
more, and so tell rounding down from rounding to the nearest; ``small`` is enlarged."""
POINTS = 40


def picture(name: str, highest: int = 255) -> np.ndarray:
    """Return shades, edges and fine stripes from 0 to ``highest``, computed in integers; uint16 [H, W]."""
    height, width = SIZES[name]
    y, x = np.mgrid[:height, :width].astype(np.int64)
    smooth = 90 * x // width + 60 * y // height
    body = 60 * (
        ((x - width // 2) ** 2 * height**2 + (y - height // 2) ** 2 * width**2) * 9 < (height * width) ** 2
    )
    fine = 25 * ((x // 3 + y // 2) % 2) + (x * 7919 + y * 104729 + x * y * 31) % 20
    values = smooth + body + fine
    values -= values.min()
    return (values * highest // values.max()).astype(np.uint16)


def write_pictures(folder: Path) -> dict[str, Path]:
    """Write all files that the fixtures name; return their paths by name."""
    files = {}
    for name in SIZES:
        grey = picture(name).astype(np.uint8)
        files[f"{name}.png"] = folder / f"{name}.png"
        Image.fromarray(grey).save(files[f"{name}.png"])
        files[f"{name}.dcm"] = write_dicom(folder / f"{name}.dcm", grey)
    files["deep.dcm"] = write_dicom(folder / "deep.dcm", picture("tall", 4000))
    files["inverted.dcm"] = write_dicom(
        folder / "inverted.dcm", picture("square").astype(np.uint8), kind="MONOCHROME1"
    )
    files["dim.dcm"] = write_dicom(folder / "dim.dcm", picture("square", 200).astype(np.uint8))
    return files


def points(height: int, width: int) -> Iterable[tuple[int, int]]:
    """Yield rows and columns that are stored: a fixed scatter, and points at the borders and the centre."""
    for k in range(POINTS - 8):
        yield (k * 37 + 5) * height // 1201 % height, (k * 211 + 17) * width // 997 % width
    middle = height // 2, width // 2
    yield from [(0, middle[1]), (height - 1, middle[1]), (middle[0], 0), (middle[0], width - 1)]
    yield from [(middle[0], middle[1] + step) for step in (-2, -1, 0, 1)]


def described(tensor: np.ndarray) -> dict[str, Any]:
    """Return numbers of a tensor [C, H, W]: of its first channel, and whether the others are equal to it.

    ``rows`` and ``columns`` are means of some of them, ``values`` are single pixels at :func:`points`.
    """
    tensor = np.asarray(tensor, np.float64)
    first = tensor[0]
    return {
        "shape": list(tensor.shape),
        "mean": round(float(first.mean()), 4),
        "std": round(float(first.std()), 4),
        "grey": bool(np.allclose(tensor, first)),
        "rows": [round(float(v), 4) for v in first.mean(axis=1)[:: max(1, first.shape[0] // 16)]],
        "columns": [round(float(v), 4) for v in first.mean(axis=0)[:: max(1, first.shape[1] // 16)]],
        "values": [round(float(first[at]), 4) for at in points(*first.shape)],
    }


def digest(pixels: np.ndarray) -> str:
    """Return the hash of a picture, which says that the fixtures are of the same one."""
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()[:16]
