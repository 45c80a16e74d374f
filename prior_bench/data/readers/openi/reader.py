"""Read Open-i, the Indiana University chest radiographs with reports (Demner-Fushman et al. 2016).

There are three layouts: the files of the National Library of Medicine (XML and PNG), and the re-packs of
Kaggle (``indiana_reports.csv``) and of R2Gen (``annotation.json``). Most work on report generation uses
R2Gen's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench.data.cards import WATCHED, Card
from prior_bench.data.manifest import Manifest
from prior_bench.data.readers.openi.files import (
    ARCHIVES,
    PROJECTIONS,
    OpeniReport,
    image_key,
    read_projections,
    read_reports,
)
from prior_bench.data.readers.openi.repacks import KAGGLE, R2GEN, read_kaggle, read_r2gen
from prior_bench.data.splitting.rules import apply_rule, by_group, describe
from prior_bench.data.tables.chosen_labels import chosen_labels
from prior_bench.data.tables.listed_images import require_images
from prior_bench.data.texts.reports import ReportPolicy, report_policy
from prior_bench.errors import BenchError, unknown_name

IMAGE_FOLDERS = ("NLMCXR_png", "images", "png")
VIEWS = ("all", "frontal", "lateral")


def read(
    root: Path,
    *,
    split: str = "default",
    views: str = "all",
    reports: str | dict | ReportPolicy | None = "default",
    labels: Sequence[str] = (),
    missing: str = "error",
) -> Manifest:
    """Read one row per image; the images of a report share it.

    Args:
        root: folder with ``NLMCXR_reports.tgz`` (or ``ecgen-radiology/*.xml``) and the PNG files in
            ``NLMCXR_png/``, ``images/`` or next to it; or the folder of a re-pack.
        split: a name in :data:`RULES`.
        views: ``"all"``, ``"frontal"`` or ``"lateral"``; the last two need a table of projections.
        reports: policy that selects the reports (the images of others are left out), or None for no reports.
        labels: MeSH terms as binary labels ("normal", "cardiomegaly"); R2Gen's re-pack has none.
        missing: ``"error"`` or ``"skip"`` absent images.

    Raises:
        BenchError: a file is missing or malformed, a term is unknown, or the projections are unknown.
    """
    if views not in VIEWS:
        raise unknown_name("views", views, list(VIEWS), where="openi")
    if (root / R2GEN).is_file():
        table, note = read_r2gen(root / R2GEN), "layout found: R2Gen's re-pack"
    elif (root / KAGGLE).is_file():
        table, note = read_kaggle(root), "layout found: Kaggle re-pack"
    else:
        table, note = read_original(root)
    names = chosen_labels(labels, {term for terms in table["terms"] for term in terms}, "MeSH term", root)
    for name in names:
        table[name] = np.array([name in terms for terms in table["terms"]], np.float32)
    table = apply_rule(split, RULES, table, "openi")
    table = _of_views(table, views, root)
    dropped: Counter[str] = Counter()
    if reports is not None:
        policy = report_policy(reports)
        chosen = {
            study: policy.select(text) for study, text in zip(table["study_id"], table["text"], strict=True)
        }
        dropped.update(chosen[study][1] for study in table["study_id"] if chosen[study][1])
        table["report"] = pd.Series([chosen[study][0] or None for study in table["study_id"]], dtype=object)
        table = table[table["report"].notna()].reset_index(drop=True)
    table, absent = require_images(table, root, missing=missing, where=root)
    return Manifest(
        "openi",
        root,
        table.drop(columns=["terms", "text", "official"]),
        labels=names,
        split_rule=split,
        dropped=dict(dropped),
        notes=(note, *absent),
    )


def read_original(root: Path) -> tuple[pd.DataFrame, str]:
    """Read the XML reports as one row per image, and return them with a sentence that counts them."""
    folder = next((f for f in IMAGE_FOLDERS if any((root / f).glob("CXR*.png"))), "")
    if not folder and not any(root.glob("CXR*.png")):
        folder = IMAGE_FOLDERS[0]
    prefix = f"{folder}/" if folder else ""
    views, found = read_projections(root), read_reports(root)
    rows = [
        {
            "id": image,
            "patient_id": report.id,  # the collection has no other patient identifiers
            "study_id": report.id,
            "image": f"{prefix}{image}.png",
            "view": views.get(image_key(image)),
            "terms": report.terms,
            "text": report.text(),
            "official": None,
        }
        for report in found
        for image in report.images
    ]
    if not rows:
        raise BenchError("no report names an image", where=root, fix="download the reports again")
    return pd.DataFrame(rows), _census(found)


def _census(found: list[OpeniReport]) -> str:
    findings = [bool(report.sections.get("FINDINGS")) for report in found]
    impression = [bool(report.sections.get("IMPRESSION")) for report in found]
    return (
        f"layout found: XML, {len(found):,} reports (published 3,955): findings in {sum(findings):,} "
        f"(published 3,425), impression in {sum(impression):,} (3,921), "
        f"both in {sum(map(min, findings, impression)):,} (3,419); "
        f"{sum(not report.images for report in found)} without image (104)"
    )


def _of_views(table: pd.DataFrame, views: str, root: Path) -> pd.DataFrame:
    if views == "all":
        return table
    kept = table[table["view"] == views]
    if not len(kept):
        raise BenchError(
            f"no image is known to be {views}",
            where=root,
            fix=f"put {PROJECTIONS} (from the Kaggle re-pack) there, or pass views=all",
        )
    return kept.reset_index(drop=True)


# --- split rules --------------------------------------------------------------------------------------


def report_split(table: pd.DataFrame) -> pd.DataFrame:
    """70/10/20 by report (the collection has no patient identifiers), seed 0."""
    return by_group(table, {"train": 0.7, "valid": 0.1, "test": 0.2})


def r2gen_split(table: pd.DataFrame) -> pd.DataFrame:
    """R2Gen's split, from annotation.json."""
    if table["official"].isna().any():
        raise BenchError(
            f"split rule 'r2gen' needs R2Gen's {R2GEN}", where="openi", fix="use split='default'"
        )
    return table.assign(split=table["official"])


RULES = {"default": report_split, "r2gen": r2gen_split}
"""Split rules by name."""

CARD = Card(
    title="Open-i: Indiana University chest radiographs with reports",
    what="Frontal and lateral radiographs with 3,955 de-identified reports (XXXX marks removed text), "
    "indexed by hand with MeSH terms. The only data set here with freely available images and reports.",
    size="7,470 images (PNG), 3,955 reports; 104 reports have no image",
    source="https://openi.nlm.nih.gov/faq; images also "
    "academictorrents.com, 5a3a439df24931f410fac269b87b050203d9467d; re-pack "
    "https://www.kaggle.com/datasets/raddar/chest-xrays-indiana-university",
    access="open; the XML files state Creative Commons BY-NC-ND 4.0",
    tree=f"""
{ARCHIVES[0]}                     (or unpacked: ecgen-radiology/*.xml)
NLMCXR_png/CXR1_1_IM-0001-3001.png     (or in images/, or here)
{PROJECTIONS}                (optional, from the Kaggle re-pack: frontal or lateral)
nlmcxr_tsne_pa.csv                     (optional, from torchxrayvision: the same for half of the images)

Kaggle's re-pack: {KAGGLE}, {PROJECTIONS},
                  images/images_normalized/1_IM-0001-3001.dcm.png
R2Gen's re-pack:  {R2GEN}, images/CXR1000_IM-0003/0.png
""",
    splits=describe(RULES),
    options={
        "views": "all, frontal, lateral (the last two need a table of projections)",
        "reports": "report policy: default, prior, mgca, gloria, convirt, lovt; None for no reports",
        "labels": "MeSH terms as labels, e.g. normal, cardiomegaly; default: none",
        "missing": "error, or skip absent images",
    },
    caveats=(
        "There is no official split; R2Gen's is the usual one for report generation, with shares 70/10/20 "
        "(unverified).",
        "The XML files do not state which image is frontal. R2Gen's re-pack orders two images of a study, "
        "but does not state it either.",
        "A prepared index watches the archive and tables, not single unpacked XML files.",
    ),
    annotations=("reports", "labels"),
    watched=(*WATCHED, *ARCHIVES),
)
