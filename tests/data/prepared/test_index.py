"""Prepared indices: they give back exactly what was read, and are not believed once anything has changed."""

import json
import os
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from prior_bench.cli import main
from prior_bench.data.annotations.masks import BoxMask, CocoMask, FileMask, RleMask, ShapeMask, UnionMask
from prior_bench.data.annotations.phrases import GroundedPhrase
from prior_bench.data.open import open_dataset, prepare_dataset
from prior_bench.data.prepared import index
from prior_bench.data.prepared.cells import decode_cell
from prior_bench.data.prepared.columns import NUMBER, decode_table, encode_table
from prior_bench.errors import BenchError


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PRIOR_BENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def root(tmp_path, write_image, write_text):
    folder = tmp_path / "object-cxr"
    for part, count in (("train", 10), ("dev", 4)):
        lines = ["image_name,annotation"]
        for n in range(count):
            lines.append(f"{n}.jpg,{'0 1 2 5 6;2 1 1 5 1 1 5.25' if n % 2 else ''}")
            write_image(folder / f"{part}/{n}.jpg")
        write_text(folder / f"{part}.csv", "\n".join(lines))
    return folder


def test_every_kind_of_cell_comes_back(tmp_path):
    table = pd.DataFrame(
        {
            "id": ["007", "b", "c"],
            "y": np.array([1, np.nan, 0], np.float32),
            "flag": [True, False, True],
            "count": [1, 2, 3],
            "view": pd.Series(["AP", None, None], dtype=object),
            "report": pd.Series([("One.", "Two."), None, None], dtype=object),
            "boxes": pd.Series(
                [np.array([[1.1, 2, 3, 4, 0]], np.float32), np.zeros((0, 5), np.float32), None], dtype=object
            ),
            "mask": pd.Series([RleMask(("1 2",)), FileMask("a.png", tmp_path), None], dtype=object),
            "phrases": pd.Series(
                [
                    (
                        GroundedPhrase("Opacity.", ((1.0, 2.0, 3.5, 4.0),), None, "Pneumonia"),
                        GroundedPhrase(
                            "Edema.", (), UnionMask((CocoMask("01", (2, 2)), CocoMask(((1, 2, 3.5),))))
                        ),
                        GroundedPhrase("Mass.", ((0.0, 0.0, 1.0, 1.0),), CocoMask((3, 1), (2, 2))),
                    ),
                    (),
                    None,
                ],
                dtype=object,
            ),
            "other": pd.Series(
                [BoxMask(np.ones((1, 5), np.float32)), ShapeMask((("ellipse", (1.0, 2.5)),)), None]
            ),
        }
    )
    again = decode_table(*encode_table(table), tmp_path)
    assert list(again) == list(table) and again["report"].dtype == "reports"
    assert again.drop(columns="report").dtypes.equals(table.drop(columns="report").dtypes)
    for name in table:
        for one, other in zip(table[name], again[name], strict=True):
            assert repr(one) == repr(other), name
    assert again["boxes"][1].shape == (0, 5) and again["boxes"][0].dtype == np.float32
    assert again["boxes"][2] is None, "not annotated is not the same as no object"


def test_prepared_is_the_same_and_reads_no_annotation(root, monkeypatch, capsys):
    fresh = open_dataset(f"object_cxr@{root}")
    _, place, written = prepare_dataset(f"object_cxr@{root}")
    assert written and place.is_file() and not list(place.parent.glob("*.part"))

    def forbidden(*args, **options):
        raise AssertionError("the reader was asked")

    monkeypatch.setattr("prior_bench.data.readers.object_cxr.read_part", forbidden)
    prepared = open_dataset(f"object_cxr@{root}")
    assert prepared.fingerprint() == fresh.fingerprint() and prepared.split_summary() == fresh.split_summary()
    assert (prepared.labels, prepared.box_classes, prepared.root) == (
        fresh.labels,
        fresh.box_classes,
        fresh.root,
    )
    assert capsys.readouterr().err == ""
    with pytest.raises(AssertionError, match="the reader was asked"):
        open_dataset(f"object_cxr@{root}", "mgca")  # another rule is another index


