"""What Arrow prints of a column is, byte for byte, what Python prints: fingerprints are made of it."""

import numpy as np
import pandas as pd
import pytest

from prior_bench.data import printed as module
from prior_bench.data.printed import printed
from prior_bench.data.texts.report_column import ReportColumn

REPORTS = [
    ("a", "b"),
    None,
    ("it's",),
    (),
    ("c",),
    ("a\\",),
    ("",),
    ("é", 'x"y'),
    ("line\n",),
    ("\x7f", "a'\""),
]
COLUMNS = {
    "text": pd.Series(["a", "b c", "~!#", 'say "so"']),
    "text with signs": pd.Series(["a'", "\\", "tab\t", "\x7f", "nl\n", "é", "\u200b", "plain", "'\"", ""]),
    "text with missing": pd.Series(["a", None, "b"]),
    "objects": pd.Series(["a", None, 1, (1, "x")], dtype=object),
    "text of objects": pd.Series(["a", "b"], dtype=object),
    "arrays": pd.Series([np.arange(3.0), None, np.zeros((0, 5), np.float32)], dtype=object),
    "float32": pd.Series([0.0, -0.0, np.nan, 1.5, 0.1, np.inf, -np.inf], dtype=np.float32),
    "float64": pd.Series([0.1, 0.2, np.nan, 1e300, -0.0, 5e-324]),
    "int": pd.Series([3, -1, 3]),
    "uint8": pd.Series([3, 1], dtype=np.uint8),
    "bool": pd.Series([True, False, True]),
    "none": pd.Series([], dtype=object),
    "reports": pd.Series(ReportColumn.of(REPORTS)),
    "plain reports": pd.Series(ReportColumn.of([("a", "b"), None, (), ("c",)])),
    "no report": pd.Series(ReportColumn.of([None, None])),
    "part of reports": pd.Series(ReportColumn.of(REPORTS)).iloc[[7, 0, 1]],
}


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("rows", [2, 1000])
def test_bytes_are_those_of_one_cell_after_another(name, rows, monkeypatch):
    monkeypatch.setattr(module, "ROWS", rows)
    column = COLUMNS[name]
    plain = b"".join(v.tobytes() if isinstance(v, np.ndarray) else repr(v).encode() for v in column)
    assert b"".join(printed(column)) == plain
