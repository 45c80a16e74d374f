"""Text tables as people have them: each dialect gives the same rows, or a refusal that names the cause."""

import gzip
import zipfile

import numpy as np
import pytest

from prior_bench.data.tables.annotation_tables import read_table
from prior_bench.data.tables.text_table import LONGEST_FIELD, read_text_table
from prior_bench.errors import BenchError

ROWS = [["image", "report", "y"], ["a.png", "Kein Erguß, frei.", "1"], ["b.png", "", "0"]]


def quoted(separator: str, end: str = "\n") -> str:
    return "".join(separator.join(f'"{field}"' for field in row) + end for row in ROWS)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends_are_found(tmp_path, separator, end):
    place = tmp_path / "own.txt"
    place.write_text(quoted(separator, end), "utf-8", newline="")
    table = read_text_table(place, ("image",))
    assert [list(table.header), *table.rows] == ROWS and table.separator == separator
    assert table.lines == [2, 3]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_encodings_that_state_themselves(tmp_path, encoding):
    place = tmp_path / "own.csv"
    place.write_bytes(quoted(",").encode(encoding))
    assert read_text_table(place, ("image",)).rows == ROWS[1:]


def test_other_encodings_are_named_and_can_be_declared(tmp_path):
    place = tmp_path / "own.csv"
    place.write_bytes(quoted(",").encode("cp1252"))
    with pytest.raises(
        BenchError, match=r"byte 0xdf in line 2 is not UTF-8.*Windows-1252(.|\n)*fix: save it"
    ):
        read_text_table(place)
    assert read_text_table(place, encoding="cp1252").rows == ROWS[1:]
    with pytest.raises(BenchError, match="unknown encoding 'cp9999'"):
        read_text_table(place, encoding="cp9999")
    with pytest.raises(BenchError, match="not in the encoding ascii"):
        read_text_table(place, encoding="ascii")
    place.write_bytes(quoted(",").encode("utf-16-le"))
    with pytest.raises(BenchError, match="NUL character; it may be UTF-16 without its byte order mark"):
        read_text_table(place)


def test_the_separator_follows_the_columns_that_are_asked_for(tmp_path):
    place = tmp_path / "own.csv"
    place.write_text("image;a,b,c,d\nx.png;1\n")
    assert read_text_table(place, ("image",)).header == ("image", "a,b,c,d")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "image,y\na.png,1,\nb.png,0,\n",
            r"line 2: the row has 3 fields, the header 2 \(2 lines.*\n.*at the end of",
        ),
        (
            "image,report,y\na.png,No edema, clear.,0\nb.png,x,1\n",
            r"line 2: the row has 4 .*\n.*in double quotes",
        ),
        ("image,y\na.png,1\nb.png\nc.png,0\n", r"line 3: the row has 1 fields, the header 2\n.*complete"),
        ("image,y\na.png,1\nb.png\n", "is truncated: its last line has 1 of 2 fields"),
        ("image,y,y \na.png,1,0\n", "columns 2 and 3 have the same name, 'y'"),
        ('image,report\na.png,"open\nb.png,x\n', "line 2: .* a quote that opens there is never closed"),
        ('image,report\na.png,"a" b\nb.png,x\n', "line 2: .* quotes are not balanced"),
        ("image,y\na.png,\0\n", "line 2 holds a NUL"),
        (" \n\n", "file is empty"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_line(tmp_path, text, words):
    place = tmp_path / "own.csv"
    place.write_text(text)
    with pytest.raises(BenchError, match=words):
        read_text_table(place, ("image",))


def test_blank_lines_are_no_rows_and_lines_are_counted_past_them(tmp_path):
    place = tmp_path / "own.csv"
    place.write_text('\nimage,report\n\na.png,"one\ntwo"\n   \nb.png,x\n')
    table = read_text_table(place, ("image",))
    assert table.rows == [["a.png", "one\ntwo"], ["b.png", "x"]] and table.lines == [5, 7]


def test_a_long_field_is_read_and_an_endless_one_refused(tmp_path, monkeypatch):
    place = tmp_path / "own.csv"
    place.write_text(f"image,report\na.png,{'x' * 200_000}\n")
    assert len(read_text_table(place).rows[0][1]) == 200_000 < LONGEST_FIELD
    monkeypatch.setattr("prior_bench.data.tables.text_table.LONGEST_FIELD", 1000)
    with pytest.raises(BenchError, match="line 2: .* longer than 1,000 characters"):
        read_text_table(place)


def npz(path):
    with path.open("wb") as stream:
        np.savez(stream, x=np.zeros(3))


def spreadsheet(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", "")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n",
            "pointer of Git LFS.*\n.*git lfs pull",
        ),
        (b"/annex/objects/SHA256E-s3--0.csv\n", "pointer of git-annex"),
        (b"\xef\xbb\xbf  <!DOCTYPE html><html>", "is a web page"),
        (b"<?xml version='1.0'?>\n<html xmlns='x'>", "is a web page"),
        (b"\x80\x04\x95\x10\0\0", "pickled Python object, which could run code"),
        (b"\x89PNG\r\n\x1a\n", "is a PNG image"),
        (b"\0" * 128 + b"DICM", "is a DICOM image"),
        (b"PAR1\x15", "is a Parquet file"),
        (gzip.compress(b"image\n", mtime=0), "is a gzip archive"),
        (spreadsheet, "is a spreadsheet of Excel.*\n.*CSV UTF-8"),
        (npz, "archive of NumPy arrays"),
    ],
)
def test_other_files_are_called_what_they_are(tmp_path, content, words):
    place = tmp_path / "own.csv"
    content(place) if callable(content) else place.write_bytes(content)
    with pytest.raises(BenchError, match=words):
        read_text_table(place)


