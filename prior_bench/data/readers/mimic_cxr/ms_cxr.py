"""MS-CXR (Boecking et al. 2022): phrases of MIMIC-CXR's reports with boxes; files as PhysioNet gives them.

The layouts are those of versions 0.1 and 1.0.0 (COCO's JSON, and the CSV that PhysioNet's
``convert_coco_json_to_csv.py`` makes of it) and 1.1.0 (the same, with a column ``split`` in the CSV). In the
CSV, an image, finding and phrase with several boxes has one line for each box. The JSON may hold a
``segmentation`` for each box; the sample benchmark's file does.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

from prior_bench.data.annotations.masks import CocoMask, UnionMask
from prior_bench.data.annotations.phrases import GroundedPhrase
from prior_bench.data.cards import Card
from prior_bench.data.manifest import Manifest
from prior_bench.data.splitting.rules import Rule, apply_rule, describe
from prior_bench.data.tables.annotation_json import four_numbers, read_json, require_keys
from prior_bench.data.tables.annotation_tables import find_table, read_table
from prior_bench.data.tables.listed_images import require_images
from prior_bench.errors import BenchError, unknown_name

FOLDERS = ("ms_cxr", "ms-cxr", ".")
"""Where the file is looked for, in this order, in the folder of MIMIC-CXR."""
NAME = "MS_CXR_Local_Alignment_v*"
SIDES = ("x", "y", "w", "h")
COLUMNS = ("dicom_id", "category_name", "label_text", "path", *SIDES)
PLACE = re.compile(r"p\d\d/p(?P<patient>\d+)/s(?P<study>\d+)/(?P<image>[^/]+)\.\w+$")
"""The end of an image's path: patient, study and image."""
SOURCES = ("any", "json", "csv")


def read(root: Path, *, split: str = "default", file: str = "any", missing: str = "error") -> Manifest:
    """One row per image, with its phrases.

    Args:
        root: folder of MIMIC-CXR-JPG (``files/`` and the tables), with the file of MS-CXR in it or in its
            folder ``ms_cxr``.
        split: a name in :data:`RULES`.
        file: ``"json"`` or ``"csv"`` where both are there; ``"any"`` prefers the JSON, but the CSV for the
            rule ``release``.
        missing: ``"error"`` or ``"skip"`` absent images.

    Raises:
        BenchError: files missing or not as they should be.
    """
    if file not in SOURCES:
        raise unknown_name("kind of file", file, list(SOURCES), where="ms_cxr")
    place = find_file(root, file, csv_first=split == "release")
    rows = _json_rows(place) if place.suffix == ".json" else _csv_rows(place)
    table = apply_rule(split, RULES, _by_image(rows, place), "ms_cxr", root=root, place=place)
    table, absent = require_images(table.drop(columns="released"), root, missing=missing, where=place)
    return Manifest("ms_cxr", root, table, split_rule=split, notes=absent)


def find_file(root: Path, kind: str, *, csv_first: bool) -> Path:
    """The newest file of MS-CXR in the first folder that has one.

    Raises:
        BenchError: there is none.
    """
    kinds = {"json": ("json",), "csv": ("csv",), "any": ("csv", "json") if csv_first else ("json", "csv")}
    for ending in kinds[kind]:
        for folder in FOLDERS:
            found = sorted((root / folder).glob(f"{NAME}.{ending}"))
            if found:
                return found[-1]
    wanted = " or ".join(f"{NAME}.{ending}" for ending in kinds[kind])
    fix = f"copy the file of physionet.org/content/ms-cxr to {root / FOLDERS[0]}"
    raise BenchError(f"{wanted} is missing", where=root, fix=fix)


def _json_rows(place: Path) -> list[dict[str, Any]]:
    """One dict per box, in the file's order."""
    content = read_json(place, dict)
    require_keys(content, ("images", "annotations", "categories"), str(place))
    images, names = {}, {}
    for n, entry in enumerate(content["images"]):
        require_keys(entry, ("id", "path"), f"{place}, images[{n}]")
        images[entry["id"]] = str(entry["path"])
    for n, entry in enumerate(content["categories"]):
        require_keys(entry, ("id", "name"), f"{place}, categories[{n}]")
        names[entry["id"]] = str(entry["name"])
    rows = []
    for n, entry in enumerate(content["annotations"]):
        where = f"{place}, annotations[{n}]"
        require_keys(entry, ("image_id", "category_id", "bbox", "label_text"), where)
        for key, known in (("image_id", images), ("category_id", names)):
            if entry[key] not in known:
                raise BenchError(
                    f"{key} {entry[key]!r} is not in the file", where=where, fix="download it again"
                )
        outline = entry.get("segmentation")
        rows.append(
            {
                "path": images[entry["image_id"]],
                "category": names[entry["category_id"]],
                "text": entry["label_text"],
                "sides": four_numbers(entry["bbox"], where),
                "mask": CocoMask.of_json(outline, of=where) if outline else None,
                "released": None,
                "where": where,
            }
        )
    return rows


def _csv_rows(place: Path) -> list[dict[str, Any]]:
    """One dict per line."""
    raw = read_table(place, COLUMNS, text=("dicom_id", "category_name", "label_text", "path", "split"))
    released = raw["split"].tolist() if "split" in raw else [None] * len(raw)
    rows = []
    for n, line in enumerate(raw[list(COLUMNS)].itertuples(index=False)):
        where = f"{place}, line {n + 2}"
        rows.append(
            {
                "path": line.path,
                "category": line.category_name,
                "text": line.label_text,
                "sides": four_numbers([getattr(line, side) for side in SIDES], where),
                "mask": None,
                "released": released[n],
                "where": where,
            }
        )
    return rows


