"""Check what a reader returned, where it was called.

A wrong column fails far from its cause, or not at all: a text in place of sentences counts its letters.
"""

from typing import Any

import pandas as pd

from prior_bench.data.manifest import SPLITS, Manifest
from prior_bench.errors import BenchError


def checked(returned: Any, kind: str) -> Manifest:
    """Return what the reader of the data set ``kind`` returned, if its columns are as :class:`Manifest` says.

    Raises:
        BenchError: it is no Manifest, or its index, labels, reports or splits are of another kind.
    """
    if not isinstance(returned, Manifest):
        raise _wrong(kind, f"returned {type(returned).__name__}", "return a Manifest")
    table = returned.table
    if table.index.names != [None]:
        raise _wrong(kind, f"its table has the index '{table.index.name}'", "end with reset_index(drop=True)")
    for label in returned.labels:
        _check_label(table[label], kind)
    if "report" in table:
        _check_reports(table["report"], kind)
    if unknown := sorted({str(split) for split in table["split"].unique()} - {*SPLITS}):
        raise _wrong(kind, f"column 'split' has {unknown[0]!r}", f"splits are {', '.join(SPLITS)}")
    return returned


def _check_label(values: pd.Series, kind: str) -> None:
    if not (pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values)):
        found = f"label '{values.name}' has the type {values.dtype}"
        raise _wrong(kind, found, "give numbers: 1, 0, or NaN for unknown")
    if other := [value for value in values.dropna().unique() if value not in (0, 1)]:
        fix = "a label is 1, 0, or NaN for unknown; make one column of each class"
        raise _wrong(kind, f"label '{values.name}' has {other[0]:g}", fix)


def _check_reports(reports: pd.Series, kind: str) -> None:
    for report in reports:
        if not isinstance(report, tuple) and (isinstance(report, list) or pd.notna(report)):
            fix = "give None or a tuple of sentences (prior_bench.data.texts.sentences.split_sentences)"
            raise _wrong(kind, f"column 'report' has a {type(report).__name__}", fix)


def _wrong(kind: str, what: str, fix: str) -> BenchError:
    return BenchError(f"its reader is wrong: {what}", where=kind, fix=fix)
