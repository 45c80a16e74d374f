"""JSON files of somebody else: what is no file, or would take much memory, is not read."""

import os

import pytest

from prior_bench.errors import BenchError
from prior_bench.io.bounded import MIB, json_text, not_followed, read_json


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_not_waited_for(tmp_path, make):
    make(tmp_path / "x.json")
    for look in (json_text, read_json):
        with pytest.raises(BenchError, match="is no regular file"):
            look(tmp_path / "x.json")


def test_a_pipe_is_not_waited_for_in_order_to_write(tmp_path):
    os.mkfifo(tmp_path / "runs.log")
    with pytest.raises(OSError), open(tmp_path / "runs.log", "a", opener=not_followed):
        pass


def test_a_file_that_is_mostly_holes_is_not_read(tmp_path):
    with open(tmp_path / "x.json", "wb") as file:
        file.truncate(40 * MIB)
    with pytest.raises(BenchError, match="has 40 MiB; at most 32 are read"):
        json_text(tmp_path / "x.json")
    assert len(json_text(tmp_path / "x.json", 41 * MIB)) == 40 * MIB


def test_values_are_counted_before_they_are_made(tmp_path):
    (tmp_path / "x.json").write_text('[{"a": [1, 2]}, {}]')
    assert read_json(tmp_path / "x.json") == [{"a": [1, 2]}, {}]
    assert json_text(tmp_path / "x.json", values=6)
    with pytest.raises(BenchError, match="has 6 commas and brackets; at most 5 are read"):
        json_text(tmp_path / "x.json", values=5)


def test_a_text_is_read_as_it_is_encoded(tmp_path):
    (tmp_path / "x.json").write_bytes(b"\xef\xbb\xbf[\xff]")
    assert json_text(tmp_path / "x.json", encoding="utf-8-sig", errors="replace") == "[\ufffd]"
    with pytest.raises(BenchError, match="is no JSON"):
        read_json(tmp_path / "x.json")
