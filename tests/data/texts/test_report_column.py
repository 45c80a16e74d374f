"""A column of reports behaves as the column of objects that it stands for."""

import pickle

import numpy as np
import pandas as pd
import pytest

from prior_bench.data.texts.report_column import ReportColumn, report_column

REPORTS = [("No effusion.", "Clear."), None, ("No effusion.", "Clear."), (), ("Œdème. l'été",), None, ("x",)]


@pytest.fixture
def objects():
    return pd.Series(REPORTS, dtype=object)


@pytest.fixture
def stored(objects):
    return pd.Series(report_column(objects))


def test_cells_come_back_and_equal_reports_are_stored_once(stored):
    assert list(stored) == REPORTS and [stored.iat[row] for row in range(len(REPORTS))] == REPORTS
    assert stored.iloc[-1] == ("x",) and sum(map(len, stored.array.parts)) == 4
    assert pickle.loads(pickle.dumps(stored)).tolist() == REPORTS


@pytest.mark.parametrize(
    "use",
    [
        lambda s: s[s.notna()].tolist(),
        lambda s: s.iloc[[5, 0, 6, 0]].tolist(),
        lambda s: s[np.array([True, False, True, False, False, True, True])].reset_index(drop=True).tolist(),
        lambda s: list(dict.fromkeys(s.dropna())),
        lambda s: pd.concat([s, s.iloc[::-1]]).tolist(),
        lambda s: s.dropna().map(len).tolist(),
        lambda s: s.isin([("x",)]).tolist(),
        lambda s: s.to_frame("r").assign(p=[1, 1, 1, 1, 2, 2, 2]).duplicated(["p", "r"], keep=False).tolist(),
        lambda s: pd.DataFrame({"k": range(7), "r": s}).sort_values("k", ascending=False)["r"].tolist(),
        lambda s: s.nunique(),
        lambda s: s.to_numpy().tolist(),
        lambda s: (s == ("x",)).tolist() if s.dtype != object else [v == ("x",) for v in s],
    ],
)
def test_pandas_treats_it_as_objects(objects, stored, use):
    assert use(stored) == use(objects)


def test_rows_that_are_not_there_have_no_report(stored):
    joined = pd.DataFrame({"k": range(7), "r": stored}).merge(pd.DataFrame({"k": [6, 99]}), how="right")
    assert joined["r"].tolist() == [("x",), None]


def test_arrow_gives_any_rows_of_several_parts(stored):
    twice = pd.concat([stored, stored]).array
    rows = np.array([13, 0, 1, 8, 4, 11])
    assert twice.arrow(rows).to_pylist() == [
        None if r is None else list(r) for r in (twice[int(n)] for n in rows)
    ]
    assert twice.arrow(np.array([1, 5])).to_pylist() == [None, None]
    assert len(twice.parts) == 2 and twice[12] is None and twice[13] == ("x",)


def test_only_tuples_are_reports():
    with pytest.raises(TypeError, match="a report is a tuple of sentences"):
        report_column(pd.Series(["text"], dtype=object))
    assert ReportColumn.of([]).tolist() == []
