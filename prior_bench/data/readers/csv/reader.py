"""Read a user's own radiographs from a text table (CSV) with one row per image.

Columns are ``image`` (path relative to the file's folder), any number of label columns and, optionally,
``id``, ``patient_id``, ``study_id``, ``view``, ``split`` (train, valid, test), ``report`` (text), ``mask``
(path of an image of the same size, above 0 = inside; blank = not annotated), ``boxes`` ("x y width height
[class]", several separated by ";", in pixels; "none" = no object, blank = not annotated). Every other column
can name subgroups (docs/subgroups.md). Only an empty field is blank.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench.data.annotations.masks import FileMask
from prior_bench.data.cards import Card
from prior_bench.data.manifest import ABOUT, NO_PATIENTS, SPLITS, Manifest
from prior_bench.data.readers.csv.columns import box_column, strata
from prior_bench.data.readers.csv.labels import label_columns
from prior_bench.data.readers.csv.lines import require_values
from prior_bench.data.readers.csv.own_table import RESERVED, OwnTable, read_own_table
from prior_bench.data.splitting.rules import apply_rule, by_group, describe
from prior_bench.data.tables.listed_images import absent_note, present
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
    uncertain: str = "error",
    exclusive: bool | None = None,
    blank: str | Sequence[str] = (),
    encoding: str | None = None,
    reports: str | dict | ReportPolicy = "default",
    missing: str = "error",
) -> Manifest:
    """Read one row per line of the file.

    Args:
        root: the file; its separator (comma, semicolon, tab, vertical bar) is found.
        split: ``default`` uses the column ``split`` if there is one, otherwise the rule ``by_patient``.
        labels: label columns with the values 1, 0 and blank (unknown); by default all such columns with names
            that are not reserved (:mod:`prior_bench.data.readers.csv.column_kinds`).
        label: a column of names ("ap", "pa") that replaces ``labels``. Two values give one binary label; more
            values give one exclusive label per value.
        positive: the one of two values that becomes 1 (by default the alphabetically last).
        uncertain: meaning of -1 in labels: ``ones``, ``zeros``, ``ignore`` (unknown) or ``error``.
        exclusive: True: each image has exactly one label; False: any number.
        blank: texts that count as blank besides an empty field, e.g. ``["NA"]``.
        encoding: encoding of the file, if it is neither UTF-8 nor stated by a byte order mark.
        reports: policy for the column ``report``.
        missing: ``"error"`` or ``"skip"`` absent images.

    Raises:
        BenchError: a column or an image is missing, or a value is malformed; the message names the line.
    """
    if not root.is_file():
        raise BenchError("not a CSV file", where=root, fix="give the file itself: --data folder/images.csv")
    own, notes = read_own_table(root, encoding=encoding, blank=blank)
    raw = own.fields
    found = label_columns(
        own, labels=labels, label=label, positive=positive, uncertain=uncertain, exclusive=exclusive
    )
    table = pd.DataFrame({"image": raw["image"]})
    table.insert(0, "id", raw["id"] if "id" in raw else raw["image"])
    made_up = raw["image"] if raw["image"].duplicated().any() else table["id"]  # each image is a patient
    table.insert(1, "patient_id", raw["patient_id"] if "patient_id" in raw else made_up)
    for name, values in found.values.items():
        table[name] = values
    for name in ("study_id", "view"):
        if name in raw:
            table[name] = raw[name]
    for name in map(str, raw):
        if name not in RESERVED and name not in found.values:
            table[f"{ABOUT}{name}"] = own.typed(name)
    if "mask" in raw:
        masks = [FileMask(m, root.parent) if isinstance(m, str) else None for m in raw["mask"]]
        table["mask"] = pd.Series(masks, dtype=object)
    require_values(own, table, missing)
    box_classes: tuple[str, ...] = ()
    if "patient_id" not in raw:
        notes.insert(0, NO_PATIENTS)
    if "boxes" in raw:
        table["boxes"], box_classes = box_column(own)
        unknown = int(table["boxes"].isna().sum())
        if unknown:
            notes.append(
                f"boxes: {unknown} of {len(table)} images are not annotated (blank; none = no object)"
            )
    if "report" in raw:
        table["report"], said = _reports(raw["report"], report_policy(reports))
        notes += said
    stratify = strata(own)
    whole = table.join(stratify)
    whole = whole.join(raw[["split"]]) if "split" in raw else whole
    table["split"] = _split(split, whole, [str(name) for name in stratify], own)
    if missing == "skip":
        exists = present(root.parent, table["image"])
        notes += absent_note(exists)
        table = table[exists].reset_index(drop=True)
    return Manifest(
        root.stem,
        root.parent,
        table,
        labels=tuple(found.values),
        exclusive=found.exclusive,
        box_classes=box_classes,
        split_rule=split,
        notes=(*notes, *found.notes),
        columns=found.used,
    )


def _reports(texts: pd.Series, policy: ReportPolicy) -> tuple[pd.Series, list[str]]:
    """Return the sentences of each report, and how many reports are left out, by reason."""
    selected = [policy.select(text) if isinstance(text, str) else ((), "") for text in texts]
    reasons = Counter(reason for _, reason in selected if reason)
    notes = [
        f"reports: {count} left out: {reason} (report policy '{policy.name}')"
        for reason, count in reasons.items()
    ]
    return pd.Series([sentences or None for sentences, _ in selected], dtype=object), notes


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


def _split(rule: str, table: pd.DataFrame, labels: Sequence[str], own: OwnTable) -> pd.Series:
    column = apply_rule(rule, RULES, table, own.source.place, stratify=labels)["split"]
    wrong = ~column.isin(SPLITS).to_numpy()
    if wrong.any():
        row = int(np.argmax(wrong))
        value = column.iloc[row]
        raise BenchError(
            f"split is '{value}'" if isinstance(value, str) else "split is blank",
            where=own.where(row),
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
        "labels": "columns with 1, 0 or blank (unknown); default: all such columns; [] for none",
        "label": "one column of names (two values: binary; more: exclusive classes)",
        "positive": "the one of two names that becomes 1",
        "uncertain": "meaning of -1 in labels: ones, zeros, ignore (unknown); default: error",
        "exclusive": "True: each image has exactly one label; also makes classes of a column of numbers",
        "blank": "texts that count as blank besides an empty field, e.g. [NA]",
        "encoding": "encoding of the file, if it is not UTF-8, e.g. cp1252",
        "reports": "report policy: default, prior, mgca, gloria, convirt, lovt",
        "missing": "error, or skip absent images",
    },
    caveats=("Without patient_id, each image counts as a patient: give patient_id if you can.",),
    annotations=("labels", "reports", "boxes", "masks"),
)