def test_a_cache_whose_name_is_not_utf_8(root, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PRIOR_BENCH_CACHE", os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe"))
    fresh = open_dataset(f"object_cxr@{root}")
    _, place, _ = prepare_dataset(f"object_cxr@{root}")
    monkeypatch.setattr("prior_bench.data.readers.object_cxr.read_part", lambda *args, **options: 1 / 0)
    assert place.is_file() and open_dataset(f"object_cxr@{root}").fingerprint() == fresh.fingerprint()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            lambda root: (root / "dev.csv").write_text("image_name,annotation\n0.jpg,\n"),
            "dev.csv has changed",
        ),
        (lambda root: (root / "test.csv").write_text("image_name,annotation\n"), "test.csv is new"),
        (lambda root: (root / "train.csv").rename(root / "train.csv.old"), "train.csv is gone"),
    ],
)
def test_stale_indices_are_not_used(root, capsys, change, why):
    prepare_dataset(f"object_cxr@{root}")
    change(root)
    folder = str(root)
    assert index.load("object_cxr", root, "default", {}) is None
    err = capsys.readouterr().err
    assert "is stale" in err and why in err and f"prior-bench data prepare object_cxr@{folder}" in err


def test_changed_annotations_are_read_anew_and_prepared_anew(root, capsys):
    prepare_dataset(f"object_cxr@{root}")
    (root / "dev.csv").write_text("image_name,annotation\n0.jpg,\n")
    assert len(open_dataset(f"object_cxr@{root}").split("test")) == 1
    assert "is stale" in capsys.readouterr().err
    assert prepare_dataset(f"object_cxr@{root}")[2]
    capsys.readouterr()
    assert len(open_dataset(f"object_cxr@{root}").split("test")) == 1 and capsys.readouterr().err == ""


def test_a_copied_file_with_another_time_is_the_same_file(root, capsys):
    prepare_dataset(f"object_cxr@{root}")
    os.utime(root / "dev.csv", (1, 1))
    assert not prepare_dataset(f"object_cxr@{root}")[2] and capsys.readouterr().err == ""


def test_another_version_of_the_reader(root, monkeypatch, capsys):
    prepare_dataset(f"object_cxr@{root}")
    monkeypatch.setattr(index, "reader_code", lambda kind: "other")
    assert index.load("object_cxr", root, "default", {}) is None
    assert "made by another version of the reader" in capsys.readouterr().err