def test_archives(tmp_path):
    packed = tmp_path / "own.csv.gz"
    packed.write_bytes(gzip.compress(quoted(",").encode()))
    assert read_text_table(packed).rows == ROWS[1:]
    packed.write_bytes(packed.read_bytes()[:-12])
    with pytest.raises(BenchError, match="archive is truncated or damaged"):
        read_text_table(packed)
    two = tmp_path / "own.csv.zip"
    with zipfile.ZipFile(two, "w") as archive:
        archive.writestr("a.csv", quoted(","))
        archive.writestr("__MACOSX/._a.csv", "x")
    assert read_text_table(two).rows == ROWS[1:]
    with zipfile.ZipFile(two, "a") as archive:
        archive.writestr("b.csv", quoted(","))
    with pytest.raises(BenchError, match="holds 2 files; expected is one"):
        read_text_table(two)


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_archives_of_other_methods_are_not_opened(tmp_path, method):
    place = tmp_path / "own.csv.zip"
    with zipfile.ZipFile(place, "w", method) as archive:
        archive.writestr("a.csv", quoted(","))
    with pytest.raises(BenchError, match=r"own.csv.zip: a.csv is compressed by another method than deflate"):
        read_text_table(place)


def test_archives_of_many_names_are_not_opened(tmp_path):
    place = tmp_path / "own.csv.zip"
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr("a.csv", quoted(","))
        for number in range(400):
            archive.writestr(f"__MACOSX/{'x' * 3000}{number}", "")
    with pytest.raises(BenchError, match=r"own.csv.zip: lists names of 1 MiB; at most 1 are read"):
        read_text_table(place)


def test_a_downloaded_table_may_have_a_longer_header_but_no_uneven_rows(tmp_path):
    place = tmp_path / "boxes.csv"
    place.write_text("id,x,,\n1,2\n3,4\n")
    assert read_table(place, ("id", "x")).shape == (2, 4)
    place.write_text("id,x\n1,2\n3,4,5\n6,7\n")
    with pytest.raises(BenchError, match="line 3: the row has 3 fields, the header 2\n.*download it again"):
        read_table(place, ("id", "x"))
    place.write_text("id,x,Edema\n1,2\n3,4\n")  # every row lacks a value, and nobody knows which
    with pytest.raises(BenchError, match="line 2: the row has 2 fields, the header 3 \\(2 lines"):
        read_table(place, ("id", "x"))
    place.write_text("id,Edema,Edema\n1,0,1\n")
    with pytest.raises(BenchError, match="columns 2 and 3 have the same name, 'Edema'"):
        read_table(place, ("id",))
