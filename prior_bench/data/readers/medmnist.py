"""Read ChestMNIST and PneumoniaMNIST of MedMNIST+ (Yang et al. 2023) from the ``.npz`` files of Zenodo."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench import paths
from prior_bench.data.cards import Card
from prior_bench.data.images.npz import read_array, unpack_images
from prior_bench.data.manifest import Manifest
from prior_bench.data.splitting.rules import apply_rule, describe
from prior_bench.data.tables.text_file import require_file
from prior_bench.errors import BenchError, unknown_name

LABELS = {
    "chestmnist": (
        "atelectasis", "cardiomegaly", "effusion", "infiltration", "mass", "nodule", "pneumonia",
        "pneumothorax", "consolidation", "edema", "emphysema", "fibrosis", "pleural", "hernia",
    ),
    "pneumoniamnist": ("pneumonia",),
}  # fmt: skip
"""Label names by subset, in the order of the files' columns."""
SIZES = (28, 64, 128, 224)
PARTS = {"train": "train", "val": "valid", "test": "test"}


def read(root: Path, *, split: str = "default", subset: str = "", size: int = 0) -> Manifest:
    """Read one row per image. On first use, images are unpacked into the cache (``PRIOR_BENCH_CACHE``).

    Args:
        root: folder with ``chestmnist.npz``, ``chestmnist_224.npz``, ``pneumoniamnist_64.npz`` ..., or one
            of these files.
        split: a name in :data:`RULES`.
        subset: ``"chestmnist"`` or ``"pneumoniamnist"``; by default the existing one.
        size: side of the images in pixels, one of :data:`SIZES`; by default the largest existing one.

    Raises:
        BenchError: a file is missing or malformed, or there are several subsets and none is selected.
    """
    archive, subset, size = find_archive(root, subset, size)
    state = archive.stat()
    key = hashlib.sha256(f"{archive.resolve()}|{state.st_size}|{state.st_mtime_ns}".encode()).hexdigest()[:8]
    cache = paths.led_here(paths.cache_root() / "medmnist" / f"{archive.stem}-{key}").absolute()
    table = pd.concat([read_part(archive, part, subset, cache) for part in PARTS], ignore_index=True)
    table = apply_rule(split, RULES, table, "medmnist")
    return Manifest(
        "medmnist",
        cache,
        table,
        labels=LABELS[subset],
        split_rule=split,
        notes=(f"file found: {archive.name} ({size} x {size} pixels)",),
    )


def find_archive(root: Path, subset: str, size: int) -> tuple[Path, str, int]:
    """Find the file for a subset ("" for any) and size (0 for the largest); return it with both.

    Raises:
        BenchError: there is no such file, or several subsets.
    """
    if root.is_file():
        named_subset, named_size = read_name(root)
        if subset not in ("", named_subset) or size not in (0, named_size):
            asked = " ".join([*([subset] if subset else []), *([f"of {size}"] if size else [])])
            what = f"contains {named_subset} of {named_size} pixels, not {asked}"
            raise BenchError(what, where=root, fix="name the other file, or leave subset and size out")
        return root, named_subset, named_size
    if subset and subset not in LABELS:
        raise unknown_name("subset of MedMNIST", subset, list(LABELS), where=root)
    if size and size not in SIZES:
        sizes = ", ".join(map(str, SIZES))
        raise BenchError(f"size {size} is not one of {sizes}", where=root, fix="leave it out for the largest")
    found = {
        (name, side): root / f"{name}{'' if side == 28 else f'_{side}'}.npz"
        for name in LABELS
        for side in SIZES
    }
    there = {key: path for key, path in found.items() if path.is_file() or path.is_symlink()}
    wanted = {k: p for k, p in there.items() if subset in ("", k[0]) and size in (0, k[1])}
    subsets = sorted({name for name, _ in wanted})
    if not wanted:
        missing = found[subset or "chestmnist", size or 224]
        raise BenchError(
            f"{missing.name} is missing",
            where=root,
            fix=f"put it there; found: {', '.join(p.name for p in there.values()) or 'no MedMNIST file'}",
        )
    if len(subsets) > 1:
        raise BenchError(
            f"there are several subsets: {', '.join(subsets)}", where=root, fix=f"pass subset={subsets[0]}"
        )
    (name, side) = max(wanted, key=lambda key: key[1])
    require_file(wanted[name, side])
    return wanted[name, side], name, side


def read_name(archive: Path) -> tuple[str, int]:
    """Return subset and size according to a file's name.

    Raises:
        BenchError: the name is not one of MedMNIST's.
    """
    subset, _, size = archive.stem.partition("_")
    sizes = {"": 28, **{str(side): side for side in SIZES[1:]}}
    if subset not in LABELS or size not in sizes:
        known = ", ".join(f"{name}.npz, {name}_64.npz" for name in LABELS)
        raise BenchError("is not a supported file of MedMNIST", where=archive, fix=f"known: {known}, …")
    return subset, sizes[size]


def read_part(archive: Path, part: str, subset: str, cache: Path) -> pd.DataFrame:
    """Read a part of the official split and unpack its images into ``cache``.

    Raises:
        BenchError: an array is missing, or labels and images do not match.
    """
    values = read_array(archive, f"{part}_labels")
    count = unpack_images(archive, f"{part}_images", cache / part)
    names = LABELS[subset]
    if values.shape != (count, len(names)) or not np.isin(values, (0, 1)).all():
        raise BenchError(
            f"'{part}_labels' is {values.shape} for {count} images; expected one 0 or 1 for each of "
            f"{len(names)} labels",
            where=archive,
            fix="download the file again",
        )
    ids = [f"{part}/{n:06d}" for n in range(count)]
    table = pd.DataFrame(
        {"id": ids, "patient_id": ids, "image": [f"{i}.png" for i in ids], "part": PARTS[part]}
    )
    return table.join(pd.DataFrame(values.astype(np.float32), columns=list(names)))


# --- split rules --------------------------------------------------------------------------------------


def official_split(table: pd.DataFrame) -> pd.DataFrame:
    """The files' own train, val and test."""
    return table.assign(split=table["part"])


RULES = {"default": official_split}
"""Split rules by name."""

CARD = Card(
    title="MedMNIST+: ChestMNIST and PneumoniaMNIST",
    what="ChestX-ray14 (14 findings) and a paediatric pneumonia set (one label), shrunk to squares of 28, "
    "64, 128 or 224 pixels, ready-made.",
    size="ChestMNIST 78,468/11,219/22,433 images, PneumoniaMNIST 4,708/524/624 (unverified)",
    source="https://medmnist.com (files on Zenodo)",
    access="Creative Commons BY 4.0 (medmnist.com)",
    tree="""
chestmnist.npz           (28 pixels; chestmnist_64.npz, chestmnist_128.npz, chestmnist_224.npz)
pneumoniamnist.npz       (as many)
""",
    splits=describe(RULES),
    options={
        "subset": "chestmnist or pneumoniamnist; default: the existing one",
        "size": "28, 64, 128 or 224; default: the largest existing one",
    },
    caveats=(
        "The first use unpacks the images to PNG files in the cache (data prepare does so ahead of time).",
        "The files have no patient identifiers: each image counts as a patient, so leaks go undetected.",
        "At 28 pixels most findings cannot be seen; compare only at equal size.",
    ),
    annotations=("labels",),
    watched=("*.npz",),
)