def _by_image(rows: list[dict[str, Any]], place: Path) -> pd.DataFrame:
    """id, patient_id, study_id, image, phrases, and the split that the file states, one row per image."""
    if not rows:
        raise BenchError("names no phrase", where=place, fix="download it again")
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        located = PLACE.search(str(row["path"]))
        if located is None:
            what = f"path '{row['path']}' is not files/pXX/pPATIENT/sSTUDY/IMAGE.jpg"
            raise BenchError(what, where=row["where"], fix="download the file again")
        text = row["text"].strip() if isinstance(row["text"], str) else ""
        x, y, w, h = row["sides"]
        if not text or not (w > 0 and h > 0):
            what = "a box without extent" if text else "a phrase without text"
            raise BenchError(what, where=row["where"], fix="download the file again")
        image = found.setdefault(
            located["image"],
            {
                "id": located["image"],
                "patient_id": located["patient"],
                "study_id": located["study"],
                "image": f"files/{located[0]}",
                "released": row["released"],
                "phrases": {},
            },
        )
        boxes, masks = image["phrases"].setdefault((text, row["category"]), ([], []))
        boxes.append((x, y, x + w, y + h))
        masks.append(row["mask"])
    table = pd.DataFrame([{k: v for k, v in image.items() if k != "phrases"} for image in found.values()])
    phrases = [
        tuple(
            GroundedPhrase(text, tuple(boxes), _united(masks), category)
            for (text, category), (boxes, masks) in image["phrases"].items()
        )
        for image in found.values()
    ]
    return table.assign(phrases=pd.Series(phrases, dtype=object))


def _united(masks: list[CocoMask | None]) -> CocoMask | UnionMask | None:
    """The mask of a phrase: of all of its boxes, or of none."""
    given = [mask for mask in masks if mask is not None]
    if len(given) < len(masks):
        return None
    return given[0] if len(given) == 1 else UnionMask(tuple(given))


# --- split rules --------------------------------------------------------------------------------------


def official_split(table: pd.DataFrame, *, root: Path) -> pd.DataFrame:
    """MIMIC-CXR's official split (by patient): a model trained on its train part has not seen the rest."""
    place = find_table(root, "mimic-cxr-2.*-split.csv")
    listed = read_table(place, ("dicom_id", "split"), text=("dicom_id", "split"))
    split = table["id"].map(listed.drop_duplicates("dicom_id").set_index("dicom_id")["split"])
    if split.isna().any():
        first = table.loc[split.isna(), "id"].iloc[0]
        raise BenchError(f"has no split for image '{first}' of MS-CXR", where=place, fix="download it again")
    return table.assign(split=split.replace("validate", "valid"))


def biovil_split(table: pd.DataFrame) -> pd.DataFrame:
    """All of it is the test set, as BioViL uses it; most of its patients are in MIMIC-CXR's train part."""
    return table.assign(split="test")


def release_split(table: pd.DataFrame, *, place: Path) -> pd.DataFrame:
    """The column split of the CSV of version 1.1.0: train, val, test."""
    if table["released"].isna().any():
        fix = "use MS_CXR_Local_Alignment_v1.1.0.csv, or split='default'"
        raise BenchError("has no column 'split', which the rule 'release' needs", where=place, fix=fix)
    return table.assign(split=table["released"].str.strip().replace("val", "valid"))


RULES: dict[str, Rule] = {"default": official_split, "biovil": biovil_split, "release": release_split}
"""Split rules by name."""

CARD = Card(
    title="MS-CXR: phrases of MIMIC-CXR with boxes",
    what="1,162 pairs of a phrase and one or several boxes, drawn or checked by radiologists, for eight "
    "findings on frontal radiographs of MIMIC-CXR.",
    size="1,162 pairs of phrase and boxes on 1,047 images of 851 patients (unverified); 2 MB, without images",
    source="https://physionet.org/content/ms-cxr/, and the images of MIMIC-CXR-JPG",
    access="PhysioNet credentialed health data licence: training course and data use agreement",
    tree="""
ms_cxr/MS_CXR_Local_Alignment_v1.0.0.json     (or v1.1.0, or the .csv)
files/p10/p10000032/s50414267/<dicom_id>.jpg  (MIMIC-CXR-JPG)
mimic-cxr-2.0.0-split.csv.gz                  (MIMIC-CXR-JPG; only for the rule default)
""",
    splits=describe(RULES),
    options={
        "file": "json, csv, or any (the JSON first)",
        "missing": "error, or skip absent images",
    },
    caveats=(
        "Boxes are in pixels of MIMIC-CXR-JPG's images: with a resized re-pack they are wrong.",
        "A model pre-trained on MIMIC-CXR's official train part has seen most of these images; the rule "
        "default tests on the official test part, which is small.",
        "The files of PhysioNet were not at hand: their layout is taken from the published converter and "
        "other people's code (unverified).",
    ),
    annotations=("phrases",),
    watched=(*(f"{folder}/{NAME}" for folder in FOLDERS[:2]), NAME, "mimic-cxr-2.*-split.csv*"),
    patients="mimic_cxr",
)
