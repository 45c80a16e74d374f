"""Read the two common re-packs of Open-i: Kaggle's tables, and R2Gen's ``annotation.json``.

Both functions return one row per image: id, patient_id, study_id, image, view, terms (MeSH), text and
official (split).
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from prior_bench.data.readers.openi.files import PROJECTIONS
from prior_bench.data.tables.annotation_json import read_json
from prior_bench.data.tables.annotation_tables import find_table, read_table
from prior_bench.errors import BenchError

R2GEN = "annotation.json"
KAGGLE = "indiana_reports.csv"
KAGGLE_IMAGES = ("images/images_normalized", "images", "images_normalized")
PROSE = ("findings", "impression")


def read_kaggle(root: Path) -> pd.DataFrame:
    """Read Kaggle's ``indiana_reports.csv`` (a row per report) and ``indiana_projections.csv`` (a row per
    image).

    Raises:
        BenchError: a file or column is missing, or an image has no report.
    """
    place = root / KAGGLE
    columns = ("uid", "MeSH", *PROSE)
    reports = read_table(place, columns, text=columns)[list(columns)].fillna("")
    reports = reports.drop_duplicates("uid").set_index("uid")
    listed = find_table(root, PROJECTIONS)
    of_images = ("uid", "filename", "projection")
    images = read_table(listed, of_images, text=of_images)
    orphans = ~images["uid"].isin(reports.index)
    if orphans.any():
        first = images.loc[orphans, "filename"].iloc[0]
        raise BenchError(
            f"{int(orphans.sum())} images have no report in {KAGGLE}; the first is {first}",
            where=listed,
            fix="download both tables again",
        )
    folder = next((f for f in KAGGLE_IMAGES if any((root / f).glob("*.png"))), KAGGLE_IMAGES[0])
    of_image = reports.loc[images["uid"]].reset_index(drop=True)
    terms = [
        frozenset(term.split("/")[0].strip().lower() for term in text.split(";") if term.strip())
        for text in of_image["MeSH"]
    ]
    prose = zip(of_image["findings"], of_image["impression"], strict=True)
    return pd.DataFrame(
        {
            "id": images["filename"].str.removesuffix(".png"),
            "patient_id": "CXR" + images["uid"],
            "study_id": "CXR" + images["uid"],
            "image": f"{folder}/" + images["filename"],
            "view": images["projection"].str.strip().str.lower(),
            "terms": terms,
            "text": [f"FINDINGS: {findings}\n\nIMPRESSION: {impression}" for findings, impression in prose],
            "official": None,
        }
    )


def read_r2gen(place: Path) -> pd.DataFrame:
    """Read R2Gen's ``annotation.json``: {train, val, test: [{id, report, image_path, split}]}.

    Raises:
        BenchError: the file is not JSON or has another form.
    """
    parts = read_json(place, dict)
    try:
        rows = [
            {
                "id": image.rpartition(".")[0],
                "patient_id": entry["id"].partition("_")[0],
                "study_id": entry["id"],
                "image": f"images/{image}",
                "view": None,
                "terms": frozenset(),
                "text": entry["report"],
                "official": {"val": "valid"}.get(part, part),
            }
            for part, entries in parts.items()
            for entry in entries
            for image in entry["image_path"]
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise BenchError(
            f"not of the form {{train, val, test: [{{id, report, image_path, split}}]}} ({error!r})",
            where=place,
            fix="download it again",
        ) from error
    if not rows:
        raise BenchError("contains no image", where=place, fix="download it again")
    return pd.DataFrame(rows)
