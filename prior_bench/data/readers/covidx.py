"""Read COVIDx (Wang et al. 2020, Wu et al. 2023), any version, with the lists and folders of Kaggle."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench.data.cards import Card
from prior_bench.data.manifest import Manifest
from prior_bench.data.splitting.rules import apply_rule, concatenated, describe, with_test
from prior_bench.data.tables.listed_images import require_images
from prior_bench.data.tables.text_file import read_lines
from prior_bench.errors import BenchError

THREE = ("normal", "pneumonia", "COVID-19")
BINARY = ("negative", "positive")
PARTS = {"train": "train", "val": "valid", "test": "test"}
"""Name of the split by the name of a list and its folder."""


def read(root: Path, *, split: str = "default", version: str = "", missing: str = "error") -> Manifest:
    """Read one row per line of the lists; the notes of the manifest state the version.

    Versions with three classes have three exclusive labels; binary versions (from CXR-2 on) have the one
    label ``COVID-19``.

    Args:
        root: folder with ``train*.txt``, ``test*.txt``, in some versions ``val*.txt``, and a folder for each
            list.
        split: a name in :data:`RULES`.
        version: the lists to read if there are several versions: a part of their names (``"9A"``), or
            ``"unnamed"`` for ``train.txt`` and so on.
        missing: ``"error"``, or ``"skip"`` to leave out missing images.

    Raises:
        BenchError: a file is missing or malformed; the message names the line.
    """
    lists = find_lists(root, version)
    table = pd.concat([read_list(place, part) for part, place in lists.items()], ignore_index=True)
    version, binary = find_version(lists["train"], table)
    table = apply_rule(split, RULES, table, "covidx", has_valid="val" in lists)
    labels = ("COVID-19",) if binary else THREE
    for name in labels:
        table[name] = table["class"].eq("positive" if binary else name).astype(np.float32)
    table, absent = require_images(table, root, missing=missing, where=root)
    return Manifest(
        "covidx",
        root,
        table.drop(columns="class"),
        labels=labels,
        exclusive=not binary,
        split_rule=split,
        notes=(f"COVIDx version found: {version}; results on other versions are not comparable", *absent),
    )


def find_lists(root: Path, version: str = "") -> dict[str, Path]:
    """Find the list of each part; ``version`` selects among several versions.

    Raises:
        BenchError: the list of train or test is missing, or a part has several lists.
    """
    lists = {}
    for part in PARTS:
        found = sorted(p for p in root.glob(f"{part}*.txt") if _is_of(p, part, version))
        if len(found) > 1:
            raise BenchError(
                f"several lists of {part}: {', '.join(p.name for p in found)}",
                where=root,
                fix="select one: version=9A (a part of the name), or version=unnamed for train.txt",
            )
        if found:
            lists[part] = found[0]
        elif part != "val":
            raise BenchError(
                f"{part}*.txt is missing",
                where=root,
                fix=f"put the list of your version there, e.g. {part}_COVIDx9A.txt or {part}.txt",
            )
    return lists


def _is_of(place: Path, part: str, version: str) -> bool:
    if version == "unnamed":
        return place.stem == part
    return version.lower() in place.stem.lower()


def read_list(place: Path, part: str) -> pd.DataFrame:
    """Read a list with lines "patient file class source" and no header; some versions lack the source.

    Raises:
        BenchError: a line has another form or an unknown class.
    """
    rows = []
    for number, line in enumerate(read_lines(place), 1):
        words = line.split()
        if not words:
            continue
        at = next((i for i in (-2, -1) if len(words) + i >= 2 and words[i] in (*THREE, *BINARY)), None)
        if at is None:
            raise BenchError(
                f"'{line[:80]}' is not 'patient file class source'",
                where=f"{place}, line {number}",
                fix=f"classes are {', '.join(THREE)}, or {', '.join(BINARY)}; download the list again",
            )
        source = words[-1] if at == -2 else ""
        rows.append((words[0], " ".join(words[1:at]), words[at], source))
    if rows[0][3] and not rows[-1][3]:
        raise BenchError(
            "is truncated: its last line has no source, unlike its first",
            where=place,
            fix="download it again",
        )
    table = pd.DataFrame(rows, columns=["patient", "file", "class", "source"])
    return pd.DataFrame(
        {
            "id": part + "/" + table["file"],
            # each source has its own patient numbers
            "patient_id": table["source"] + ":" + table["patient"],
            "image": part + "/" + table["file"],
            "source": table["source"],
            "class": table["class"],
            "part": PARTS[part],
        }
    ).drop_duplicates("id", ignore_index=True)


def find_version(train: Path, table: pd.DataFrame) -> tuple[str, bool]:
    """Return (version by the names and classes of the lists, whether it is binary).

    Raises:
        BenchError: the classes of binary and three-class versions are mixed.
    """
    classes = set(table["class"])
    binary = classes <= set(BINARY)
    if not binary and classes & set(BINARY):
        raise BenchError(
            f"lists mix versions (classes {', '.join(sorted(classes))})",
            where=train.parent,
            fix="keep only the lists of one version there",
        )
    named = re.search(r"COVIDx[-_]?(\w[\w-]*)|split_(v\d\w*)$", train.stem)
    kind = "binary" if binary else "three classes"
    if named:
        return f"{named.group(1) or named.group(2)} ({kind}, by the name of {train.name})", binary
    guess = "CXR-2, CXR-3 or CXR-4" if binary else "unnamed"
    return f"{guess} ({kind}, {len(table):,} images; {train.name} does not say which)", binary


# --- split rules --------------------------------------------------------------------------------------


def official_split(table: pd.DataFrame, *, has_valid: bool) -> pd.DataFrame:
    """The unchanged lists; without a list val*.txt, 10 % of the training patients validate (seed 0)."""
    if has_valid:
        return table.assign(split=table["part"])
    train, test = table[table["part"] == "train"], table[table["part"] == "test"]
    return with_test(train, test, 0.1)


def mgca_split(table: pd.DataFrame, *, has_valid: bool) -> pd.DataFrame:
    """MGCA's released code on version 9A: 20 % of the training images validate, random state 0.

    Defect reproduced: images are drawn instead of patients, so that splits share patients.
    """
    from sklearn.model_selection import train_test_split

    _require(not has_valid, "mgca", "was made for versions without a list val*.txt (9A)")
    train, valid = train_test_split(table[table["part"] == "train"], test_size=0.2, random_state=0)
    return concatenated({"train": train, "valid": valid, "test": table[table["part"] == "test"]})


def benchx_split(table: pd.DataFrame, *, has_valid: bool) -> pd.DataFrame:
    """BenchX's released code on CXR-4: the lists without their first lines, which it reads as headers."""
    _require(has_valid, "benchx", "needs a list val*.txt (CXR-4)")
    first = ~table["part"].duplicated()
    return table[~first].assign(split=table["part"][~first])


