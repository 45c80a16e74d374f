"""Read Object-CXR (JF Healthcare 2020), outlined foreign objects, from the files of the challenge."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from prior_bench.data.annotations.masks import ShapeMask, SwappedShapeMask
from prior_bench.data.annotations.outlines import require_drawable
from prior_bench.data.cards import WATCHED, Card
from prior_bench.data.manifest import Manifest
from prior_bench.data.splitting.rules import (
    LOVT_LISTS,
    Rule,
    apply_rule,
    by_lists,
    concatenated,
    describe,
    with_test,
)
from prior_bench.data.tables.annotation_tables import find_table, read_table, require_columns
from prior_bench.data.tables.listed_images import require_images
from prior_bench.errors import BenchError, unknown_name

LABEL = "Foreign object"
KINDS = {"0": "rectangle", "1": "ellipse", "2": "polygon"}
NAME_COLUMNS = ("image_name", "image_path")
BOXES = ("enclosing", "swapped")
MASKS: dict[str, type[ShapeMask] | type[SwappedShapeMask]] = {
    "outlines": ShapeMask,
    "swapped": SwappedShapeMask,
}

Shape = tuple[str, tuple[float, ...]]


def read(
    root: Path,
    *,
    split: str = "default",
    boxes: str = "enclosing",
    masks: str = "outlines",
    missing: str = "error",
) -> Manifest:
    """Read one row per image, with its label, the boxes that enclose the objects, and the outlines as a mask.

    Args:
        root: folder with ``train.csv``, ``dev.csv``, ``train/`` and ``dev/`` (and, in the Kaggle re-pack,
            ``test.csv`` and ``test/``).
        split: a name in :data:`RULES`.
        boxes: ``"enclosing"``, or ``"swapped"``, which exchanges width and height. This is a defect of LoVT's
            code that very probably affects its published detection results.
        masks: ``"outlines"``, or ``"swapped"``, with the defects of LoVT's code: it fills polygons with x and
            y exchanged, and the boxes of ellipses.
        missing: ``"error"`` or ``"skip"`` absent images.

    Raises:
        BenchError: a file is missing or malformed; for a malformed object, the message names the line.
    """
    if boxes not in BOXES:
        raise unknown_name("kind of boxes", boxes, list(BOXES), where="object_cxr")
    if masks not in MASKS:
        raise unknown_name("kind of masks", masks, list(MASKS), where="object_cxr")
    parts = [read_part(find_table(root, f"{part}.csv"), part) for part in ("train", "dev")]
    if any(root.glob("test.csv*")):
        parts.append(read_part(find_table(root, "test.csv"), "test"))
    table = apply_rule(split, RULES, pd.concat(parts, ignore_index=True), "object_cxr", root=root)
    if boxes == "swapped":
        table["boxes"] = pd.Series([swap_sides(b) for b in table["boxes"]], dtype=object)
    if masks != "outlines":
        drawn = [mask_of(mask.shapes, masks) for mask in table["mask"]]
        table["mask"] = pd.Series(drawn, dtype=object)
    table, absent = require_images(table, root, missing=missing, where=root)
    return Manifest(
        "object_cxr",
        root,
        table,
        labels=(LABEL,),
        box_classes=("foreign object",),
        split_rule=split,
        notes=absent,
    )


def read_part(place: Path, part: str) -> pd.DataFrame:
    """Read one of the label files, in its own order.

    Raises:
        BenchError: a column is missing, or an object is not "type x1 y1 x2 y2 ...".
    """
    raw = read_table(place, ("annotation",), text=(*NAME_COLUMNS, "annotation"))
    name = next((c for c in NAME_COLUMNS if c in raw), NAME_COLUMNS[0])
    require_columns(raw, (name,), place)
    if raw[name].isna().any():
        row = int(np.argmax(raw[name].isna()))
        raise BenchError(
            f"'{name}' is blank", where=f"{place}, line {row + 2}", fix="download the file again"
        )
    files = [PurePosixPath(path).name for path in raw[name]]
    shapes = [
        tuple(shape(piece, f"{place}, line {row + 2}") for piece in text.split(";") if piece.strip())
        for row, text in enumerate(raw["annotation"].fillna(""))
    ]
    ids = [f"{part}/{PurePosixPath(file).stem}" for file in files]
    return pd.DataFrame(
        {
            "id": ids,
            "patient_id": ids,
            "image": [f"{part}/{file}" for file in files],
            "part": part,
            LABEL: np.array([float(bool(s)) for s in shapes], np.float32),
            "boxes": pd.Series([enclosing_boxes(s) for s in shapes], dtype=object),
            "mask": pd.Series([ShapeMask(s) for s in shapes], dtype=object),
        }
    )


def shape(text: str, where: str) -> Shape:
    """Read one object of an annotation, "type x1 y1 x2 y2 ...".

    Raises:
        BenchError: it is damaged.
    """
    kind, *rest = text.split()
    try:
        numbers = tuple(float(n) for n in rest)
    except ValueError:
        numbers = ()
    closed = len(numbers) == 4 or (kind == "2" and len(numbers) >= 6 and len(numbers) % 2 == 0)
    if kind not in KINDS or not closed:
        raise BenchError(
            f"object '{text.strip()[:60]}' is not 'type x1 y1 x2 y2 ...'",
            where=where,
            fix="types are 0 (rectangle), 1 (ellipse) and 2 (polygon, of at least two points); "
            "download the file again",
        )
    require_drawable([(kind, numbers)], where)
    if kind != "2":  # some tools cannot draw a box with exchanged corners
        x1, y1, x2, y2 = numbers
        numbers = (min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))
    return KINDS[kind], numbers


def enclosing_boxes(shapes: tuple[Shape, ...]) -> np.ndarray:
    """Return the smallest upright box around each shape, float32 [n, 5], class 0."""
    boxes = [
        (min(n[0::2]), min(n[1::2]), max(n[0::2]), max(n[1::2]), 0)
        for n in (numbers for _, numbers in shapes)
    ]
    return np.array(boxes, np.float32).reshape(-1, 5)


def boxes_of(shapes: tuple[Shape, ...], kind: str) -> np.ndarray:
    """Return the boxes of an image, float32 [n, 5], of a kind in :data:`BOXES`."""
    boxes = enclosing_boxes(shapes)
    return swap_sides(boxes) if kind == "swapped" else boxes


def mask_of(shapes: tuple[Shape, ...], kind: str) -> ShapeMask | SwappedShapeMask:
    """Return the mask of an image, of a kind in :data:`MASKS`."""
    return MASKS[kind](shapes)


def swap_sides(boxes: np.ndarray) -> np.ndarray:
    """Return boxes [n, 5] with the same upper left corners, and with width and height exchanged."""
    swapped = boxes.copy()
    swapped[:, 2:4] = boxes[:, :2] + (boxes[:, 2:4] - boxes[:, :2])[:, ::-1]
    return swapped


# --- split rules --------------------------------------------------------------------------------------


def dev_split(table: pd.DataFrame) -> pd.DataFrame:
    """dev is the test set, and 20 % of train validate, stratified, seed 0: 6,400/1,600/1,000."""
    train, dev = table[table["part"] == "train"], table[table["part"] == "dev"]
    return with_test(train, dev, 0.2, stratify=[LABEL])


def mgca_split(table: pd.DataFrame) -> pd.DataFrame:
    """MGCA's code: 10 % of train validate (random state 0), and dev is the test set: 7,200/800/1,000.

    Rows are in the order of train.csv; it was not verified that MGCA's code uses this order.
    """
    from sklearn.model_selection import train_test_split

    train, valid = train_test_split(table[table["part"] == "train"], test_size=0.1, random_state=0)
    return concatenated({"train": train, "valid": valid, "test": table[table["part"] == "dev"]})


def official_split(table: pd.DataFrame) -> pd.DataFrame:
    """The challenge's own parts, which BenchX uses: dev validates (needs test.csv of the Kaggle re-pack)."""
    if not (table["part"] == "test").any():
        raise BenchError(
            "split rule 'official' needs test.csv and test/, which only the Kaggle re-pack has",
            where="object_cxr",
            fix="use split='default', which tests on dev",
        )
    return table.assign(split=table["part"].replace("dev", "valid"))


