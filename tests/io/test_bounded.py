"""JSON files of somebody else: what is no file, or would take much memory, is not read."""

import io
import os
import zipfile

import numpy as np
import pytest

from prior_bench.errors import BenchError
from prior_bench.io.arrays import read_arrays
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


@pytest.mark.parametrize(
    "array",
    [
        np.asfortranarray(np.arange(12.0).reshape(3, 4)),
        np.arange(12).reshape(3, 2, 2),
        np.array(["a", "bcd"]),
        np.zeros(2, "<U0"),
        np.zeros((0, 3), np.float32),
        np.array(True),
        np.random.default_rng(0).random((3, 2**17)),  # more than one block
    ],
    ids=["by columns", "3 axes", "text", "empty text", "no rows", "no axes", "large"],
)
def test_arrays_come_back_as_they_were_and_may_be_changed(tmp_path, array):
    np.savez_compressed(tmp_path / "a.npz", array=array, other=np.arange(3))
    found = read_arrays(tmp_path / "a.npz")
    assert list(found) == ["array", "other"] and found["array"].dtype == array.dtype
    np.testing.assert_array_equal(found["array"], array)
    assert found["array"].flags.writeable


@pytest.mark.parametrize(("change", "why"), [(b"12345678", "states 24 bytes and has 32"), (-8, "and has 16")])
def test_a_member_of_another_length_than_its_header_states_is_refused(tmp_path, change, why):
    stream = io.BytesIO()
    np.save(stream, np.arange(3.0))
    content = stream.getvalue()
    content = content + change if isinstance(change, bytes) else content[:change]
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", content)
    with pytest.raises(BenchError, match=why):
        read_arrays(tmp_path / "a.npz")


def test_content_that_ends_early_is_refused(tmp_path):
    stream = io.BytesIO()
    np.save(stream, np.arange(5.0))
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", stream.getvalue()[:-16])
    raw = bytearray(path.read_bytes())
    place = raw.index(b"PK\x01\x02") + 24  # of the length in the archive's directory, which says five numbers
    raw[place : place + 4] = len(stream.getvalue()).to_bytes(4, "little")
    path.write_bytes(raw)
    with pytest.raises(BenchError, match="a.npy is shorter than it states"):
        read_arrays(path)


def test_a_header_longer_than_any_is_refused_unread(tmp_path):
    header = b"\x93NUMPY\x02\x00" + (2**31).to_bytes(4, "little")
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", header + b"{" * 100)
    with pytest.raises(BenchError, match="has a header of 2147483648 bytes; at most 10000 are read"):
        read_arrays(tmp_path / "a.npz")
