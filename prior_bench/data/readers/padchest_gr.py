"""PadChest-GR (Castro et al. 2024): reports whose sentences have boxes; files as BIMCV gives them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prior_bench.data.annotations.phrases import Box, GroundedPhrase
from prior_bench.data.cards import Card
from prior_bench.data.images.read import image_size
from prior_bench.data.manifest import Manifest
from prior_bench.data.splitting.rules import Rule, apply_rule, describe
from prior_bench.data.tables.annotation_json import four_numbers, read_json, require_keys
from prior_bench.data.tables.annotation_tables import find_table, read_table
from prior_bench.data.tables.chosen_labels import chosen_labels
from prior_bench.data.tables.listed_images import require_images
from prior_bench.errors import BenchError, unknown_name
from prior_bench.runtime import progress

REPORTS = "grounded_reports_*.json"
LANGUAGES = ("en", "es")
READERS = ("first", "both")
LABEL = "label of PadChest-GR"
COLUMNS = ("StudyID", "PatientID", "split", "label", "label_group")
FOLDERS = ("Padchest_GR_files/PadChest_GR", "Padchest_GR_files", "PadChest_GR", "images")
"""Where the images are looked for."""
SLACK = 0.01
"""By how much a relative coordinate may leave [0, 1], as drawn boxes do at the edge."""


def read(
    root: Path,
    *,
    split: str = "default",
    language: str = "en",
    boxes: str = "first",
    labels: Sequence[str] = (),
    missing: str = "error",
) -> Manifest:
    """One row per image, with its report and the phrases that have boxes.

    Args:
        root: folder with ``grounded_reports_*.json``, ``master_table.csv`` and the images.
        split: a name in :data:`RULES`.
        language: ``"en"`` (translated) or ``"es"`` (original) sentences.
        boxes: ``"first"`` reader's boxes, or ``"both"`` readers' united.
        labels: PadChest's labels of positive sentences as binary labels ("cardiomegaly").
        missing: ``"error"`` or ``"skip"`` absent images.

    Raises:
        BenchError: files missing or not as they should be, or a label is unknown.
    """
    for given, known, what in ((language, LANGUAGES, "language"), (boxes, READERS, "choice of boxes")):
        if given not in known:
            raise unknown_name(what, given, list(known), where="padchest_gr")
    places = sorted(root.glob(REPORTS))
    if not places:
        raise BenchError(f"{REPORTS} is missing", where=root, fix="unpack the files of BIMCV there")
    master = find_table(root, "master_table.csv")
    known_studies = read_table(master, COLUMNS, text=COLUMNS)
    table = _studies(places[-1], known_studies, master, _image_folder(root), language, boxes)
    names = chosen_labels(labels, {name for found in table["found"] for name in found}, LABEL, places[-1])
    for name in names:
        table[name] = np.array([name in found for found in table["found"]], np.float32)
    table = apply_rule(split, RULES, table, "padchest_gr").drop(columns=["official", "found"])
    table, absent = require_images(table, root, missing=missing, where=places[-1])
    table["phrases"] = _in_pixels(table, root)
    return Manifest("padchest_gr", root, table, labels=names, split_rule=split, notes=absent)


def _studies(
    place: Path, known: pd.DataFrame, master: Path, folder: str, language: str, boxes: str
) -> pd.DataFrame:
    """One row per study; the boxes of ``phrases`` are still relative to the image."""
    of_study = known.drop_duplicates("StudyID").set_index("StudyID")
    groups = known.dropna(subset=["label"]).drop_duplicates("label").set_index("label")["label_group"]
    keys = ("boxes", "extra_boxes") if boxes == "both" else ("boxes",)
    rows: list[dict[str, Any]] = []
    for n, study in enumerate(read_json(place, list)):
        where = f"{place}, entry {n}"
        require_keys(study, ("StudyID", "ImageID", "findings"), where)
        number = str(study["StudyID"])
        if number not in of_study.index:
            what = f"has no study '{number}' of {place.name}"
            raise BenchError(what, where=master, fix="both files must be of the same release")
        sentences, phrases, labels = [], [], set()
        for m, finding in enumerate(study["findings"]):
            inner = f"{where}, findings[{m}]"
            require_keys(finding, (f"sentence_{language}",), inner)
            text = str(finding[f"sentence_{language}"] or "").strip()
            drawn = tuple(_relative(box, inner) for key in keys for box in finding.get(key) or ())
            if text:
                sentences.append(text)
            named = [str(label) for label in finding.get("labels") or ()]
            if finding.get("abnormal", True):
                labels.update(named)
            if text and drawn:
                group = groups.get(named[0], "") if named else ""
                phrases.append(GroundedPhrase(text, drawn, None, group if isinstance(group, str) else ""))
        rows.append(
            {
                "id": number,
                "patient_id": of_study.loc[number, "PatientID"],
                "study_id": number,
                "image": f"{folder}/{study['ImageID']}",
                "official": of_study.loc[number, "split"],
                "report": tuple(sentences) or None,
                "phrases": tuple(phrases),
                "found": frozenset(labels),
            }
        )
    if not rows:
        raise BenchError("names no study", where=place, fix="download it again")
    return pd.DataFrame(rows)


def _relative(box: Any, where: str) -> Box:
    """x1, y1, x2, y2 as shares of the image's sides."""
    x1, y1, x2, y2 = four_numbers(box, where)
    if min(x1, y1) < -SLACK or max(x2, y2) > 1 + SLACK or not (x2 > x1 and y2 > y1):
        fix = "expected are x1, y1, x2, y2 between 0 and 1; download the file again"
        raise BenchError(f"box {box} is no part of the image", where=where, fix=fix)
    x1, y1, x2, y2 = (min(max(value, 0.0), 1.0) for value in (x1, y1, x2, y2))
    return x1, y1, x2, y2


