"""Downloaded tables: what pandas reads is what stands in the file."""

import pytest

from prior_bench.data.tables.annotation_tables import read_table


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("before", ["", "\r", "\n\r", "\r\n"])
def test_an_empty_first_field_stays_after_any_line_end(tmp_path, end, before):
    (tmp_path / "a.csv").write_bytes(f"a,b,c{end}1,2,3{end}{before},p,q{end}x,y,z{end}".encode())
    table = read_table(tmp_path / "a.csv", text=["a", "b", "c"])
    assert table.fillna("").to_numpy().tolist() == [["1", "2", "3"], ["", "p", "q"], ["x", "y", "z"]]


def test_line_ends_within_quotes_are_kept(tmp_path):
    (tmp_path / "a.csv").write_bytes(b'a,b\r"one\rtwo",2\r')
    assert read_table(tmp_path / "a.csv", text=["a"])["a"].tolist() == ["one\rtwo"]