def test_the_code_of_a_reader_is_its_module_and_what_that_imports(tmp_path, monkeypatch):
    package = tmp_path / "others"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "helper.py").write_text("FACTOR = 1\n")
    (package / "reader.py").write_text("from others import helper\ndef read(root, *, split='default'): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    before = index.reader_code("others.reader:read")
    (package / "helper.py").write_text("FACTOR = 1  # as published\n")
    assert index.reader_code("others.reader:read") == before
    (package / "helper.py").write_text("FACTOR = 2\n")
    assert index.reader_code("others.reader:read") != before


def test_a_reader_in_a_file_of_ones_own(root, tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text("from prior_bench.data.readers.object_cxr import read\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert len(open_dataset(f"mine:read@{root}")) == 14 and prepare_dataset(f"mine:read@{root}")[2]
    with pytest.raises(BenchError, match="No module named 'nobodys'"):
        open_dataset(f"nobodys:read@{root}")


def test_a_damaged_index_is_read_over(root, capsys):
    _, place, _ = prepare_dataset(f"object_cxr@{root}")
    place.write_bytes(place.read_bytes()[:100])
    assert len(open_dataset(f"object_cxr@{root}")) == 14
    assert "it cannot be read" in capsys.readouterr().err


def content_of(place):
    return json.loads(pq.read_schema(place).metadata[index.METADATA])


def test_archives_of_images_beside_the_tables_are_not_hashed(root):
    (root / "train.tgz").write_bytes(b"images")
    _, place, _ = prepare_dataset(f"object_cxr@{root}")
    assert set(content_of(place)["sources"]) == {"train.csv", "dev.csv"}


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.replace_schema_metadata(None),
        lambda table: table.replace_schema_metadata({index.METADATA: b"[1"}),
        lambda table: table.replace_schema_metadata({index.METADATA: b"[1]"}),
        lambda table: table.drop_columns(["id"]),
        lambda table: pa.concat_tables([table, table]),
        lambda table: pa.table({"id": ["a"]}),
    ],
)
def test_a_file_that_is_no_index_is_read_over(root, capsys, change):
    _, place, _ = prepare_dataset(f"object_cxr@{root}")
    pq.write_table(change(pq.read_table(place)), place)
    assert len(open_dataset(f"object_cxr@{root}")) == 14
    assert "it cannot be read" in capsys.readouterr().err


def test_a_changed_byte_is_noticed(root, capsys):
    _, place, _ = prepare_dataset(f"object_cxr@{root}")
    content = bytearray(place.read_bytes())
    content[200] ^= 1  # within the first page
    place.write_bytes(content)
    assert len(open_dataset(f"object_cxr@{root}")) == 14
    assert "it cannot be read" in capsys.readouterr().err


def test_each_report_is_stored_once(tmp_path):
    reports = [("a.",), None, ("b.", "c."), ("a.",), (), ("b.", "c."), ()]
    table = pd.DataFrame({"id": [str(n) for n in range(7)], "report": pd.Series(reports, dtype=object)})
    columns, kinds = encode_table(table)
    stored = columns["report"].to_pylist()
    assert stored == [["a."], None, ["b.", "c."], None, [], None, None] and kinds["report"][0] == "reports"
    assert decode_table(columns, kinds, tmp_path)["report"].tolist() == reports
    again, kinds = encode_table(decode_table(columns, kinds, tmp_path))
    assert (
        again["report"].to_pylist() == stored
        and decode_table(again, kinds, tmp_path)["report"].tolist() == reports
    )


def test_a_number_of_a_report_that_is_not_there_is_refused(tmp_path):
    table = pd.DataFrame({"id": ["a", "b"], "report": pd.Series([("a.",), None], dtype=object)})
    columns, kinds = encode_table(table)
    for wrong in ([2, 0], [0, -2]):
        spoiled = columns.set_column(2, NUMBER, pa.array(wrong))
        with pytest.raises(ValueError, match="a row has a report that is not there"):
            decode_table(spoiled, kinds, tmp_path)


def test_an_index_that_unpacks_to_gigabytes_is_not_read(root, capsys):
    _, place, _ = prepare_dataset(f"object_cxr@{root}")
    content = content_of(place)
    text = pa.DictionaryArray.from_arrays(np.zeros(60_000, np.int32), pa.array(["x" * 50_000]))
    table = pa.table({"id": text})
    with pq.ParquetWriter(place, table.schema, store_schema=False) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({index.METADATA.decode(): json.dumps(content)})
    assert place.stat().st_size < 10**6 and len(open_dataset(f"object_cxr@{root}")) == 14
    assert "it cannot be read (it unpacks to more than" in capsys.readouterr().err


def test_text_of_another_type_is_refused(tmp_path):
    columns, kinds = encode_table(pd.DataFrame({"id": ["a", "b"]}))
    with pytest.raises(ValueError, match="id has no text"):
        decode_table(columns.set_column(0, "id", columns["id"].dictionary_encode()), kinds, tmp_path)


@pytest.mark.parametrize("kind", ["number", "text", "cells"])
@pytest.mark.parametrize("dtype", ["V100", "S100", "U100"])
def test_columns_whose_type_states_a_width_are_refused(kind, dtype, tmp_path):
    values = [1, 2] if kind == "number" else ["1", "2"]
    columns, _ = encode_table(pd.DataFrame({"x": values}))
    with pytest.raises(ValueError, match=r"x has no numbers|x is of type"):
        decode_table(columns, {"x": [kind, dtype]}, tmp_path)


@pytest.mark.parametrize("dtype", ["V100", "S100", "U100", "O", "i4,O", "M8[s]"])
def test_cells_with_arrays_that_are_no_numbers_are_refused(dtype, tmp_path):
    with pytest.raises(ValueError, match="a cell has an array of type"):
        decode_cell({"array": ["1"], "type": dtype, "shape": [1]}, tmp_path)


def test_half_a_pair_of_surrogates_comes_back(tmp_path):
    report = pd.Series([("a\ud800.",), None], dtype=object)
    table = pd.DataFrame({"id": ["a", "b"], "report": report, "x": pd.Series(["\udfff", None], dtype=object)})
    columns, kinds = encode_table(table)
    again = decode_table(columns, kinds, tmp_path)
    assert again["report"].tolist() == report.tolist() and again["x"].tolist() == ["\udfff", None]


def test_what_an_earlier_version_prepared_is_named_and_goes(root, capsys):
    place = index.place_of("object_cxr", root, "default", {})
    earlier = place.parent / place.name.replace(".parquet", ".json.gz")
    earlier.parent.mkdir(parents=True)
    earlier.write_bytes(b"old")
    assert len(open_dataset(f"object_cxr@{root}")) == 14
    assert "an earlier version wrote it" in capsys.readouterr().err
    assert prepare_dataset(f"object_cxr@{root}")[2] and place.is_file() and not earlier.exists()


def test_what_cannot_be_prepared(root):
    with pytest.raises(BenchError, match="cannot be prepared with missing=skip"):
        prepare_dataset({"type": "object_cxr", "root": str(root), "missing": "skip"})
    with pytest.raises(BenchError, match="is generated, not prepared"):
        prepare_dataset("sample:chexpert")


# --- command line ---


def test_prepare_goes_on_where_it_was(root, capsys, cache):
    assert main(["data", "prepare", "object_cxr", "--root", str(root), "--split", "default"]) == 0
    assert "default: 14 images (8/2/4), hash " in capsys.readouterr().out
    both = ["--split", "default", "--split", "mgca"]
    assert main(["data", "prepare", "object_cxr", "--root", str(root), *both]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert "up to date" in first and "mgca: 14 images (9/1/4)" in second and "written to" in second
    assert len(list((cache / "indices").iterdir())) == 2
    assert main(["data", "prepare", "object_cxr", "--root", str(root), "--split", "every"]) == 1
    assert "needs test.csv and test/" in capsys.readouterr().err


def test_check_takes_the_index(root, capsys, monkeypatch):
    main(["data", "prepare", f"object_cxr@{root}"])
    monkeypatch.setattr("prior_bench.data.readers.object_cxr.read_part", None)
    assert main(["data", "check", "object_cxr", "--root", str(root), "--quick"]) == 0
    assert "verdict: object_cxr is usable" in capsys.readouterr().out


def test_own_csv_can_be_prepared(tmp_path, write_image, write_text):
    for n in range(10):
        write_image(tmp_path / f"{n}.jpg")
    rows = [f"{n}.jpg,{n % 2},{'Clear lungs today.' if n else ''},{n}.jpg" for n in range(10)]
    place = write_text(tmp_path / "own.csv", "image,y,report,mask\n" + "\n".join(rows))
    fresh = open_dataset(str(place))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert prepare_dataset(str(place))[2] and not prepare_dataset(str(place))[2]
    again = open_dataset(str(place))
    assert again.fingerprint() == fresh.fingerprint() and again.name == fresh.name
    assert again.table["mask"][0].decode(8, 8).shape == (8, 8)
