"""Few-shot draws: k training images of each class, and validation images to match.

The place of an image in a draw depends only on the seed, the draw's name, the class and the image's own
identifiers (by a hash), and not on the order of rows. A draw is made in rounds: round r completes every class
to r images. The draw for k is therefore contained in that for k + 1.

With exclusive labels, a draw has exactly k images of each class. An image with several labels counts for all
of them: each round goes through the labels, the rarest first, and adds an image only where a label has fewer
than r. So each label has at least k positives, and frequent labels may have more (the greedy sampling of Yang
& Katiyar, EMNLP 2020, for named entities, made in rounds). Images without any finding are one more class.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from prior_bench.data.manifest import Manifest
from prior_bench.errors import BenchError, ErrorList, unknown_name
from prior_bench.schema.protocol import FewShot

UNITS = {"patients": "patient_id", "images": "id"}
"""Column by draw. Images of a class with the same value in it count once."""

NEGATIVE = "no finding"
"""Class of the images whose labels are all 0. A label of this name (CheXpert's "No Finding") replaces it."""

MOST_VALIDATION = 4
"""Largest number of validation images per class with ``validation="up_to_4"``: CoOp (Zhou et al., IJCV 2022)
and its successors validate on min(k, 4) images of each class."""


def few_shot_parts(parts: Mapping[str, Manifest], shots: int, seed: int, how: FewShot) -> dict[str, Manifest]:
    """Reduce ``train`` and ``valid`` of the splits to the drawn images; other splits stay as they are.

    Args:
        parts: rows by split.
        shots, seed, how: see :func:`few_shot_rows` and :func:`few_shot_validation`.
    """
    train = parts["train"].select(few_shot_rows(parts["train"], shots, seed, how))
    rows = few_shot_validation(parts["valid"], shots, seed, how, train.table["patient_id"])
    return {**parts, "train": train, "valid": parts["valid"].select(rows)}


def few_shot_summary(parts: Mapping[str, Manifest], shots: int, seed: int, how: FewShot) -> dict[str, Any]:
    """Describe a draw (the parts from :func:`few_shot_parts`) for the record of a run."""
    return {
        "shots": shots,
        "draw": how.draw,
        "seed": seed if how.seed is None else how.seed,
        "validation": how.validation,
        "train": per_class(parts["train"]),
        "valid": per_class(parts["valid"]),
    }


def few_shot_rows(train: Manifest, shots: int, seed: int, how: FewShot) -> np.ndarray:
    """Return the positions of the drawn training rows, sorted.

    Args:
        train: rows of the training split.
        shots: k, images per class.
        seed: seed of the run; ``how.seed`` replaces it.
        how: the protocol's ``few_shot``.

    Raises:
        ErrorList: some classes have too few images or patients, each with its name and count.
    """
    if errors := shortages(train, shots, how):
        raise ErrorList(f"{shots} per class cannot be drawn:", errors, where=train.name)
    return _draw(train, shots, seed, how)


def few_shot_validation(
    valid: Manifest, shots: int, seed: int, how: FewShot, trained: Iterable[str] = ()
) -> np.ndarray:
    """Return the positions of the validation rows to use, sorted.

    Args:
        valid: rows of the validation split.
        shots, seed, how: see :func:`few_shot_rows`. ``how.validation`` is ``"full"`` (every row),
            ``"same_size"`` (``shots`` per class) or ``"up_to_4"`` (at most four of them). A class with fewer
            images gives all it has.
        trained: patients of the drawn training rows, which are left out of a drawn validation.

    Raises:
        BenchError: nothing is left.
    """
    if how.validation == "full":
        return np.arange(len(valid))
    count = shots if how.validation == "same_size" else min(shots, MOST_VALIDATION)
    left = np.flatnonzero(~valid.table["patient_id"].isin(set(trained)).to_numpy())
    rows = left[_draw(valid.select(left), count, seed, how)] if len(left) else left
    if not len(rows):
        raise BenchError(
            "no validation image can be drawn", where=valid.name, fix="set few_shot.validation to full"
        )
    return rows


def shortages(train: Manifest, shots: int, how: FewShot) -> list[BenchError]:
    """Return an error for each class of which ``shots`` images cannot be drawn."""
    if how.draw not in UNITS:
        raise unknown_name("few-shot draw", how.draw, list(UNITS), where="few_shot.draw")
    units = train.table[UNITS[how.draw]]
    found = {name: int(units[rows].nunique()) for name, rows in _members(train).items()}
    enough = min(found.values(), default=0)
    fix = f"use at most {enough} per class" if enough else "choose labels that occur in the training split"
    if how.draw == "patients" and enough < shots <= min(map(len, _members(train).values()), default=0):
        fix += ", or set few_shot.draw to images"
    return [
        BenchError(
            f"class '{name}' has {count} {how.draw} in the training split, not {shots}",
            where=train.name,
            fix=fix,
        )
        for name, count in found.items()
        if count < shots
    ]


def per_class(part: Manifest) -> dict[str, int]:
    """Count the images of each class; an image with several labels counts for each of them."""
    return {name: len(rows) for name, rows in _members(part).items()}


def most_drawn(labels: int, shots: int) -> int:
    """Return the largest number of images in a draw of data with this number of labels."""
    return shots * (labels + 1)


def _members(part: Manifest) -> dict[str, np.ndarray]:
    """Return the positions of the images of each class. An unknown label is neither positive nor negative."""
    targets = part.targets()
    found = {name: np.flatnonzero(targets[:, c] == 1) for c, name in enumerate(part.labels)}
    stated = any(name.lower().replace("_", " ") == NEGATIVE for name in part.labels)
    if not part.exclusive and not stated:
        name = NEGATIVE if len(part.labels) > 1 else f"without {part.labels[0]}"
        found[name] = np.flatnonzero((targets == 0).all(axis=1))
    return found


def _draw(part: Manifest, shots: int, seed: int, how: FewShot) -> np.ndarray:
    """Draw up to ``shots`` images of each class."""
    seed = seed if how.seed is None else how.seed
    unit = part.table[UNITS[how.draw]].astype(str).to_numpy()
    ids = part.table["id"].astype(str).to_numpy()
    members = _members(part)
    queues = {
        name: _queue(rows, unit, ids, f"{how.draw}|{seed}|{name}")
        for name, rows in sorted(members.items(), key=lambda item: (len(item[1]), item[0]))
    }
    classes_of: dict[int, list[str]] = {}
    for name, rows in members.items():
        for row in rows.tolist():
            classes_of.setdefault(row, []).append(name)
    seen: dict[str, set[str]] = {name: set() for name in queues}
    drawn: set[int] = set()
    for wanted in range(1, shots + 1):
        for name, queue in queues.items():
            while len(seen[name]) < wanted and (row := _next(queue, unit, seen[name])) is not None:
                drawn.add(row)
                for other in classes_of[row]:
                    seen[other].add(unit[row])
    return np.array(sorted(drawn), dtype=int)


def _next(queue: list[int], unit: np.ndarray, seen: set[str]) -> int | None:
    """Take the first row whose unit is not drawn for this class; None if the queue is used up."""
    while queue:
        row = queue.pop()
        if unit[row] not in seen:
            return row
    return None


def _queue(rows: np.ndarray, unit: np.ndarray, ids: np.ndarray, key: str) -> list[int]:
    """Return the rows of a class by the hash of their unit, then of their id; the last one is drawn first."""
    return sorted(rows.tolist(), key=lambda row: (_hash(key, unit[row]), _hash(key, ids[row])), reverse=True)


def _hash(key: str, name: object) -> bytes:
    return hashlib.blake2b(f"{key}|{name}".encode(), digest_size=8).digest()
