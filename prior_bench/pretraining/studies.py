"""The studies of a table with reports that are long enough, found for all rows at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from prior_bench.data.texts.report_column import ReportColumn
from prior_bench.pretraining.config import Data

ROWS = 1 << 15
"""Reports whose words are counted at once."""


@dataclass(frozen=True)
class Pair:
    """A study: its images, of which one is drawn in each epoch, and the sentences of its report."""

    images: tuple[Path, ...]
    report: tuple[str, ...]


class Studies:
    """Studies in the order of their first rows, without sentences and reports that are too short.

    The report of a study is that of its first row.

    Args:
        table: rows of a manifest with reports; rows of a study need not be neighbours.
        data: the section of the config, with the smallest lengths.
    """

    def __init__(self, table: pd.DataFrame, data: Data):
        self._reports, self._least = table["report"].array, max(1, data.min_sentence_words)
        study = table["study_id"] if "study_id" in table else table["id"]
        number, _ = pd.factorize(study.astype(str))
        known = number >= 0
        self._order = np.argsort(number, kind="stable")[len(number) - int(known.sum()) :]
        first = np.unique(number[known], return_index=True)[1] if known.any() else np.empty(0, int)
        bounds = np.append(np.searchsorted(number[self._order], np.arange(len(first))), len(self._order))
        sentences, words = self._lengths(self._order[bounds[:-1]])
        kept = (sentences >= max(1, data.min_sentences)) & (words >= data.min_words)
        self._start, self._end = bounds[:-1][kept], bounds[1:][kept]

    def __len__(self) -> int:
        return len(self._start)

    def rows(self, study: int) -> np.ndarray:
        """Return the positions of a study's rows in the table, int [images]."""
        return np.asarray(self._order[self._start[study] : self._end[study]])

    def report(self, study: int) -> tuple[str, ...]:
        """Return the sentences of a study's report."""
        report = self._reports[int(self._order[self._start[study]])]
        return tuple(s for s in report if count_words(s) >= self._least)

    def _lengths(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Count the sentences that are long enough, and their words, of the reports of rows."""
        sentences, words = np.zeros((2, len(rows)), dtype=np.int64)
        stored = isinstance(self._reports, ReportColumn)
        count: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
        count = self._count_stored if stored else self._count_objects
        for start in range(0, len(rows), ROWS):
            block = slice(start, start + ROWS)
            sentences[block], words[block] = count(rows[block])
        return sentences, words

    def _count_stored(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        reports = self._reports.arrow(rows)
        lengths = pc.fill_null(pc.list_value_length(reports), 0).to_numpy()
        counted = _words_of(reports.flatten())
        long = counted >= self._least
        bounds = np.concatenate([[0], np.cumsum(lengths)])
        sums = [np.concatenate([[0], np.cumsum(values)]) for values in (long, counted * long)]
        return tuple(one[bounds[1:]] - one[bounds[:-1]] for one in sums)

    def _count_objects(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        counts = [
            [n for s in self._reports[row] or () if (n := count_words(s)) >= self._least] for row in rows
        ]
        return np.array([len(one) for one in counts]), np.array([sum(one) for one in counts])


class StudyPairs(Sequence[Pair]):
    """The pairs of studies; a pair is made when it is asked for, so that a million take little memory.

    Args:
        studies: the studies of ``table``.
        table: rows of a manifest.
        root: folder to which its images are relative.
    """

    def __init__(self, studies: Studies, table: pd.DataFrame, root: Path):
        self._studies, self._images, self._root = studies, table["image"].array, root

    def __len__(self) -> int:
        return len(self._studies)

    @overload
    def __getitem__(self, item: int) -> Pair: ...
    @overload
    def __getitem__(self, item: slice) -> tuple[Pair, ...]: ...
    def __getitem__(self, item: int | slice) -> Pair | tuple[Pair, ...]:
        if isinstance(item, slice):
            return tuple(self[study] for study in range(*item.indices(len(self))))
        study = range(len(self))[item]
        images = tuple(self._root / self._images[int(row)] for row in self._studies.rows(study))
        return Pair(images, self._studies.report(study))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def reports(self) -> Iterator[tuple[str, ...]]:
        """Yield all reports."""
        return map(self._studies.report, range(len(self)))


def count_words(sentence: str) -> int:
    """Return the number of words of a sentence: runs of letters, digits and underscores of any script."""
    return len(re.findall(r"\w+", sentence))


def _words_of(sentences: pa.Array) -> np.ndarray:
    """Return the number of words of each sentence, int [sentences]; see :func:`count_words`."""
    counts = pc.count_substring_regex(sentences, r"\w+").to_numpy(zero_copy_only=False).astype(np.int64)
    other = np.flatnonzero(~pc.string_is_ascii(sentences).to_numpy(zero_copy_only=False))
    for place in other:  # Arrow knows words of ASCII alone
        counts[place] = count_words(sentences[int(place)].as_py())
    return counts
