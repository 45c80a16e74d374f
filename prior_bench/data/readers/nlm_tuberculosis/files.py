"""Read the clinical readings that the Montgomery and the Shenzhen collection have in common.

Both have one text file per image, ``ClinicalReadings/MCUCXR_0001_0.txt``, beside ``CXR_png/``. The last digit
of the name is the label. Layout and forms of the readings are taken from public code: torchxrayvision
(``NLMTB_Dataset``), RadHarmony, and readers of single projects, which agree.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench.data.manifest import ABOUT
from prior_bench.data.tables.text_file import read_lines
from prior_bench.data.texts.sentences import split_sentences
from prior_bench.errors import BenchError

LABEL = "Tuberculosis"
IMAGES, READINGS = "CXR_png", "ClinicalReadings"
NAME = re.compile(r"(?P<patient>[A-Z]+_\d+)_(?P<label>[01])")
YEARS = {"y": 1.0, "m": 1 / 12, "d": 1 / 365.25}
"""Length of the units of ages in years, by the first letter of the unit."""

Reading = tuple[str | None, float, str]
"""Sex (F, M or None), age in years (NaN if it is not readable) and the text of a reading."""


def home(root: Path, names: Sequence[str]) -> Path:
    """Return the folder with ``ClinicalReadings/``: ``root``, or the first of ``names`` in it that has it.

    Raises:
        BenchError: there is none.
    """
    for folder in (root, *(root / name for name in names)):
        if (folder / READINGS).is_dir():
            return folder
    there = sorted(path.name for path in root.iterdir())[:8] if root.is_dir() else []
    raise BenchError(
        f"{READINGS}/ is missing",
        where=root,
        fix=f"give the folder that has {READINGS}/ and {IMAGES}/; found: {', '.join(there) or 'nothing'}",
    )


def read_readings(folder: Path, prefix: str, parse: Callable[[list[str]], Reading]) -> pd.DataFrame:
    """Read one row per reading, in the order of the names.

    Columns: id, patient_id, image, view (all images are PA by the paper), the label, report, about_sex and
    about_age.

    Args:
        folder: folder with ``ClinicalReadings/``.
        prefix: what the names of the collection begin with; re-packs have both collections in one folder.
        parse: reads the lines of a reading.

    Raises:
        BenchError: there is no reading, or a file is empty or has no label in its name.
    """
    places = sorted((folder / READINGS).glob(f"{prefix}_*.txt"))
    if not places:
        raise BenchError(f"has no {prefix}_*.txt", where=folder / READINGS, fix="unpack the readings there")
    rows = []
    for place in places:
        name = NAME.fullmatch(place.stem)
        if name is None:
            what = f"'{place.stem}' is not a name like {prefix}_0001_0, which ends with the label 0 or 1"
            raise BenchError(what, where=place.parent, fix="remove it, or unpack the readings again")
        # a few bytes may be in the encoding of the hospital's computers
        sex, age, text = parse([line.replace("\ufffd", " ").strip() for line in read_lines(place)])
        rows.append(
            {
                "id": place.stem,
                "patient_id": name["patient"],
                "image": f"{IMAGES}/{place.stem}.png",
                "view": "PA",
                LABEL: float(name["label"]),
                "report": split_sentences(text) or None,
                f"{ABOUT}sex": sex,
                f"{ABOUT}age": age,
            }
        )
    return pd.DataFrame(rows).astype({LABEL: np.float32})


def age_in_years(text: str) -> float:
    """Return the first age in a text ("027Y", "16month", "64 days") in years; NaN if there is none."""
    found = re.search(r"(\d+)\s*([ymd])", text, re.I)
    return float(found[1]) * YEARS[found[2].lower()] if found else float("nan")
