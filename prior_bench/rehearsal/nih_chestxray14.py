"""NIH ChestX-ray14's label file, public or computed, and lists with the counts of BenchX's."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench.data.readers.nih_chestxray14 import FOURTEEN, NEGATIVE, read_labels
from prior_bench.data.splitting.rules import BENCHX_LISTS
from prior_bench.data.tables.annotation_tables import find_table
from prior_bench.rehearsal.counts import NIH_BENCHX, NIH_BENCHX_PERCENT, NIH_IMAGES, NIH_PATIENTS

FILE = "Data_Entry_2017_v2020.csv"


def write(root: Path, public: Path | None) -> None:
    """Write the label file and the lists."""
    if public is not None:
        shutil.copyfile(public / f"{FILE}.gz", root / f"{FILE}.gz")
    else:
        _computed().to_csv(root / FILE, index=False)
    _write_lists(root)


def _computed() -> pd.DataFrame:
    rng = np.random.default_rng(NIH_IMAGES)
    more = rng.integers(NIH_PATIENTS, size=NIH_IMAGES - NIH_PATIENTS)
    patient = np.sort(np.concatenate([np.arange(NIH_PATIENTS), more]))
    follow_up = pd.Series(patient).groupby(patient).cumcount()
    found = rng.random((NIH_IMAGES, len(FOURTEEN))) < 0.05
    names = np.array(FOURTEEN)
    return pd.DataFrame(
        {
            "Image Index": [f"{p + 1:08d}_{f:03d}.png" for p, f in zip(patient, follow_up, strict=True)],
            "Finding Labels": ["|".join(names[row]) or NEGATIVE for row in found],
            "Follow-up #": follow_up,
            "Patient ID": patient + 1,
            "Patient Age": 20 + patient % 70,
            "Patient Gender": np.where(patient % 2, "F", "M"),
            "View Position": np.where(rng.random(NIH_IMAGES) < 0.6, "PA", "AP"),
        }
    )


def _write_lists(root: Path) -> None:
    """Write the lists, cut from the order of the label file: the real ones name other images."""
    names = read_labels(find_table(root, "Data_Entry_2017*.csv"))["id"].to_numpy(dtype=str)
    (root / "benchx").mkdir()
    start = 0
    for part, count in NIH_BENCHX.items():
        _write(root / BENCHX_LISTS[part], names[start : start + count])
        start += count
    train = np.random.default_rng(0).permutation(names[: NIH_BENCHX["train"]])
    for percent, count in NIH_BENCHX_PERCENT.items():
        _write(root / f"benchx/train_{percent}.txt", train[:count])


def _write(place: Path, names: np.ndarray) -> None:
    place.write_text("\n".join(names) + "\n")
