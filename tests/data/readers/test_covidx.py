"""COVIDx: miniatures of version 9A and CXR-4."""

import miniatures
import pytest

from prior_bench.cli import main
from prior_bench.data.readers import covidx
from prior_bench.errors import BenchError


@pytest.fixture
def nine(tmp_path):
    return miniatures.covidx(tmp_path)


@pytest.fixture
def four(tmp_path):
    return miniatures.covidx_binary(tmp_path)


def test_three_classes(nine):
    data = covidx.read(nine)
    assert (
        data.labels == miniatures.COVIDX_THREE and data.exclusive and (data.targets().sum(axis=1) == 1).all()
    )
    assert data.notes[0].startswith(
        "COVIDx version found: 9A (three classes, by the name of train_COVIDx9A.txt)"
    )
    assert data.split_summary()["notes"] == list(data.notes)  # goes into every record
    assert data.table["split"].value_counts().to_dict() == {"train": 36, "valid": 4, "test": 6}
    part = data.table[data.table["split"] != "test"]
    assert part.groupby("patient_id")["split"].nunique().max() == 1
    assert data.table["image"].iloc[0] == "train/train 0.png"


def test_binary(four):
    data = covidx.read(four)
    assert data.labels == ("COVID-19",) and not data.exclusive
    assert "CXR-2, CXR-3 or CXR-4 (binary, 34 images" in data.notes[0]
    assert data.table["split"].value_counts().to_dict() == {"train": 20, "valid": 6, "test": 8}
    assert data.table["COVID-19"].sum() == 10 + 2 + 4


@pytest.mark.parametrize(
    ("suffix", "classes", "told"),
    [
        ("_split_v3", miniatures.COVIDX_THREE, "v3 (three classes, by the name of train_split_v3.txt)"),
        ("_COVIDx5", miniatures.COVIDX_THREE, "5 (three classes, by the name of"),
        ("_COVIDx7A", miniatures.COVIDX_THREE, "7A (three classes"),
        ("_COVIDx8B", ("negative", "positive"), "8B (binary, by the name of train_COVIDx8B.txt)"),
        ("_COVIDx_CXR-3A", ("negative", "positive"), "CXR-3A (binary"),
        ("", miniatures.COVIDX_THREE, "unnamed (three classes, 10 images; train.txt does not say which)"),
        ("", ("negative", "positive"), "CXR-2, CXR-3 or CXR-4 (binary, 10 images; train.txt does not"),
    ],
)
def test_every_version_is_read_and_named(tmp_path, suffix, classes, told, capsys, monkeypatch):
    monkeypatch.setenv("PRIOR_BENCH_CACHE", str(tmp_path / "cache"))
    lists = [(f"{part}{suffix}.txt", part, count) for part, count in (("train", 6), ("test", 4))]
    miniatures.covidx_of(tmp_path, lists, classes)
    data = covidx.read(tmp_path)
    assert len(data) == 10 and data.exclusive == (len(classes) == 3)
    main(["data", "check", f"covidx@{tmp_path}"])
    assert f"remark: COVIDx version found: {told}" in capsys.readouterr().out


def test_rules_of_papers(nine):
    mgca = covidx.read(nine, split="mgca").table
    assert mgca["split"].value_counts().to_dict() == {"train": 32, "valid": 8, "test": 6}
    with pytest.raises(BenchError, match="'benchx' needs a list val"):
        covidx.read(nine, split="benchx")
    with pytest.raises(BenchError, match="did you mean mgca"):
        covidx.read(nine, split="mgac")


def test_benchx_loses_the_first_line_of_every_list(four):
    table = covidx.read(four, split="benchx").table
    assert table["split"].value_counts().to_dict() == {"train": 19, "valid": 5, "test": 7}
    assert not table["id"].isin(["train/train 0.png", "val/val 0.png", "test/test 0.png"]).any()
    with pytest.raises(BenchError, match="'mgca' was made for versions without"):
        covidx.read(four, split="mgca")


@pytest.mark.parametrize("line", ["7 train 7.png COVID cohen", "7", "7 positive", "patient,file,class"])
def test_a_line_of_another_form_is_named(nine, write_text, line):
    write_text(nine / "test_COVIDx9A.txt", f"0 test 0.png normal cohen\n\n{line}\n")
    with pytest.raises(
        BenchError, match=r"test_COVIDx9A.txt, line 3: '.*' is not 'patient file class source'"
    ):
        covidx.read(nine)


def test_lists_without_source(nine, write_text):
    write_text(nine / "test_COVIDx9A.txt", "0 test 0.png normal\n1 test 1.png COVID-19\n")
    data = covidx.read(nine)
    assert data.split("test").table["patient_id"].tolist() == [":0", ":1"]


def test_missing_mixed_and_doubled(nine, write_text):
    write_text(nine / "test_COVIDx8.txt", "0 test 0.png normal cohen")
    with pytest.raises(BenchError, match="several lists of test: test_COVIDx8.txt, test_COVIDx9A.txt"):
        covidx.read(nine)
    assert covidx.read(nine, version="9A").notes[0].startswith("COVIDx version found: 9A")
    (nine / "test_COVIDx8.txt").rename(nine / "test.txt")
    assert len(covidx.read(nine, version="9A")) == 46
    with pytest.raises(BenchError, match=r"train\*.txt is missing"):
        covidx.read(nine, version="unnamed")
    (nine / "test.txt").unlink()
    write_text(nine / "test_COVIDx9A.txt", "0 test 0.png negative cohen")
    with pytest.raises(BenchError, match="lists mix versions"):
        covidx.read(nine)
    write_text(nine / "test_COVIDx9A.txt", "0 absent.png normal cohen")
    with pytest.raises(BenchError, match=r"1 of 41 images .*test/absent\.png"):
        covidx.read(nine)
    write_text(nine / "test_COVIDx9A.txt", "\n")
    with pytest.raises(BenchError, match="file is empty"):
        covidx.read(nine)
    (nine / "test_COVIDx9A.txt").unlink()
    with pytest.raises(BenchError, match=r"test\*.txt is missing\n  fix: .*test_COVIDx9A.txt or test.txt"):
        covidx.read(nine)


def test_check_prints_the_version(four, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("PRIOR_BENCH_CACHE", str(tmp_path / "cache"))
    main(["data", "check", f"covidx@{four}", "--split", "benchx"])
    out = capsys.readouterr().out
    assert "remark: COVIDx version found: CXR-2, CXR-3 or CXR-4 (binary" in out
    assert "images: 19/5/7, published are 67,862/8,472/8,481" in out
