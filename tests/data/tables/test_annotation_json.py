"""Annotation files and lists have limits, and each way of being wrong is named."""

import zipfile

import pytest

from prior_bench.data.readers.chestxdet10 import read_part
from prior_bench.data.readers.mimic_cxr.reader import REPORT_ZIP, _report_source
from prior_bench.data.tables import annotation_json, text_file
from prior_bench.data.tables.annotation_json import read_json
from prior_bench.data.tables.text_file import read_lines
from prior_bench.errors import BenchError


@pytest.mark.parametrize("content", ["[" * 100_000, "[" + "9" * 5000 + "]", '["a"', '["\xff"]'])
def test_what_python_cannot_read_is_no_json_file(content, tmp_path):
    (tmp_path / "a.json").write_text(content, "latin-1")
    with pytest.raises(BenchError, match=r"a.json: not a JSON file as expected"):
        read_json(tmp_path / "a.json", list)


def test_json_has_a_limit_of_values(tmp_path, monkeypatch):
    (tmp_path / "a.json").write_text("[" + "[]," * 400 + "1]")
    assert len(read_json(tmp_path / "a.json", list)) == 401
    monkeypatch.setattr(annotation_json, "MOST_VALUES", 500)
    with pytest.raises(BenchError, match=r"a.json: has 801 commas and brackets; at most 500 are read"):
        read_json(tmp_path / "a.json", list)


def test_json_that_is_mostly_holes_is_not_read(tmp_path):
    with open(tmp_path / "a.json", "wb") as file:
        file.truncate(6 << 30)
    with pytest.raises(BenchError, match=r"a.json: has 6144 MiB; at most 512 are read"):
        read_json(tmp_path / "a.json", list)


def test_a_list_has_a_limit(tmp_path):
    with open(tmp_path / "a.txt", "wb") as file:
        file.truncate(6 << 30)
    with pytest.raises(BenchError, match=r"a.txt: has 6144 MiB; at most 64 are read"):
        read_lines(tmp_path / "a.txt")
    (tmp_path / "b.txt").write_text("a\nb")
    assert read_lines(tmp_path / "b.txt") == ["a", "b"]
    assert text_file.LARGEST_LIST == 64 << 20


@pytest.mark.parametrize("content", ['"syms": 5, "boxes": 7', '"syms": "Mass", "boxes": {}'])
def test_findings_that_are_no_list_are_named(content, tmp_path):
    (tmp_path / "train.json").write_text(f'[{{"file_name": "1.png", {content}}}]')
    with pytest.raises(BenchError, match=r"train.json, entry 0: syms and boxes are no lists"):
        read_part(tmp_path, "train")


@pytest.mark.parametrize("packed", [True, False])
def test_a_report_of_mimic_has_a_limit(packed, tmp_path):
    (tmp_path / "files").mkdir()
    for name, size in (("a", 1000), ("b", (1 << 20) + 1)):
        if packed:
            with zipfile.ZipFile(tmp_path / REPORT_ZIP, "a", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(f"files/{name}.txt", b" " * size)
        else:
            (tmp_path / f"files/{name}.txt").write_bytes(b" " * size)
    texts = _report_source(tmp_path)
    assert texts("files/a.txt") == " " * 1000 and texts("files/c.txt") is None
    with pytest.raises(BenchError, match=r"files/b.txt: has 1 MiB; a report has at most 1"):
        texts("files/b.txt")


def test_a_report_of_mimic_is_a_file(tmp_path):
    (tmp_path / "files/a.txt").mkdir(parents=True)
    with pytest.raises(BenchError, match=r"a.txt: is no regular file"):
        _report_source(tmp_path)("files/a.txt")


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (r'[{"file_name": "1.png"}, {"file_name": "\ud83d.png"}]', r"\[1\]\['file_name'\]"),
        (r'[{"a": [1, ["\UDC00"]]}]'.replace("U", "u"), r"\[0\]\['a'\]\[1\]\[0\]"),
        (r'[{"\udfff": 1}]', r"a key in \[0\]"),
    ],
)
def test_half_a_pair_of_surrogates_is_no_text(content, where, tmp_path):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(BenchError, match=rf"a.json, {where}: holds half a pair of surrogates") as caught:
        read_json(tmp_path / "a.json", list)
    str(caught.value).encode()
    (tmp_path / "a.json").write_text(r'["\ud83d\ude00", "\\ud83d"]')
    assert read_json(tmp_path / "a.json", list) == ["\U0001f600", r"\ud83d"]


def test_half_a_pair_of_surrogates_is_named_by_the_readers(tmp_path):
    (tmp_path / "train.json").write_text(r'[{"file_name": "\ud83d.png", "syms": [], "boxes": []}]')
    with pytest.raises(BenchError, match=r"train.json, \[0\]\['file_name'\]: holds half a pair"):
        read_part(tmp_path, "train")
