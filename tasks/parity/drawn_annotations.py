"""Annotation files in the layouts of the public data sets, drawn by a fixed seed, with empty image files.

The papers' code and our readers read the same files, so that their splits, labels and label fractions can be
compared without any data. Nobody opens the images. A fixture names the files by their kind in :data:`KINDS`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from pathlib import Path

from prior_bench.data.readers.chexpert.labels import FIVE, FOURTEEN

from .drawn_with_lists import lovt_lists, mimic_5x200, nih_chestxray14, object_cxr, vindr_cxr
from .writing import write_images, write_lines


def write(kind: str, folder: Path) -> Path:
    """Write the annotation files of a kind and empty image files below a folder; return the folder."""
    KINDS[kind](folder, random.Random(f"annotations of {kind}"))
    return folder


def _chexpert(folder: Path, rng: random.Random) -> None:
    """7,600 rows of train.csv, two fifths of which fulfil GLoRIA's rule for 5x200, and 150 of valid.csv."""
    head = ["Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", *FOURTEEN]
    for part, rows in (("train", 7600), ("valid", 150)):
        lines, images, row, study = [",".join(head)], [], 0, 0
        while row < rows:
            study += 1
            for view in range(1, min(rng.randint(10, 30), rows - row) + 1):
                frontal = rng.random() < 0.85
                name = f"{part}/patient{study // 2:05d}/study{study % 2 + 1}/view{view}_"
                name += "frontal.jpg" if frontal else "lateral.jpg"
                projection = (
                    rng.choice(("AP", "PA")) if frontal else "",
                    "Frontal" if frontal else "Lateral",
                )
                values = _one_finding(rng) if rng.random() < 0.4 else _any_findings(rng)
                values = [{"": "0.0"}.get(v, v) for v in values] if part == "valid" else values
                about = [rng.choice(("Male", "Female")), str(rng.randint(18, 90)), *projection[::-1]]
                lines.append(",".join([f"CheXpert-v1.0-small/{name}", *about, *values]))
                images.append(name)
                row += 1
        write_lines(folder / f"{part}.csv", lines)
        write_images(folder, images)


def _one_finding(rng: random.Random) -> list[str]:
    found = dict.fromkeys(FOURTEEN, "") | {rng.choice(FOURTEEN): rng.choice(("", "0.0"))}
    return list((found | {rng.choice(FIVE): "1.0"}).values())


def _any_findings(rng: random.Random) -> list[str]:
    return rng.choices(("", "0.0", "-1.0", "1.0"), (0.6, 0.1, 0.1, 0.2), k=len(FOURTEEN))


def _rsna_pneumonia(folder: Path, rng: random.Random) -> None:
    """12,000 images, enough to hold out 2 x 5,337; a row per box, in no order; LoVT's lists."""
    rows = []
    for _ in range(12_000):
        name = f"{rng.getrandbits(64):016x}"
        boxes = rng.choice((1, 1, 2, 3)) if rng.random() < 0.23 else 0
        rows += [[name, *(f"{rng.randint(20, 400)}.0" for _ in range(4)), "1"] for _ in range(boxes)]
        rows += [[name, "", "", "", "", "0"]] * (not boxes)
    rng.shuffle(rows)
    head, names = "patientId,x,y,width,height,Target", sorted({row[0] for row in rows})
    write_lines(folder / "stage_2_train_labels.csv", [head, *map(",".join, rows)])
    write_images(folder / "stage_2_train_images", [f"{name}.dcm" for name in names])
    order = rng.sample(names, len(names))
    lovt_lists(folder, order[:7_270], order[7_270:9_640], order[9_640:])


def _siim_acr(folder: Path, rng: random.Random, negative: str = " -1") -> None:
    """600 images, of which a fifth has one to three regions, each in a row of its own; in no order."""
    names = [f"1.2.276.0.{n}.{rng.getrandbits(32)}" for n in range(600)]
    rows = []
    for name in names:
        regions = rng.choice((1, 1, 2, 3)) if rng.random() < 0.2 else 0
        rows += [f"{name}, {rng.randint(1000, 90000)} {rng.randint(2, 90)} 900 7" for _ in range(regions)]
        rows += [f"{name},{negative}"] * (not regions)
    rng.shuffle(rows)
    write_lines(folder / "train-rle.csv", ["ImageId, EncodedPixels", *rows])
    write_images(
        folder / "dicom-images-train", [f"study{n}/series/{name}.dcm" for n, name in enumerate(names)]
    )
    order = rng.sample(names, len(names))
    for part, ids in (("train", order[:360]), ("validation", order[360:480]), ("test", order[480:])):
        write_lines(folder / f"lovt/{part}.csv", ["ID", *ids])


def _siim_acr_mirror(folder: Path, rng: random.Random) -> None:
    """The same without a blank before -1, as in the copies that MGCA's data set expects."""
    _siim_acr(folder, rng, negative="-1")


def _covidx_9a(folder: Path, rng: random.Random) -> None:
    """Version 9A: three classes, 600 images in train and 80 in test."""
    for part, rows in (("train", 600), ("test", 80)):
        images = _covidx(folder, f"{part}_COVIDx9A.txt", rows, ("normal", "pneumonia", "COVID-19"), rng)
        write_images(folder / part, images)


def _covidx_cxr4(folder: Path, rng: random.Random) -> None:
    """CXR-4: two classes and three parts; lists of 1 and 10 % in the format of BenchX."""
    for part, rows in (("train", 501), ("val", 81), ("test", 81)):
        images = _covidx(folder, f"{part}.txt", rows, ("negative", "positive"), rng)
        write_images(folder / part, images)
        if part == "train":
            names = [f"train/{name}" for name in images[1:]]
            for percent in (1, 10):
                drawn = rng.sample(names, rows * percent // 100)
                write_lines(folder / f"benchx/train_{percent}.txt", drawn)


def _covidx(folder: Path, name: str, rows: int, classes: Iterable[str], rng: random.Random) -> list[str]:
    kinds, images, lines = tuple(classes), [], []
    for n in range(rows):
        images.append(f"{n}-{rng.getrandbits(32):08x}.{rng.choice(('png', 'jpg'))}")
        source = rng.choice(("cohen", "rsna", "sirm"))
        lines.append(f"{rng.randint(1, rows)} {images[-1]} {rng.choice(kinds)} {source}")
    write_lines(folder / name, lines)
    return images


KINDS: dict[str, Callable[[Path, random.Random], None]] = {
    "chexpert": _chexpert,
    "rsna_pneumonia": _rsna_pneumonia,
    "siim_acr": _siim_acr,
    "siim_acr_mirror": _siim_acr_mirror,
    "covidx_9a": _covidx_9a,
    "covidx_cxr4": _covidx_cxr4,
    "object_cxr": object_cxr,
    "nih_chestxray14": nih_chestxray14,
    "vindr_cxr": vindr_cxr,
    "mimic_5x200": mimic_5x200,
}
"""Functions that write the files, by kind."""
