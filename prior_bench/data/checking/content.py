"""Findings about the table of a data set: splits, patients, labels, boxes, phrases and studies."""

from __future__ import annotations

import re

import numpy as np

from prior_bench.data.checking.findings import SHOWN, DataFinding, of_many
from prior_bench.data.checking.pixels import PAIRS, without_positives
from prior_bench.data.manifest import SPLITS, Manifest

DRIFT = 0.1
"""Smallest difference between the shares of positives of two parts that is remarked."""
SURE = 3.0
"""Smallest number of standard errors of that difference."""
_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")


def check_splits(manifest: Manifest) -> list[DataFinding]:
    """Find patients and images in two splits, and empty splits."""
    found = []
    for what, column in (("patients", "patient_id"), ("images", "image")):
        present = {s: set(manifest.table.loc[manifest.table["split"] == s, column]) for s in SPLITS}
        for one, other in PAIRS:
            shared = present[one] & present[other]
            if shared:
                shown = tuple(map(str, sorted(shared)[:1]))
                text = f"{len(shared)} {what} are in {one} and in {other}"
                found.append(DataFinding("problem", text, len(shared), shown, f"shared {what}"))
    empty = [s for s in SPLITS if not (manifest.table["split"] == s).any()]
    if empty:
        found.append(DataFinding("remark", f"no rows in {', '.join(empty)}", kind="splits"))
    return found


def check_patients(manifest: Manifest) -> list[DataFinding]:
    """Find patient ids that differ only by blanks, case or leading zeros: they may be one patient."""
    spelled: dict[str, set[str]] = {}
    for patient in manifest.table["patient_id"].astype(str).unique():
        spelled.setdefault(_plain(patient), set()).add(patient)
    groups = [sorted(names) for names in spelled.values() if len(names) > 1]
    if not groups:
        return []
    parts = manifest.table.groupby(manifest.table["patient_id"].astype(str))["split"].agg(set)
    torn = [names for names in groups if len(set().union(*(parts[name] for name in names))) > 1]
    texts = [" / ".join(map(repr, names)) for names in groups]
    same = "patient ids differ only by blanks, case or leading zeros"
    found = of_many("remark", same, texts, "patient ids")
    torn_texts = [" / ".join(map(repr, names)) for names in torn]
    what = "patient ids that differ only by blanks, case or leading zeros are in several splits"
    return of_many("problem", what, torn_texts, "patient ids") or found


def _plain(patient: str) -> str:
    return _ZEROS.sub("", re.sub(r"\s+", "", patient).casefold())


def check_labels(manifest: Manifest) -> list[DataFinding]:
    """Find labels with one value, in all or in a part, and shares of positives that drift between parts."""
    found = []
    values = manifest.targets() if manifest.labels else np.zeros((len(manifest), 0))
    for column, name in enumerate(manifest.labels):
        whole = values[:, column]
        if len(np.unique(whole[~np.isnan(whole)])) < 2:
            text = f"label '{name}' has only one value; nothing can be learnt or measured"
            found.append(DataFinding("problem", text, kind="labels"))
            continue
        parts = {s: _known(manifest, whole, s) for s in SPLITS}
        for split, part in parts.items():
            if (manifest.table["split"] == split).any() and len(np.unique(part)) < 2:
                text = f"label '{name}' has only one value in {split}: its AUROC is undefined"
                found.append(DataFinding("remark", text, kind="labels"))
        found += _drift(name, parts)
    if manifest.exclusive and not (np.nansum(values, axis=1) == 1).all():
        wrong = manifest.table["id"][np.nansum(values, axis=1) != 1]
        what = "images have no label or several, but labels are exclusive"
        found += of_many("problem", what, wrong, "labels")
    return found


def _known(manifest: Manifest, values: np.ndarray, split: str) -> np.ndarray:
    part = values[(manifest.table["split"] == split).to_numpy()]
    return part[~np.isnan(part)]


def _drift(name: str, parts: dict[str, np.ndarray]) -> list[DataFinding]:
    """Compare the shares of positives of train and test with their standard error (two proportions)."""
    train, test = parts["train"], parts["test"]
    if not len(train) or not len(test):
        return []
    share, together = (train.mean(), test.mean()), np.concatenate([train, test]).mean()
    error = np.sqrt(together * (1 - together) * (1 / len(train) + 1 / len(test)))
    difference = abs(share[0] - share[1])
    if difference < DRIFT or difference < SURE * error:
        return []
    text = f"label '{name}' is positive in {share[0]:.0%} of train and {share[1]:.0%} of test"
    return [DataFinding("remark", text, kind="prevalence drift")]


def check_boxes(manifest: Manifest) -> list[DataFinding]:
    """Find parts without a box, and box classes that only one part has."""
    if "boxes" not in manifest.table or not manifest.has("boxes"):
        return []
    boxes = manifest.table["boxes"]
    annotated = boxes.notna().to_numpy()
    positive = np.array([cell is not None and len(cell) > 0 for cell in boxes])
    found = without_positives(manifest, annotated, positive, "box", "average precision and FROC")
    present = {
        s: {int(c) for cell in boxes[manifest.table["split"] == s] if cell is not None for c in cell[:, 4]}
        for s in SPLITS
    }
    for index, name in enumerate(manifest.box_classes):
        where = [s for s in SPLITS if index in present[s]]
        if len(where) == 1 and sum(map(bool, present.values())) > 1:
            text = f"boxes of the class '{name}' are in {where[0]} alone"
            found.append(DataFinding("remark", text, kind="classes"))
    return found


def check_phrases(manifest: Manifest) -> list[DataFinding]:
    """Find phrases that cannot be used."""
    if not manifest.has("phrases"):
        return []
    texts = [
        f"{sample} {problem}"
        for sample, phrases in zip(manifest.table["id"], manifest.table["phrases"], strict=True)
        for problem in (phrase.problem() for phrase in phrases or ())
        if problem
    ]
    found = [DataFinding("problem", text, 1, kind="phrases") for text in texts[:SHOWN]]
    if len(texts) > SHOWN:
        found.append(
            DataFinding("problem", f"... {len(texts)} phrases cannot be used", len(texts), kind="phrases")
        )
    return found


def check_studies(manifest: Manifest) -> list[DataFinding]:
    """Say where images that share a report would be taken for different studies."""
    if not manifest.has("reports") or "study_id" in manifest.table:
        return []
    rows = manifest.table[manifest.table["report"].notna()]
    repeated = int(rows.duplicated(["patient_id", "report"], keep=False).sum())
    if not repeated:
        return []
    text = (
        f"{repeated} images share the report of another image of their patient, and each counts as a "
        "pair; with a column study_id, the images of a study are one pair"
    )
    return [DataFinding("remark", text, repeated, kind="studies")]