def lovt_lists(table: pd.DataFrame, *, root: Path) -> pd.DataFrame:
    """LoVT's lists, copied to lovt/ next to train.csv: 6,400/1,600/1,000; dev is the test set."""
    return by_lists(table[table["part"] != "test"], root, LOVT_LISTS)


RULES: dict[str, Rule] = {
    "default": dev_split,
    "mgca": mgca_split,
    "official": official_split,
    "lovt": lovt_lists,
}
"""Split rules by name."""

CARD = Card(
    title="Object-CXR: foreign objects on chest radiographs",
    what="Frontal radiographs from about 300 township hospitals in China, half of them with foreign objects "
    "outlined by radiologists as rectangles, ellipses or polygons.",
    size="8,000 images in train, 1,000 in dev, 1,000 in test; about 14 GB (torrent: train 12.1, dev 1.5)",
    source="academictorrents.com, fdc91f11d7010f7259a05403fc9d00079a09f5d5 (train and "
    "dev), or kaggle.com/datasets/raddar/foreign-objects-in-chest-xrays (also test)",
    gone=("the challenge's own site (github.com/HKU-MedAI/MGCA issue 35)",),
    access="the mirrors state no licence (unverified); cite JF Healthcare",
    tree="""
train.csv            image_name,annotation
dev.csv
train/00001.jpg
dev/08001.jpg
test.csv, test/      (Kaggle re-pack only)
lovt/train.csv, validation.csv, test.csv     (LoVT's lists; only for the rule lovt)
""",
    splits=describe(RULES),
    options={
        "boxes": "enclosing, or swapped (sides exchanged, as in LoVT's code)",
        "masks": "outlines, or swapped (x and y of polygons exchanged, as in LoVT's code)",
        "missing": "error, or skip absent images",
    },
    caveats=(
        "LoVT and MGCA test on dev, BenchX on test: their results are not comparable.",
        "Boxes here enclose the outline. LoVT's code swaps width and height, and MGCA boxes polygons around "
        "an inner point: their published detection results are based on other boxes.",
        "LoVT's 6,400/1,600/1,000 is a shipped list; the default split has the same sizes but other images.",
        "The files have no patient identifiers: each image counts as a patient.",
    ),
    annotations=("labels", "boxes", "masks"),
    published={
        "default": {"images": (6400, 1600, 1000)},
        "mgca": {"images": (7200, 800, 1000)},
        "official": {"images": (8000, 1000, 1000)},
        "lovt": {"images": (6400, 1600, 1000), "positive: Foreign object": (3190, 810, 500)},
    },
    watched=(*WATCHED, "lovt/*.csv"),
)
