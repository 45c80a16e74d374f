"""Radiographs of every kind of file, larger than they are cached."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from prior_bench.data.annotations.masks import BoxMask
from prior_bench.data.manifest import Manifest

SHAPES = ((90, 70), (64, 100), (81, 81), (20, 12))


def write_dicom(path, pixels: np.ndarray) -> None:
    """12 bits in 16, uncompressed, MONOCHROME1."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.Rows, data.Columns = pixels.shape
    data.SamplesPerPixel, data.PixelRepresentation = 1, 0
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
    data.PhotometricInterpretation = "MONOCHROME1"
    data.PixelData = pixels.astype(np.uint16).tobytes()
    data.save_as(path, enforce_file_format=True)


def write_originals(folder, count: int = 12) -> Manifest:
    """Files in two folders: grey and colour JPEG, PNG of 8 and 16 bits, DICOM; boxes and masks on each."""
    rng = np.random.default_rng(0)
    rows = []
    for i in range(count):
        height, width = SHAPES[i % len(SHAPES)]
        pixels = rng.integers(0, 4096, (height, width))
        name = f"{'ab'[i % 2]}/{i:03d}" + (".jpg", ".png", ".dcm", ".png", ".jpg")[i % 5]
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if i % 5 == 2:
            write_dicom(path, pixels)
        elif i % 5 == 3:
            Image.fromarray(pixels.astype(np.uint16)).save(path)
        elif i % 5 == 4:
            Image.fromarray(np.stack([pixels // 16] * 3, -1).astype(np.uint8)).save(path)
        else:
            Image.fromarray((pixels // 16).astype(np.uint8)).save(path)
        box = np.array([[4, 2, width - 3, height / 2, 0]], np.float32)
        split = ("train", "train", "valid", "test")[i % 4]
        rows.append({"id": str(i), "patient_id": f"p{i}", "image": name, "split": split, "boxes": box})
        rows[-1]["mask"] = BoxMask(box)
    return Manifest("originals", folder, pd.DataFrame(rows), box_classes=("thing",))


@pytest.fixture
def originals(tmp_path, monkeypatch):
    """A dozen of them; the cache root is the test's own."""
    monkeypatch.setenv("PRIOR_BENCH_CACHE", str(tmp_path / "cache"))
    return write_originals(tmp_path / "originals")
