"""Lists of images for the sample's data sets, like those that papers published with their code.

The original lists name real images. These lists have the same format, place and shares, and are drawn from
the sample (seed 0), so that the split rules that read lists also run on it. They are added to existing data
and do not change it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench.data.readers import covidx, nih_chestxray14, object_cxr, rsna_pneumonia
from prior_bench.data.readers.chexpert import reader as chexpert
from prior_bench.data.readers.chexpert.five_by_200 import PRIOR_LIST
from prior_bench.data.readers.chexpert.labels import FIVE
from prior_bench.data.readers.chexpert.pools import draw, sole_of_five
from prior_bench.data.readers.mimic_cxr import reader as mimic_cxr
from prior_bench.data.readers.mimic_cxr.five_by_200 import IMAGE_LIST
from prior_bench.data.readers.siim_acr import reader as siim_acr
from prior_bench.data.readers.vindr_cxr import reader as vindr_cxr
from prior_bench.data.splitting.rules import BENCHX_LISTS, LOVT_LISTS, by_group, stratified_order
from prior_bench.data.tables.annotation_tables import find_table
from prior_bench.io.atomic import write_text

PER_CLASS = 40
"""Largest number of images of a finding in the sample's 5x200 lists."""
PERCENT = {1: "benchx/train_1.txt", 10: "benchx/train_10.txt"}
LOVT_SHARES = {"train": 0.6, "valid": 0.2, "test": 0.2}
"""Shares of RSNA and SIIM-ACR in LoVT's lists."""
BENCHX_SHARES = {"train": 0.7, "valid": 0.1, "test": 0.2}
"""Shares of NIH ChestX-ray14 in BenchX's lists."""


def write_lists(name: str, root: Path) -> None:
    """Write the lists of a data set into its folder, unless they exist.

    Args:
        name: name of the data set.
        root: its folder in the sample benchmark.
    """
    if name not in MAKERS:
        return
    home, files, make = MAKERS[name]
    folder = root / home
    if not all((folder / file).is_file() for file in files):
        for file, text in make(folder).items():
            write_text(folder / file, text, fix="set PRIOR_BENCH_DATA to a folder that you may write to")


def _lovt(table: pd.DataFrame, label: str) -> dict[str, str]:
    return _csv_lists(by_group(table, LOVT_SHARES, stratify=[label]))


def _csv_lists(table: pd.DataFrame) -> dict[str, str]:
    """Return lists in LoVT's format: one file per split, with a column ID."""
    return {
        file: pd.DataFrame({"ID": table.loc[table["split"] == split, "id"].str.rpartition("/")[2]}).to_csv(
            index=False, lineterminator="\n"
        )
        for split, file in LOVT_LISTS.items()
    }


def _rsna(root: Path) -> dict[str, str]:
    place = find_table(root, "stage_2_train_labels.csv")
    return _lovt(rsna_pneumonia.read_labels(place), rsna_pneumonia.LABEL)


def _siim(root: Path) -> dict[str, str]:
    runs = siim_acr.read_runs(find_table(root, "train-rle.csv"))
    return _lovt(siim_acr.by_image(runs), siim_acr.LABEL)


def _object(root: Path) -> dict[str, str]:
    """Return LoVT's lists, as the default rule splits: dev is the test set, a fifth of train is valid."""
    return _csv_lists(object_cxr.read(root).table)


def _nih(root: Path) -> dict[str, str]:
    table = nih_chestxray14.read_labels(find_table(root, "Data_Entry_2017*.csv"))
    return _benchx(by_group(table, BENCHX_SHARES), nih_chestxray14.FOURTEEN)


def _vindr(root: Path) -> dict[str, str]:
    """Return BenchX's lists, as the default rule splits: official test set, a fifth of train is valid."""
    data = vindr_cxr.read(root)
    return _benchx(data.table, data.labels)


def _covidx(root: Path) -> dict[str, str]:
    """Return only parts of train: the rule takes train, valid and test from the data set's own lists."""
    data = covidx.read(root, split="benchx", version="unnamed")
    return _parts_of(data.split("train").table, data.labels)


