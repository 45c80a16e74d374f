"""The manifest that every reader returns: a table with one row per image, and the meaning of its columns."""

from __future__ import annotations

import hashlib
import os
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from os.path import splitext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from prior_bench.data.images.mended import JPEG_SUFFIXES, versions_of_files
from prior_bench.errors import BenchError
from prior_bench.runtime import progress

if TYPE_CHECKING:
    import pandas as pd

REQUIRED = ("id", "patient_id", "image", "split")
SPLITS = ("train", "valid", "test")
ABOUT = "about_"
"""Prefix of columns that no run reads, such as ``about_sex``. They are not in the fingerprint, so that a
reader may add them without changing the keys of results (:mod:`prior_bench.data.attributes`)."""
NO_PATIENTS = "patients are not known: every image counts as one"
"""Note for data sets without patient identifiers: each image gets a ``patient_id`` of its own."""


HASHED = 1 << 16
"""Ids that are hashed at once."""


@dataclass(frozen=True)
class Manifest:
    """A data set whose files have been read, but whose images have not been decoded.

    Attributes:
        name: name of the data set in tables.
        root: folder to which ``image`` is relative.
        table: one row per image. Required columns: ``id`` (unique str), ``patient_id`` (str), ``image``
            (str), ``split`` (train, valid or test). Optional: the ``labels`` columns (float: 1, 0, or NaN for
            unknown); ``report`` (tuple of sentences); ``boxes`` (float32 [n, 5]: x1, y1, x2, y2 in pixels of
            the stored image, class index; n = 0 if there is no object, None if the image is not annotated);
            ``mask`` (an annotation of :mod:`prior_bench.data.annotations.masks`, or None if the image is not
            annotated); ``phrases`` (tuple of :class:`prior_bench.data.annotations.phrases.GroundedPhrase`, or
            None if the image is not annotated); ``study_id``, ``view``; and ``about_*`` (:data:`ABOUT`).
        labels: names of the label columns.
        exclusive: True if each image has exactly one label (multi-class), False for any number (multi-label).
        box_classes: names of the box classes, in the order of their indices.
        split_rule: name of the rule that made ``split``.
        synthetic: True for the sample benchmark; reports then mark its numbers as synthetic.
        dropped: number of images that the reader left out, by reason ("no findings or impression").
        notes: findings of the reader that change the meaning of results ("COVIDx version 9A").
        columns: how the reader uses each column of a user's table, in words, by the column's name.
        versions: declared versions of the reader and of the generator of synthetic data, if they are not 1.
    """

    name: str
    root: Path
    table: pd.DataFrame
    labels: tuple[str, ...] = ()
    exclusive: bool = False
    box_classes: tuple[str, ...] = ()
    split_rule: str = "default"
    synthetic: bool = False
    dropped: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    columns: dict[str, str] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    _memory: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What was computed of the table: a part of the fingerprint, and the memories of the splits. A manifest
    with another name or table (``replace``) starts with none."""

    def __post_init__(self):
        missing = [c for c in (*REQUIRED, *self.labels) if c not in self.table.columns]
        if missing:
            raise BenchError(
                f"manifest has no column {', '.join(missing)}", where=self.name, fix="fix its reader"
            )
        if (twice := _repeated(self.table["id"])) is not None:
            raise BenchError(
                f"id '{twice}' occurs twice",
                where=self.name,
                fix="its label file lists an image twice: download the file again",
            )

    def __len__(self) -> int:
        return len(self.table)

    def select(self, keep: Any) -> Manifest:
        """Return the rows that ``keep`` selects: a boolean mask [rows] or an array of row positions."""
        keep = np.asarray(keep)
        rows = self.table[keep] if keep.dtype == bool else self.table.iloc[keep]
        return replace(self, table=rows.reset_index(drop=True))

    def split(self, name: str) -> Manifest:
        """Return the rows of one split.

        Raises:
            BenchError: the split has no rows.
        """
        part = self.select((self.table["split"] == name).to_numpy())
        if not len(part):
            present = sorted(self.table["split"].dropna().unique())
            raise BenchError(
                f"split '{name}' is empty (rule '{self.split_rule}')",
                where=self.name,
                fix=f"splits present: {', '.join(present) or 'none'}",
            )
        object.__setattr__(part, "_memory", self._memory.setdefault(("split", name), {}))
        return part

    def has(self, annotation: str) -> bool:
        """Whether the data set has an annotation: ``labels``, ``boxes``, ``masks``, ``reports``, ``phrases``.

        ``regions`` are phrases, or boxes that a prompt turns into phrases.
        """
        if annotation == "labels":
            return bool(self.labels)
        if annotation == "regions":
            return self.has("phrases") or self.has("boxes")
        columns = {"boxes": "boxes", "masks": "mask", "reports": "report", "phrases": "phrases"}
        column = columns[annotation]
        return column in self.table and bool(self.table[column].notna().any())

    def targets(self) -> np.ndarray:
        """Return the labels as float32 [rows, classes]; unknown labels are NaN."""
        return self.table[list(self.labels)].to_numpy(dtype=np.float32)

    def path(self, row: int) -> Path:
        """Return the path of a row's image file."""
        return self.root / self.cell("image", row)

    def cell(self, column: str, row: int) -> Any:
        """Return the value of a column in a row: text, a mask, an array of boxes, …"""
        return self.table[column].iat[row]

    def split_summary(self) -> dict[str, Any]:
        """Return the sizes of the splits, what was left out, notes, and a hash of all (id, split) pairs."""
        pairs = self.table[["id", "split"]].sort_values("id").astype(str)
        text = "\n".join(f"{i}\t{s}" for i, s in zip(pairs["id"], pairs["split"], strict=True))
        sizes = {s: int((self.table["split"] == s).sum()) for s in SPLITS}
        notes: dict[str, Any] = {"notes": list(self.notes)} if self.notes else {}
        if self.dropped:
            notes["left_out"] = dict(self.dropped)
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        return {"rule": self.split_rule, "hash": digest, **sizes, **notes}

    def fingerprint(self) -> str:
        """Hash the content of the table and the size of every image file, but not where they are stored.

        The table is hashed once; the sizes are looked up again each time, so that a changed file is noticed.

        Files of kinds that an earlier version read otherwise add the version of today's reading
        (:mod:`prior_bench.data.images.mended`).
        """
        if "table" not in self._memory:
            self._memory["table"] = self._digest_of_table()
        digest = self._memory["table"].copy()
        names, sizes, times = list(self.table["image"]), array("q"), array("q")
        states = file_states(self.root, names)
        for state in progress(states, f"{self.name}: looking at files", len(names), delay=2):
            sizes.append(-1 if state is None else state.st_size)
            times.append(-1 if state is None else state.st_mtime_ns)
        digest.update("".join("absent" if size < 0 else str(size) for size in sizes).encode())
        seen = hash((sizes.tobytes(), times.tobytes()))
        if self._memory.get("states") != seen or "mask" in self.table:  # a mask is in a file of its own
            self._memory.update(states=seen, versions=self._versions_of_files(names))
        for part, version in self._memory["versions"].items():
            digest.update(f"{part} {version}".encode())
        return digest.hexdigest()[:16]

    def _versions_of_files(self, names: list[str]) -> dict[str, int]:
        files = (self.root / name for name in names if splitext(name)[1].lower() not in JPEG_SUFFIXES)
        return versions_of_files(files, self.table["mask"] if "mask" in self.table else ())

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_memory": {}}  # a hash cannot be pickled

    def _digest_of_table(self) -> Any:
        from prior_bench.data.printed import printed

        digest = hashlib.sha256(f"{self.name}|{self.labels}|{self.exclusive}|{self.box_classes}".encode())
        columns = sorted(name for name in self.table.columns if not str(name).startswith(ABOUT))
        for column in progress(columns, f"{self.name}: hashing the table", delay=2):
            digest.update(column.encode())
            for some in printed(self.table[column]):
                digest.update(some)
        return digest


def file_states(root: Path, names: Iterable[str]) -> Iterator[os.stat_result | None]:
    """Yield what the file system says about files below a folder; None for an absent one."""
    folder = os.fspath(root)
    for name in names:
        try:
            yield os.stat(os.path.join(folder, name))
        except OSError:
            yield None


def _repeated(ids: pd.Series) -> Any:
    """Return the first id that repeats an earlier one, or None; only where hashes agree are ids compared."""
    from pandas.util import hash_pandas_object

    hashes = np.empty(len(ids), dtype=np.uint64)
    for start in range(0, len(ids), HASHED):
        block = ids.iloc[start : start + HASHED]
        hashes[start : start + HASHED] = hash_pandas_object(block, index=False, categorize=False)
    hashes.sort()
    if not (hashes[1:] == hashes[:-1]).any():
        return None
    again = ids[ids.duplicated()]
    return again.iloc[0] if len(again) else None