def _in_pixels(table: pd.DataFrame, root: Path) -> pd.Series:
    """The phrases with boxes in pixels, by the headers of the images that have phrases."""
    pairs = list(zip(table["image"], table["phrases"], strict=True))
    found = []
    for image, phrases in progress(pairs, "reading image headers"):
        height, width = image_size(root / image) if phrases else (1, 1)
        found.append(
            tuple(
                GroundedPhrase(
                    one.text,
                    tuple((x1 * width, y1 * height, x2 * width, y2 * height) for x1, y1, x2, y2 in one.boxes),
                    None,
                    one.category,
                )
                for one in phrases
            )
        )
    return pd.Series(found, index=table.index, dtype=object)


def _image_folder(root: Path) -> str:
    for folder in FOLDERS:
        if (root / folder).is_dir() and any((root / folder).glob("*.png")):
            return folder
    return FOLDERS[0]


# --- split rules --------------------------------------------------------------------------------------


def official_split(table: pd.DataFrame) -> pd.DataFrame:
    """The official split of master_table.csv (by patient): train, validation, test."""
    return table.assign(split=table["official"].str.strip().replace("validation", "valid"))


RULES: dict[str, Rule] = {"default": official_split}
"""Split rules by name."""

CARD = Card(
    title="PadChest-GR: grounded reports of PadChest",
    what="Frontal radiographs of the Hospital San Juan (Alicante). Reports are split into sentences of one "
    "finding each, in Spanish and English, and each positive finding has boxes of up to two readers.",
    size="4,555 studies, 7,037 positive and 3,422 negative sentences; about 36 GB of images",
    source="https://bimcv.cipf.es/bimcv-projects/padchest-gr/",
    access="research use agreement of BIMCV, on request",
    tree="""
grounded_reports_20240819.json                [{"StudyID", "ImageID", "findings": [...]}, ...]
master_table.csv                              StudyID,PatientID,split,label,label_group,...
Padchest_GR_files/PadChest_GR/<ImageID>       (or Padchest_GR_files/, PadChest_GR/, images/)
""",
    splits=describe(RULES),
    options={
        "language": "en (translated) or es (original)",
        "boxes": "first (the first reader's) or both (the union of both readers')",
        "labels": "labels of positive sentences as binary labels, e.g. cardiomegaly; default: none",
        "missing": "error, or skip absent images",
    },
    caveats=(
        "The files of BIMCV were not at hand: their layout is taken from other people's code (unverified).",
        "English sentences are translations by a language model.",
        "Boxes are stored relative to the image; the reader opens the header of every image with a phrase.",
        "Findings have the names of their label group (PadChest's 26 groups); phrases without one have none.",
    ),
    annotations=("labels", "reports", "phrases"),
    published={"all": {"images": (4555,)}},
    watched=(REPORTS, "master_table.csv*"),
    patients="padchest",
)