def _benchx(table: pd.DataFrame, labels: Sequence[str]) -> dict[str, str]:
    """Return lists in BenchX's format, one image per line: train, validation, test, and parts of train."""
    whole = {file: _lines(table.loc[table["split"] == split, "id"]) for split, file in BENCHX_LISTS.items()}
    return whole | _parts_of(table[table["split"] == "train"], labels)


def _parts_of(train: pd.DataFrame, labels: Sequence[str]) -> dict[str, str]:
    order = stratified_order(train, group="id", stratify=list(labels))
    return {file: _lines(order[: max(2, round(len(order) * p / 100))]) for p, file in PERCENT.items()}


def _lines(names: Sequence[str] | pd.Series | np.ndarray) -> str:
    return "\n".join(str(name).rpartition("/")[2] for name in names) + "\n"


def chexpert_5x200(root: Path, per_class: int = PER_CLASS) -> dict[str, str]:
    """Return PRIOR's list: it maps a row number of train.csv to an image and its five labels.

    Args:
        root: folder with train.csv.
        per_class: number of images of a finding, if there are so many.
    """
    table = chexpert.read_labels(root, "train")
    table = table[table["frontal"]]
    drawn = draw(table, "prior", min(per_class, _per_class(sole_of_five(table))))
    entries = {
        str(row): {"image_path": image, "label": [float(name == finding) for name in FIVE]}
        for row, image, finding in zip(drawn.index, drawn["image"], drawn["finding"], strict=True)
    }
    return {PRIOR_LIST: json.dumps(entries)}


def _mimic_5x200(root: Path) -> dict[str, str]:
    """Return BenchX's list: images with a report that are positive for exactly one of the five findings.

    No image is from train, except in the tiny sample, which has too few others.
    """
    whole = mimic_cxr.read(root, uncertain="zeros")
    single = whole.select(whole.targets().sum(axis=1) == 1)
    held_out = single.select(single.table["split"].ne("train").to_numpy())
    table = (held_out if len(held_out) >= len(FIVE) else single).table
    member = pd.DataFrame({name: table[name].eq(1) for name in FIVE})
    count = min(PER_CLASS, _per_class(member))
    pools = [table[member[name]] for name in FIVE]
    drawn = pd.concat([pool.sample(min(count, len(pool)), random_state=0) for pool in pools])
    listed = pd.DataFrame(
        {
            "Path": drawn["image"],
            "dicom_id": drawn["id"],
            "subject_id": drawn["patient_id"],
            "study_id": drawn["study_id"],
        }
    )
    return {IMAGE_LIST: listed.to_csv(index=False, lineterminator="\n")}


def _per_class(member: pd.DataFrame) -> int:
    """Return the number of images of the rarest finding; PER_CLASS if that is 0, as in the tiny sample."""
    return min(int(member[name].sum()) for name in FIVE) or PER_CLASS


Maker = tuple[str, tuple[str, ...], Callable[[Path], Mapping[str, str]]]
_LOVT_FILES, _BENCHX_FILES = tuple(LOVT_LISTS.values()), (*BENCHX_LISTS.values(), *PERCENT.values())
MAKERS: dict[str, Maker] = {
    "rsna_pneumonia": ("", _LOVT_FILES, _rsna),
    "siim_acr": ("", _LOVT_FILES, _siim),
    "object_cxr": ("", _LOVT_FILES, _object),
    "nih_chestxray14": ("", _BENCHX_FILES, _nih),
    "vindr_cxr": ("", _BENCHX_FILES, _vindr),
    "covidx": ("", tuple(PERCENT.values()), _covidx),
    "chexpert_5x200": ("CheXpert-v1.0-small", (PRIOR_LIST,), chexpert_5x200),
    "mimic_5x200": ("", (IMAGE_LIST,), _mimic_5x200),
}
"""For each data set: a folder within its folder, the files, and the function that returns their texts."""
