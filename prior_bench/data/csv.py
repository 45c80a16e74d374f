"""People's own radiographs: one CSV with a row per image.

Columns: ``image`` (path, relative to the CSV's folder), any number of label columns, and, optionally,
``id``, ``patient_id``, ``study_id``, ``view``, ``split`` (train, valid, test), ``report`` (text), ``mask``
(path of an image of the same size, above 0 = inside; blank = not annotated), ``boxes``
("x y width height [class]", several separated by ";", in pixels; blank = no object).
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench.data.annotations import FileMask
from prior_bench.data.cards import Card
from prior_bench.data.files import MISSING, present
from prior_bench.data.manifest import SPLITS, Manifest
from prior_bench.data.report import ReportPolicy, report_policy
from prior_bench.data.splits import by_group, describe
from prior_bench.data.tables import read_table, require_columns
from prior_bench.errors import BenchError, ErrorList, unknown_name

RESERVED = ("image", "id", "patient_id", "study_id", "view", "split", "report", "mask", "boxes")
DEFAULT_BOX_CLASS = "object"
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
    """One row per line of the CSV.

    Args:
        root: the CSV file.
        split: ``default`` takes the column ``split`` where there is one, else ``by_patient``.
        labels: label columns with the values 1, 0 and blank (unknown); by default every column that is not
            reserved and holds nothing else.
        label: one column of names instead ("ap", "pa"): two values give one binary label, more give one
            label per value, of which each image has exactly one.
        positive: which of the two values counts as 1 (by default the alphabetically last).
        reports: policy for the column ``report``.
        missing: ``"error"`` or ``"skip"`` absent images.

    Raises:
        BenchError: no such column, a value that is not as it should be, or an absent image; names the line.
    """
    if not root.is_file():
        raise BenchError("not a CSV file", where=root, fix="name the file: --data folder/images.csv")
    raw = read_table(root, ("image",), text=RESERVED)
    if not len(raw):
        raise BenchError("holds no rows", where=root)
    raw, names, exclusive = _labels(raw, root, labels, label, positive)
    table = pd.DataFrame({"image": raw["image"]})
    table.insert(0, "id", raw["id"] if "id" in raw else raw["image"])
    table.insert(1, "patient_id", raw["patient_id"] if "patient_id" in raw else raw["image"])
    for name in names:
        table[name] = raw[name].astype(np.float32)
    for name in ("study_id", "view"):
        if name in raw:
            table[name] = raw[name]
    if "mask" in raw:
        masks = [FileMask(m, root.parent) if isinstance(m, str) else None for m in raw["mask"]]
        table["mask"] = pd.Series(masks, dtype=object)
    _require_values(table, root, missing)
    box_classes: tuple[str, ...] = ()
    if "boxes" in raw:
        table["boxes"], box_classes = _boxes(raw["boxes"], root)
    if "report" in raw:
        policy = report_policy(reports)
        texts = [policy.select(t)[0] or None if isinstance(t, str) else None for t in raw["report"]]
        table["report"] = pd.Series(texts, dtype=object)
    table["split"] = _split(split, table.join(raw[["split"]]) if "split" in raw else table, names, root)
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
    )


# --- labels -------------------------------------------------------------------------------------------


def _labels(
    raw: pd.DataFrame,
    place: Path,
    labels: str | Sequence[str] | None,
    label: str | None,
    positive: str | None,
) -> tuple[pd.DataFrame, tuple[str, ...], bool]:
    """The table with numeric label columns, their names, and whether they exclude each other."""
    if label is None and labels is None:
        return raw, tuple(c for c in raw if c not in RESERVED and _is_binary(raw[c])), False
    wanted = [label] if label is not None else [labels] if isinstance(labels, str) else list(labels)
    require_columns(raw, wanted, place)
    if len(wanted) == 1 and not _is_binary(raw[wanted[0]]):
        return _one_vs_rest(raw, wanted[0], place, positive)
    for name in wanted:
        if not _is_binary(raw[name]):
            row = int(np.argmax(~_allowed(raw[name])))
            raise BenchError(
                f"label '{name}' is '{raw[name].iloc[row]}'; allowed are 1, 0 and blank",
                where=f"{place}, line {line_number(place, row)}",
                fix=f"a column of names can be used alone: label='{name}'",
            )
    return raw, tuple(wanted), False


def _allowed(column: pd.Series) -> np.ndarray:
    return (pd.to_numeric(column, errors="coerce").isin([0, 1]) | column.isna()).to_numpy()


def _is_binary(column: pd.Series) -> bool:
    return bool(column.notna().any() and _allowed(column).all())


def _one_vs_rest(
    raw: pd.DataFrame, name: str, place: Path, positive: str | None
) -> tuple[pd.DataFrame, tuple[str, ...], bool]:
    """A column of names to one binary label (two values) or one label per value (more)."""
    column = raw[name].astype(str).str.strip().where(raw[name].notna())
    values = sorted(column.dropna().unique())
    if not 2 <= len(values) <= 50:
        raise BenchError(
            f"label '{name}' has {len(values)} different values; 2 to 50 make classes", where=place
        )
    if positive is not None and positive not in values:
        raise unknown_name(f"value of '{name}'", positive, values, where=place)
    shown = values if len(values) > 2 else [positive or values[-1]]
    for value in shown:
        raw[f"{name}={value}"] = column.eq(value).astype(float).where(column.notna())
    return raw, tuple(f"{name}={value}" for value in shown), len(values) > 2


# --- boxes, splits, and errors that name the line ------------------------------------------------------


def _boxes(column: pd.Series, place: Path) -> tuple[pd.Series, tuple[str, ...]]:
    """``"x y width height [class]; ..."`` to float32 [n, 5] (corners, class index)."""
    parsed: list[list[tuple[float, float, float, float, str]]] = []
    for row, text in enumerate(column):
        pieces = [piece for piece in text.split(";") if piece.strip()] if isinstance(text, str) else []
        where = f"{place}, line {line_number(place, row)}" if pieces else ""
        parsed.append([_box(piece, where) for piece in pieces])
    classes = tuple(sorted({box[4] for boxes in parsed for box in boxes}))
    arrays = [
        np.array([(*box[:4], classes.index(box[4])) for box in boxes], np.float32).reshape(-1, 5)
        for boxes in parsed
    ]
    return pd.Series(arrays, dtype=object), classes


def _box(text: str, where: str) -> tuple[float, float, float, float, str]:
    """(x1, y1, x2, y2, class)."""
    parts = text.split(maxsplit=4)
    try:
        x, y, width, height = map(float, parts[:4])
    except ValueError:
        raise BenchError(f"box '{text.strip()}' is not 'x y width height [class]'", where=where) from None
    if not (width > 0 and height > 0):
        raise BenchError(f"box '{text.strip()}' has no extent", where=where)
    return x, y, x + width, y + height, parts[4].strip() if len(parts) > 4 else DEFAULT_BOX_CLASS


def patient_split(table: pd.DataFrame, stratify: Sequence[str] = ()) -> pd.DataFrame:
    """60/20/20 by patient (by image where there is no patient_id), the mix of labels about equal; seed 0."""
    return by_group(table, SHARES, stratify=stratify)


def column_split(table: pd.DataFrame, stratify: Sequence[str] = ()) -> pd.DataFrame:
    """The column ``split`` (train, valid, test) where there is one, else by_patient."""
    if "split" not in table:
        return patient_split(table, stratify)
    names = table["split"].str.strip().str.lower()
    return table.assign(split=names.map(lambda name: SPELLINGS.get(name, name)))


RULES = {"default": column_split, "by_patient": patient_split}
"""Split rules by name."""


def _split(rule: str, table: pd.DataFrame, labels: Sequence[str], place: Path) -> pd.Series:
    if rule not in RULES:
        raise unknown_name("split rule", rule, list(RULES), where=place)
    column = RULES[rule](table, labels)["split"]
    wrong = ~column.isin(SPLITS).to_numpy()
    if wrong.any():
        row = int(np.argmax(wrong))
        raise BenchError(
            f"split is '{column.iloc[row]}'",
            where=f"{place}, line {line_number(place, row)}",
            fix=f"use {', '.join(SPLITS)}, or split='by_patient'",
        )
    return column


def _require_values(table: pd.DataFrame, place: Path, missing: str) -> None:
    """No blank in image, id or patient_id; no image that is not there; no id twice. All reported at once."""
    if missing not in MISSING:
        raise BenchError(f"missing='{missing}' is not one of {', '.join(MISSING)}", where=place)
    problems = []
    for name in ("image", "id", "patient_id"):
        blank = table[name].isna().to_numpy()
        if blank.any():
            problems.append(_problem(place, blank, f"'{name}' is blank"))
    if not problems:
        twice = table["id"].duplicated().to_numpy()
        if twice.any():
            value = table["id"].iloc[int(np.argmax(twice))]
            problems.append(_problem(place, twice, f"id '{value}' occurs a second time"))
        exists = present(place.parent, table["image"])
        if not exists.all() and (missing == "error" or not exists.any()):
            file = place.parent / table["image"].iloc[int(np.argmin(exists))]
            state = "is a dead link" if file.is_symlink() else "does not exist"
            problems.append(_problem(place, ~exists, f"image {file} {state}"))
        if "mask" in table:
            named = [m.path if m else table["image"].iloc[i] for i, m in enumerate(table["mask"])]
            lost = ~present(place.parent, named) & table["mask"].notna().to_numpy()
            if lost.any():
                problems.append(
                    _problem(place, lost, f"mask {place.parent / named[int(np.argmax(lost))]} does not exist")
                )
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise ErrorList("several things are wrong", problems, where=place)


def _problem(place: Path, wrong: np.ndarray, what: str) -> BenchError:
    more = f" ({int(wrong.sum())} lines in all)" if wrong.sum() > 1 else ""
    return BenchError(f"{what}{more}", where=f"{place}, line {line_number(place, int(np.argmax(wrong)))}")


def line_number(place: Path, row: int) -> int:
    """Line of the file on which data row ``row`` (from 0) ends; quoted texts may span lines."""
    with place.open(newline="", encoding="utf-8-sig") as stream:
        lines = csv.reader(stream)
        seen = -1
        for fields in lines:
            seen += bool(fields)  # blank lines are no rows
            if seen == row + 1:
                break
        return lines.line_num


CARD = Card(
    title="your own images, from a CSV file",
    what="One row per image; labels, reports, boxes and masks as far as you have them.",
    size="any",
    source="yours",
    access="yours",
    tree="""
images.csv      image, label columns..., and optionally id, patient_id, study_id, view, split,
                report, mask, boxes
...             images (JPEG, PNG, DICOM), paths relative to images.csv

  split         train, valid or test
  mask          path of an image of the same size, above 0 = inside; blank = not annotated
  boxes         "x y width height [class]; x y width height [class]" in pixels; blank = no object
""",
    splits=describe(RULES),
    options={
        "labels": "columns with 1, 0 or blank (unknown); default: all such columns",
        "label": "one column of names (two values: binary; more: classes that exclude each other)",
        "positive": "which of two names counts as 1",
        "reports": "report policy: default, prior, mgca, gloria, convirt, lovt",
        "missing": "error, or skip absent images",
    },
    caveats=("Without patient_id every image counts as a patient of its own: give it where you can.",),
    annotations=("labels", "reports", "boxes", "masks"),
)
