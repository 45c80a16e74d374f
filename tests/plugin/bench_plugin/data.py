"""The data set: images in ``images``, and ``lamps.csv`` with name, whether the lamp is on, and split."""

from pathlib import Path

import pandas as pd

from prior_bench.data.manifest import Manifest


def read(root: Path, *, split: str = "default") -> Manifest:
    """One row per image; every image is of a patient of its own and has a report of one sentence."""
    table = pd.read_csv(root / "lamps.csv", dtype={"name": str})
    table["id"] = table["patient_id"] = table["name"]
    table["image"] = "images/" + table.pop("name") + ".png"
    table["report"] = [(f"The lamp is {'on' if on else 'off'}.",) for on in table["On"]]
    table["On"] = table["On"].astype("float32")
    return Manifest("lamps", root, table, labels=("On",), split_rule=split)
