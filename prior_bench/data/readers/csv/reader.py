"""Read a user's own radiographs from a CSV file with one row per image.

Columns are ``image`` (path relative to the CSV file's folder), any number of label columns and, optionally,
``id``, ``patient_id``, ``study_id``, ``view``, ``split`` (train, valid, test), ``report`` (text), ``mask``
(path of an image of the same size, above 0 = inside; blank = not annotated), ``boxes`` ("x y width height
[class]", several separated by ";", in pixels; "none" = no object, blank = not annotated). Every other column
can name subgroups (docs/subgroups.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench.data.annotations.masks import FileMask
from prior_bench.data.cards import Card
from prior_bench.data.manifest import ABOUT, NO_PATIENTS, SPLITS, Manifest
from prior_bench.data.readers.csv.columns import RESERVED, box_column, box_texts, label_columns, strata
from prior_bench.data.readers.csv.lines import line_number, require_values
from prior_bench.data.splitting.rules import apply_rule, by_group, describe
from prior_bench.data.tables.annotation_tables import read_table
from prior_bench.data.tables.listed_images import present
from prior_bench.data.texts.reports import ReportPolicy, report_policy
from prior_bench.errors import BenchError

SHARES = {"train": 0.6, "valid": 0.2, "test": 0.2}
SPELLINGS = {
    "val": "valid",
    "validation": "valid",
    "validate": "valid",
    "training": "train",
    "testing": "test",
}


def read(
    root: Path,
    *,
    split: str = "default",
    labels: str | Sequence[str] | None = None,
    label: str | None = None,
    positive: str | None = None,
    reports: str | dict | ReportPolicy = "default",
    missing: str = "error",
) -> Manifest:
    """Read one row per line of the CSV file.

    Args:
        root: the CSV file.
        split: ``default`` uses the column ``split`` if there is one, otherwise the rule ``by_patient``.
        labels: label columns with the values 1, 0 and blank (unknown); by default all such columns with names
            that are not reserved.
        label: a column of names ("ap", "pa") that replaces ``labels``. Two values give one binary label; more
            values give one exclusive label per value.
        positive: the one of two values that becomes 1 (by default the alphabetically last).
        reports: policy for the column ``report``.
        missing: ``"error"`` or ``"skip"`` absent images.

    Raises:
        BenchError: a column or an image is missing, or a value is malformed; the message names the line.
    """
    if not root.is_file():
        raise BenchError("not a CSV file", where=root, fix="give the file itself: --data folder/images.csv")
    raw = read_table(root, ("image",), text=RESERVED, ragged=True)
    if not len(raw):
        raise BenchError("contains no rows", where=root, fix="add one line per image below the header")
    stratify, others = strata(raw), [str(name) for name in raw if name not in RESERVED]
    raw, names, exclusive = label_columns(raw, root, labels, label, positive)
    table = pd.DataFrame({"image": raw["image"]})
    table.insert(0, "id", raw["id"] if "id" in raw else raw["image"])
    made_up = raw["image"] if raw["image"].duplicated().any() else table["id"]  # each image is a patient
    table.insert(1, "patient_id", raw["patient_id"] if "patient_id" in raw else made_up)
    for name in names:
        table[name] = raw[name].astype(np.float32)
    for name in ("study_id", "view"):
        if name in raw:
            table[name] = raw[name]
    for name in others:
        if name in names:
            continue
        table[f"{ABOUT}{name}"] = raw[name]
    if "mask" in raw:
        masks = [FileMask(m, root.parent) if isinstance(m, str) else None for m in raw["mask"]]
        table["mask"] = pd.Series(masks, dtype=object)
    require_values(table, root, missing)
    box_classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    if "patient_id" not in raw:
        notes = (NO_PATIENTS,)
    if "boxes" in raw:
        table["boxes"], box_classes = box_column(box_texts(root), root)
        unknown = int(table["boxes"].isna().sum())
        if unknown:
            notes += (f"boxes: {unknown} of {len(table)} images are not annotated (blank; none = no object)",)
    if "report" in raw:
        policy = report_policy(reports)
        texts = [policy.select(t)[0] or None if isinstance(t, str) else None for t in raw["report"]]
        table["report"] = pd.Series(texts, dtype=object)
        unused = sum(
            isinstance(given, str) and not used for given, used in zip(raw["report"], texts, strict=True)
        )
        if unused:
            notes += (f"reports: {unused} have no usable text (report policy '{policy.name}')",)
    whole = table.join(stratify)
    whole = whole.join(raw[["split"]]) if "split" in raw else whole
    table["split"] = _split(split, whole, [str(name) for name in stratify], root)
    if missing == "skip":
        table = table[present(root.parent, table["image"])].reset_index(drop=True)
    return Manifest(
        root.stem,
        root.parent,
        table,
        labels=names,
        exclusive=exclusive,
        box_classes=box_classes,
        split_rule=split,
        notes=notes,
    )


# --- split rules --------------------------------------------------------------------------------------


def patient_split(table: pd.DataFrame, stratify: Sequence[str] = ()) -> pd.DataFrame:
    """60/20/20 by patient (by image without patient_id), stratified by all labels of the file, also by those
    that are not evaluated, as far as their combinations allow; seed 0."""
    return by_group(table, SHARES, stratify=stratify)


def column_split(table: pd.DataFrame, stratify: Sequence[str] = ()) -> pd.DataFrame:
    """The column ``split`` (train, valid, test) if there is one, otherwise by_patient."""
    if "split" not in table:
        return patient_split(table, stratify)
    names = table["split"].str.strip().str.lower()
    return table.assign(split=names.map(lambda name: SPELLINGS.get(name, name)))


RULES = {"default": column_split, "by_patient": patient_split}
"""Split rules by name."""


def _split(rule: str, table: pd.DataFrame, labels: Sequence[str], place: Path) -> pd.Series:
    column = apply_rule(rule, RULES, table, place, stratify=labels)["split"]
    wrong = ~column.isin(SPLITS).to_numpy()
    if wrong.any():
        row = int(np.argmax(wrong))
        raise BenchError(
            f"split is '{column.iloc[row]}'",
            where=f"{place}, line {line_number(place, row)}",
            fix=f"use {', '.join(SPLITS)}, or split='by_patient'",
        )
    return column


CARD = Card(
    title="your own images, from a CSV file",
    what="One row per image, with the labels, reports, boxes and masks that you have.",
    size="any",
    source="yours",
    access="yours",
    tree="""
images.csv      image, label columns..., and optionally id, patient_id, study_id, view, split,
                report, mask, boxes
...             images (JPEG, PNG, DICOM), paths relative to images.csv

  split         train, valid or test
  mask          path of an image of the same size, above 0 = inside; blank = not annotated
  boxes         "x y width height [class]; x y width height [class]" in pixels;
                none = no object, blank = not annotated
""",
    splits=describe(RULES),
    options={
        "labels": "columns with 1, 0 or blank (unknown); default: all such columns",
        "label": "one column of names (two values: binary; more: exclusive classes)",
        "positive": "the one of two names that becomes 1",
        "reports": "report policy: default, prior, mgca, gloria, convirt, lovt",
        "missing": "error, or skip absent images",
    },
    caveats=("Without patient_id, each image counts as a patient: give patient_id if you can.",),
    annotations=("labels", "reports", "boxes", "masks"),
)
