"""Small copies of the sample's data sets, in their publishers' layouts, under the names of the official code.

Pictures are links to the sample's files, except those of SIIM-ACR, which MGCA's code requires to have 1,024
pixels.
"""

import csv
from pathlib import Path

import numpy as np

IMAGES = {"rsna": 300, "chexpert": 800, "siim": 80}
"""Images of the copies: the first of the sample; for CheXpert, of the training part."""
TESTED = 60
"""Images of CheXpert's test part."""
SIIM_SIDE = 1024
"""Side of SIIM-ACR's images."""


def copy_rsna(source: Path, folder: Path) -> Path:
    """Copy the first images of RSNA Pneumonia; return the folder."""
    table, pictures = "stage_2_train_labels.csv", "stage_2_train_images"
    header, rows = _rows(source / table)
    kept = set(sorted({row[0] for row in rows})[: IMAGES["rsna"]])
    folder.mkdir(parents=True)
    _write(folder / table, header, [row for row in rows if row[0] in kept])
    (folder / pictures).symlink_to((source / pictures).resolve())
    return folder


def copy_chexpert(source: Path, folder: Path) -> Path:
    """Copy the first rows of both parts of CheXpert, frontal or not; return the folder."""
    folder.mkdir(parents=True)
    for part, count in (("train", IMAGES["chexpert"]), ("valid", TESTED)):
        header, rows = _rows(source / f"{part}.csv")
        _write(folder / f"{part}.csv", header, rows[:count])
        (folder / part).symlink_to((source / part).resolve())
    return folder


def copy_siim(source: Path, folder: Path) -> Path:
    """Copy the first images of SIIM-ACR, each pixel repeated so that they have 1,024; return the folder."""
    import pydicom

    table, pictures = "train-rle.csv", "dicom-images-train"
    header, rows = _rows(source / table)
    kept = list(dict.fromkeys(row[0] for row in rows))[: IMAGES["siim"]]
    files = {path.stem: path for path in (source / pictures).rglob("*.dcm")}
    times = 0
    for name in kept:
        picture = pydicom.dcmread(files[name])
        times = SIIM_SIDE // picture.Rows
        pixels = enlarged(picture.pixel_array, times)
        picture.PixelData, picture.Rows, picture.Columns = pixels.tobytes(), *pixels.shape
        picture.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian  # not compressed
        place = folder / files[name].relative_to(source)
        place.parent.mkdir(parents=True)
        picture.save_as(place)
    kept_rows = [[name, _enlarged_runs(runs, times)] for name, runs in rows if name in set(kept)]
    _write(folder / table, header, kept_rows)
    return folder


def enlarged(pixels: np.ndarray, times: int) -> np.ndarray:
    """Repeat each pixel ``times`` times in both directions."""
    return pixels.repeat(times, 0).repeat(times, 1)


def _enlarged_runs(runs: str, times: int) -> str:
    """Runs of the enlarged mask, without the space before them that Kaggle's file has.

    With that space, MGCA's data set takes every image for a positive one, and fails.
    """
    from prior_bench.data.annotations.masks import RleMask
    from prior_bench.sample.layouts.siim_acr import encode

    if runs.strip() == "-1":
        return "-1"
    side = SIIM_SIDE // times
    return encode(enlarged(RleMask((runs.strip(),)).decode(side, side), times))


def _rows(path: Path) -> tuple[list[str], list[list[str]]]:
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    return header, rows


def _write(path: Path, header: list[str], rows: list[list[str]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


def link(source: Path, folder: Path) -> Path:
    """Link a whole data set; return the folder."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.symlink_to(source.resolve())
    return folder


COPIES = {
    "rsna": ("rsna_pneumonia", copy_rsna),
    "chexpert": ("chexpert", copy_chexpert),
    "siim": ("siim_acr", copy_siim),
    "chexpert-5x200": ("chexpert", link),
}
"""Name of the sample's data set, and what copies it."""


def copied(name: str, folder: Path) -> Path:
    """Copy a data set of the sample to ``folder``, unless it is there."""
    import prior_bench as pb

    data_set, copy = COPIES[name]
    return folder if folder.exists() else copy(pb.open_dataset(f"sample:{data_set}").root, folder)