def _require(holds: bool, rule: str, why: str) -> None:
    if not holds:
        raise BenchError(f"split rule '{rule}' {why}", where="covidx", fix="use split='default'")


RULES = {"default": official_split, "mgca": mgca_split, "benchx": benchx_split}
"""Split rules by name."""

CARD = Card(
    title="COVIDx, any version",
    what="Chest radiographs from several public collections: normal, pneumonia or COVID-19 "
    "(versions up to 9A and others), or COVID-19 negative or positive (from CXR-2 on).",
    size="version 9A: 29,986 in train, 400 in test; CXR-4: 84,818 images of 45,342 patients",
    source="https://www.kaggle.com/datasets/andyczhao/covidx-cxr2 (the newest version); lists of 9A in the "
    "folder labels of github.com/lindawangg/COVID-Net",
    gone=("the images of 9A and other earlier versions on Kaggle (github.com/HKU-MedAI/MGCA issue 17)",),
    access="Kaggle account; the licences of the collections (unverified)",
    tree="""
train_COVIDx9A.txt, test_COVIDx9A.txt     or train.txt, val.txt, test.txt (CXR-4)
train/<file>
val/<file>                                (CXR-4)
test/<file>
""",
    splits=describe(RULES),
    options={
        "version": "the lists to read if there are several: a part of their names (9A), or unnamed",
        "missing": "error, or skip to leave out missing images",
    },
    caveats=(
        "The version determines the task: data check prints the version found, and every record states it.",
        "Classes come from different collections, which a network can distinguish without the lungs.",
        "MGCA's readme states version 6, but its code reads 9A.",
    ),
    annotations=("labels",),
    published={"mgca": {"images": (23988, 5998, 400)}, "benchx": {"images": (67862, 8472, 8481)}},
)
