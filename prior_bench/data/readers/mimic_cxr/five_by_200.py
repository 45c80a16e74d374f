"""Read MIMIC 5x200 (BenchX): 200 images with reports for each of five findings, by BenchX's released list."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from prior_bench.data.cards import Card
from prior_bench.data.manifest import Manifest
from prior_bench.data.readers.mimic_cxr import reader as mimic_cxr
from prior_bench.data.splitting.rules import apply_rule, describe
from prior_bench.data.tables.annotation_tables import find_table, read_table
from prior_bench.data.texts.reports import ReportPolicy
from prior_bench.errors import BenchError

IMAGE_LIST = "mimic_5x200_ids.csv"


def read(
    root: Path,
    *,
    split: str = "default",
    reports: str | dict | ReportPolicy | None = "default",
    missing: str = "error",
) -> Manifest:
    """Read one row per listed image; all are in the split ``test`` and have exactly one label.

    Args:
        root: folder of MIMIC-CXR (see ``mimic_cxr``), with ``mimic_5x200_ids.csv`` in it.
        split: a name in :data:`RULES`.
        reports: policy that selects the reports (the images of others are left out), or None for no reports.
        missing: ``"error"``, or ``"skip"`` to leave out missing images.

    Raises:
        BenchError: a file is missing or malformed, an image is not in MIMIC-CXR, or an image is positive for
            none or several of the five findings.
    """
    place = find_table(root, IMAGE_LIST)
    listed = read_table(place, ("dicom_id",), text=("dicom_id",))["dicom_id"].tolist()
    data = mimic_cxr.read_listed(root, listed, where=place, reports=reports, missing=missing)
    values = data.targets()
    several = values.sum(axis=1) != 1
    if several.any():
        raise BenchError(
            f"{int(several.sum())} of {len(data)} images are not positive for exactly one of the five, "
            f"the first is {data.table['id'][several].iloc[0]}",
            where=place,
            fix="check that the list and mimic-cxr-2.*-chexpert.csv are from the same release",
        )
    table = apply_rule(split, RULES, data.table, "mimic_5x200")
    return replace(data, name="mimic_5x200", table=table, exclusive=True, split_rule=split)


def benchx_list(table: pd.DataFrame) -> pd.DataFrame:
    """BenchX's released list (mimic_5x200_ids.csv); all images are in the test set."""
    return table.assign(split="test")


RULES = {"default": benchx_list, "benchx": benchx_list}
"""Split rules by name."""

CARD = Card(
    title="MIMIC 5x200 (zero-shot and retrieval test set of BenchX)",
    what="200 frontal images of MIMIC-CXR, with their reports, for each of Atelectasis, Cardiomegaly, "
    "Consolidation, Edema and Pleural Effusion.",
    size="1,000 images",
    source="mimic_5x200_ids.csv of the BenchX repository (github.com/yangzhou12/BenchX), and MIMIC-CXR",
    access="as MIMIC-CXR: PhysioNet credentialed health data licence",
    tree="""
mimic_5x200_ids.csv          (BenchX: Path,dicom_id,subject_id,study_id,Report)
and the files of mimic_cxr
""",
    splits=describe(RULES),
    options={
        "reports": "report policy: default, prior, mgca, gloria, convirt, lovt; None for no reports",
        "missing": "error, or skip to leave out missing images",
    },
    caveats=(
        "Labels are raw positives of the chexpert table; how BenchX assigned its labels is not known "
        "(unverified).",
        "A model pre-trained on MIMIC-CXR may have seen these images.",
        "BenchX scores retrieval per batch of unknown size: its results depend on that pool.",
    ),
    annotations=("labels", "reports"),
    published={"default": {"images": (0, 0, 1000)}, "benchx": {"images": (0, 0, 1000)}},
    watched=(IMAGE_LIST, *mimic_cxr.CARD.watched),
    patients="mimic_cxr",
)
