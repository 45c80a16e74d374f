"""JPEG, PNG and DICOM files that have the same bytes for the same pixels."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
from PIL import Image

from prior_bench.sample.cohort import Patient

JPEG_QUALITY = 92


def digest(*parts: object) -> str:
    """Return 64 hexadecimal digits that depend only on ``parts``; identifiers are made from them."""
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()


def who(patient: Patient) -> tuple[int, int]:
    """Return the input of the digests in a patient's identifiers; it is unique within a data set."""
    return patient.number, patient.key


def jpeg_bytes(pixels: np.ndarray) -> bytes:
    """Encode uint8 [height, width] as a greyscale JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()


def write_jpeg(path: Path, pixels: np.ndarray) -> None:
    """Write uint8 [height, width]; the folder is created if necessary."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(jpeg_bytes(pixels))


def write_png(path: Path, pixels: np.ndarray) -> None:
    """Write uint8 [height, width]; the folder is created if necessary."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, "PNG")


def write_dicom(path: Path, pixels: np.ndarray, uids: tuple[str, ...], **tags: str) -> None:
    """Write uint8 [height, width] as RSNA and SIIM do: JPEG baseline inside a secondary capture.

    Args:
        path: file to write; its folder is created if necessary.
        pixels: grey values; high values are dense tissue.
        uids: UIDs of study, series and image.
        tags: further DICOM attributes by keyword, e.g. ``PatientID``.
    """
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.encaps import encapsulate
    from pydicom.uid import UID, JPEGBaseline8Bit, SecondaryCaptureImageStorage

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = UID(uids[2])
    meta.TransferSyntaxUID = JPEGBaseline8Bit
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = SecondaryCaptureImageStorage, uids[2]
    data.StudyInstanceUID, data.SeriesInstanceUID = uids[0], uids[1]
    data.Modality, data.BodyPartExamined, data.ConversionType = "CR", "CHEST", "WSD"
    for keyword, value in tags.items():
        setattr(data, keyword, value)
    data.Rows, data.Columns = pixels.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 8, 8, 7, 0
    data.LossyImageCompression, data.LossyImageCompressionMethod = "01", "ISO_10918_1"
    data.PixelData = encapsulate([jpeg_bytes(pixels)])
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)
