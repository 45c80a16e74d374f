"""Writers of small files in the formats of the real data sets."""

import gzip
from pathlib import Path

import numpy as np
from PIL import Image

from tasks.parity.dicom_file import write_dicom as write_dicom


def write_image(path: Path) -> Path:
    """A tiny JPEG or PNG, its folders made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(path)
    return path


def write_png(path: Path, pixels: np.ndarray) -> Path:
    """Pixels as a PNG file; folders made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def write_text(path: Path, text: str) -> Path:
    """Plain, or gzipped by suffix; folders made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path
