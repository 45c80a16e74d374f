"""Annotation files of data sets with published lists; see :mod:`tasks.parity.drawn_annotations`."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from prior_bench.data.readers.chexpert.labels import FIVE
from prior_bench.data.readers.nih_chestxray14 import FOURTEEN, NEGATIVE

from .writing import write_images, write_lines

VINDR = (
    "Aortic enlargement", "Atelectasis", "Calcification", "Cardiomegaly", "Clavicle fracture",
    "Consolidation", "Edema", "Emphysema", "Enlarged PA", "ILD", "Infiltration", "Lung Opacity",
    "Lung cavity", "Lung cyst", "Mediastinal shift", "Nodule/Mass", "Pleural effusion",
    "Pleural thickening", "Pneumothorax", "Pulmonary fibrosis", "Rib fracture", "Other lesion",
)  # fmt: skip
"""The findings with boxes in VinDr-CXR, as its files spell them."""


def object_cxr(folder: Path, rng: random.Random) -> None:
    """300 images in train, 60 in dev, 60 in test (whose column has another name), and LoVT's lists."""
    first, ids = 1, {}
    for part, rows in (("train", 300), ("dev", 60), ("test", 60)):
        names = [f"{n:05d}.jpg" for n in range(first, first + rows)]
        rng.shuffle(names)
        column, prefix = ("image_path", "test/") if part == "test" else ("image_name", "")
        lines = [f"{column},annotation", *(f"{prefix}{name},{_objects(rng)}" for name in names)]
        write_lines(folder / f"{part}.csv", lines)
        write_images(folder / part, names)
        ids[part], first = [name[:-4] for name in names], first + rows
    order = rng.sample(ids["train"], 300)
    lovt_lists(folder, order[:240], order[240:], ids["dev"])


def _objects(rng: random.Random) -> str:
    """Zero to three rectangles and ellipses."""
    shapes = []
    for _ in range(rng.choice((0, 0, 1, 2, 3))):
        x, y, width, height = (rng.randint(10, 900) for _ in range(4))
        shapes.append(f"{rng.randint(0, 1)} {x} {y} {x + width} {y + height}")
    return ";".join(shapes)


def lovt_lists(folder: Path, train: Sequence[str], validation: Sequence[str], test: Sequence[str]) -> None:
    """Write LoVT's lists of a data set with boxes, without the boxes, which our readers do not read."""
    for part, ids in (("train", train), ("validation", validation), ("test", test)):
        write_lines(folder / f"lovt/{part}.csv", ["ID,boxes,classes", *(f"{name},," for name in ids)])


def nih_chestxray14(folder: Path, rng: random.Random) -> None:
    """500 images with up to three findings, and BenchX's five lists."""
    lines, names = ["Image Index,Finding Labels,Patient ID,Patient Age,Patient Gender,View Position"], []
    for n in range(500):
        names.append(f"{n // 3:08d}_{n % 3:03d}.png")
        found = "|".join(rng.sample(FOURTEEN, rng.choice((0, 1, 1, 2, 3)))) or NEGATIVE
        lines.append(f"{names[-1]},{found},{n // 3},{rng.randint(1, 90)},M,{rng.choice(('PA', 'AP'))}")
    write_lines(folder / "Data_Entry_2017_v2020.csv", lines)
    write_images(folder / "images", names)
    order = rng.sample(names, len(names))
    _benchx_lists(folder, order[:350], order[350:400], order[400:], rng)


def vindr_cxr(folder: Path, rng: random.Random) -> None:
    """300 images of three readers in train, 60 of a consensus in test, and BenchX's five lists."""
    ids = {}
    for part, images in (("train", 300), ("test", 60)):
        readers = part == "train"
        ids[part] = [f"{rng.getrandbits(128):032x}" for _ in range(images)]
        labels = [",".join(["image_id", *["rad_id"] * readers, *VINDR, "No finding"])]
        boxes = [",".join(["image_id", *["rad_id"] * readers, "class_name,x_min,y_min,x_max,y_max"])]
        for image in ids[part]:
            likely = rng.sample(VINDR, rng.choice((0, 1, 3)))
            for reader in rng.sample(range(1, 18), 3) if readers else [0]:
                seen = [name for name in likely if rng.random() < 0.6]
                start = [image, *[f"R{reader}"] * readers]
                values = [str(int(name in seen)) for name in VINDR]
                labels.append(",".join([*start, *values, str(int(not seen))]))
                boxes += [",".join([*start, name, _corners(rng)]) for name in seen]
                boxes += [",".join([*start, "No finding,,,,"])] * (not seen)
        write_lines(folder / f"annotations/image_labels_{part}.csv", labels)
        write_lines(folder / f"annotations/annotations_{part}.csv", boxes)
        write_images(folder / part, [f"{image}.dicom" for image in ids[part]])
    order = rng.sample(ids["train"], 300)
    _benchx_lists(folder, order[:240], order[240:], ids["test"], rng)


def _corners(rng: random.Random) -> str:
    x, y = rng.randint(0, 900), rng.randint(0, 900)
    return f"{x},{y},{x + rng.randint(10, 500)},{y + rng.randint(10, 500)}"


def _benchx_lists(
    folder: Path, train: Sequence[str], valid: Sequence[str], test: Sequence[str], rng: random.Random
) -> None:
    lists = {"train": train, "val": valid, "test": test}
    lists |= {f"train_{p}": rng.sample(list(train), len(train) * p // 100) for p in (1, 10)}
    for name, ids in lists.items():
        write_lines(folder / f"benchx/{name}.txt", ids)


def mimic_5x200(folder: Path, rng: random.Random) -> None:
    """20 images of each finding with a report, listed in no order."""
    metadata, split = ["dicom_id,subject_id,study_id,ViewPosition"], ["dicom_id,study_id,subject_id,split"]
    labels, listed = [f"subject_id,study_id,{','.join(FIVE)}"], []
    for n in range(100):
        patient, study, image = f"10{n:06d}", f"50{n:06d}", f"{rng.getrandbits(64):016x}"
        metadata.append(f"{image},{patient},{study},AP")
        split.append(f"{image},{study},{patient},train")
        labels.append(f"{patient},{study},{','.join('1.0' if c == n % 5 else '' for c in range(5))}")
        place = f"files/p10/p{patient}/s{study}"
        listed.append(f"{place}/{image}.jpg,{image},{patient},{study},")
        write_images(folder / place, [f"{image}.jpg"])
        write_lines(folder / f"{place}.txt", [f" FINDINGS:  Number {n}.", "", f" IMPRESSION:  Seen {n}."])
    rng.shuffle(listed)
    write_lines(folder / "mimic-cxr-2.0.0-metadata.csv", metadata)
    write_lines(folder / "mimic-cxr-2.0.0-split.csv", split)
    write_lines(folder / "mimic-cxr-2.0.0-chexpert.csv", labels)
    write_lines(folder / "mimic_5x200_ids.csv", ["Path,dicom_id,subject_id,study_id,Report", *listed])
