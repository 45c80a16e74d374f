"""Findings about pixels: unreadable and constant images, empty and full masks, images that occur twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from prior_bench.data.checking.examine import HASH_SIDE, SPREAD, Examined
from prior_bench.data.checking.findings import SHOWN, DataFinding, of_many
from prior_bench.data.images.remarks import summarised
from prior_bench.data.manifest import SPLITS, Manifest

NEAR = 0.04
"""Largest share of the bits of a perceptual hash in which near-identical images differ."""
LEAK = 0.05
"""Share of a split from which images that another split has as well are a problem."""
MOST = 0.5
"""Share of constant images, or of empty or full masks, from which it is a problem."""


def check_files(manifest: Manifest, facts: Sequence[Examined]) -> list[DataFinding]:
    """Find images and masks that cannot be read, and boxes beyond the image."""
    broken = [fact.problem for fact in facts if fact.problem]
    found = [DataFinding("problem", text, 1, kind="unreadable") for text in broken[:SHOWN]]
    if len(broken) > SHOWN:
        what = f"... {len(broken)} of {len(manifest)} images or masks cannot be read"
        found.append(DataFinding("problem", what, len(broken), kind="unreadable"))
    outside = _ids(manifest, facts, lambda fact: fact.outside)
    return found + of_many("problem", "images have boxes that extend beyond the image", outside, "boxes")


def check_constant(manifest: Manifest, facts: Sequence[Examined]) -> list[DataFinding]:
    """Find images that show nothing: one grey level, or nearly one."""
    constant = _ids(manifest, facts, lambda fact: fact.spread == 0)
    nearly = _ids(manifest, facts, lambda fact: fact.spread is not None and 0 < fact.spread < SPREAD)
    level = "problem" if len(constant) + len(nearly) >= MOST * max(len(manifest), 1) else "remark"
    return [
        *of_many(level, "images are constant (one grey level)", constant, "constant images"),
        *of_many(
            level,
            f"images are nearly constant (spread below {SPREAD:g} grey levels)",
            nearly,
            "constant images",
        ),
    ]


def check_guesses(facts: Sequence[Examined]) -> list[DataFinding]:
    """Find images and masks whose reading needed a guess (docs/images.md)."""
    pairs = [pair for fact in facts for pair in fact.remarks]
    return [DataFinding("remark", line, kind="guess") for line in summarised(pairs)]


def check_masks(manifest: Manifest, facts: Sequence[Examined]) -> list[DataFinding]:
    """Find masks without or with nothing but foreground, masks with values between, and parts without any."""
    has = [fact.mask is not None for fact in facts]
    if not any(has):
        return []
    empty = _ids(manifest, facts, lambda fact: fact.mask == 0)
    full = _ids(manifest, facts, lambda fact: fact.mask == 1)
    level = "problem" if len(full) >= MOST * sum(has) else "remark"
    found = [
        *of_many(
            "problem" if len(empty) == sum(has) else "note", f"of {sum(has)} masks are empty", empty, "masks"
        ),
        *of_many(level, f"of {sum(has)} masks cover the whole image", full, "masks"),
    ]
    positive = np.array([bool(fact.mask) for fact in facts])
    return found + without_positives(
        manifest, np.array(has), positive, "mask with foreground", "Dice and IoU"
    )


def without_positives(
    manifest: Manifest, annotated: np.ndarray, positive: np.ndarray, what: str, metrics: str
) -> list[DataFinding]:
    """Find the parts of the split in which no annotated image is positive.

    Args:
        manifest: the data set.
        annotated: whether each row is annotated, bool [rows].
        positive: whether each row is positive, bool [rows].
        what: what a positive image has.
        metrics: metrics that are undefined without one.
    """
    found, split = [], manifest.table["split"].to_numpy()
    for name in SPLITS:
        part = annotated & (split == name)
        if (split == name).any() and not (positive & part).any():
            why = {"train": "nothing can be learnt", "valid": "nothing can be chosen on it"}
            ends = why.get(name, f"{metrics} are undefined")
            level = "remark" if name == "valid" else "problem"
            text = f"no image of {name} has a {what}: {ends}"
            found.append(DataFinding(level, text, int(part.sum()), kind="positives"))
    return found


def check_same_images(manifest: Manifest, facts: Sequence[Examined]) -> list[DataFinding]:
    """Find images with identical pixels under several names, in two splits or within one."""
    groups: dict[str, list[int]] = {}
    for row, fact in enumerate(facts):
        if fact.pixels and fact.spread:
            groups.setdefault(fact.pixels, []).append(row)
    split, image = manifest.table["split"].to_numpy(), manifest.table["image"].to_numpy()
    several = [rows for rows in groups.values() if len({image[row] for row in rows}) > 1]
    found = []
    for one, other in PAIRS:
        both = [rows for rows in several if {one, other} <= {split[row] for row in rows}]
        shown = [_pair(manifest, _first(rows, split, one), _first(rows, split, other)) for rows in both]
        level = "problem" if len(both) >= LEAK * min(sum(split == one), sum(split == other)) else "remark"
        what = f"images are in {one} and, with the same pixels, in {other}"
        found += of_many(level, what, shown, "same image")
    inside = [rows for rows in several if len({split[row] for row in rows}) == 1]
    shown = [_pair(manifest, rows[0], rows[1]) for rows in inside]
    return found + of_many("remark", "images occur under several names within one split", shown, "same image")


def check_near_images(manifest: Manifest, facts: Sequence[Examined]) -> list[DataFinding]:
    """Find near-identical images in two splits, by their perceptual hashes."""
    rows = np.array([row for row, fact in enumerate(facts) if fact.look is not None and fact.spread], int)
    if not len(rows):
        return []
    looks = np.stack([facts[row].look for row in rows])
    split = manifest.table["split"].to_numpy()[rows]
    limit, found = int(NEAR * HASH_SIDE**2), []
    for one, other in PAIRS:
        first, second = np.flatnonzero(split == one), np.flatnonzero(split == other)
        pairs = []
        for a in first if len(second) else ():
            distance = np.unpackbits(looks[second] ^ looks[a], axis=1).sum(axis=1)
            if distance.min() <= limit:
                b = second[int(distance.argmin())]
                if facts[rows[a]].pixels != facts[rows[b]].pixels:
                    pairs.append(_pair(manifest, rows[a], rows[b]))
        what = f"images of {one} look nearly the same as one of {other} (perceptual hash)"
        found += of_many("remark", what, pairs, "near-identical images")
    return found


PAIRS = (("train", "valid"), ("train", "test"), ("valid", "test"))
"""Pairs of splits that must share nothing."""


def _ids(manifest: Manifest, facts: Sequence[Examined], holds: Callable[[Examined], bool]) -> list[str]:
    return [manifest.cell("id", row) for row, fact in enumerate(facts) if holds(fact)]


def _pair(manifest: Manifest, one: int, other: int) -> str:
    return f"{manifest.cell('id', one)} = {manifest.cell('id', other)}"


def _first(rows: Sequence[int], split: np.ndarray, name: str) -> int:
    return next(row for row in rows if split[row] == name)
