"""MS-CXR in miniature: COCO's JSON and the CSV, with the tables and images of MIMIC-CXR."""

import json

import miniatures
import numpy as np
import pytest
from layouts import MS_CXR, MS_CXR_TABLE
from PIL import Image

from prior_bench.cli import main
from prior_bench.data.checking.check import check
from prior_bench.data.open import open_dataset
from prior_bench.data.readers.mimic_cxr import ms_cxr
from prior_bench.errors import BenchError
from prior_bench.suites.leakage import patient_space

IMAGES = [miniatures.MIMIC_IMAGES[row] for row in miniatures.MS_CXR_ROWS]


@pytest.fixture
def root(tmp_path):
    return miniatures.ms_cxr(tmp_path)


def edit(root, change):
    """Change the JSON."""
    content = json.loads((root / MS_CXR).read_text())
    change(content)
    (root / MS_CXR).write_text(json.dumps(content))


def test_one_row_per_image_with_its_phrases(root):
    data = ms_cxr.read(root)
    table = data.table
    assert table["id"].tolist() == [dicom for _, _, dicom, _, _ in IMAGES]
    assert table["patient_id"].tolist() == [subject for subject, *_ in IMAGES]
    assert table["study_id"].tolist() == [study for _, study, *_ in IMAGES]
    assert all(data.path(row).is_file() for row in range(3))
    first = table["phrases"].iloc[0]
    assert [phrase.text for phrase in first] == ["Opacity in the left lower lobe", "mild pulmonary edema"]
    assert first[0].boxes == ((1, 2, 4, 6), (5, 5, 7, 8)), "two boxes of one phrase"
    assert (first[0].category, first[0].mask) == ("Pneumonia", None)
    assert data.has("phrases") and data.has("regions") and not data.has("boxes") and not data.has("masks")


def test_an_outline_is_the_region_of_its_phrase(root):
    (phrase,) = ms_cxr.read(root).table["phrases"].iloc[2]
    drawn = np.zeros((8, 8), int)
    drawn[4:7, 3:5] = 1
    assert phrase.region(8, 8).tolist() == drawn.tolist() and phrase.boxes == ((3, 4, 7, 7),)

    def outlined(content):
        content["annotations"][0]["segmentation"] = [[1, 2, 4, 2, 4, 6, 1, 6]]

    edit(root, outlined)
    first = ms_cxr.read(root).table["phrases"].iloc[0][0]
    assert first.mask is None, "one of its two boxes has no outline"

    def both(content):
        content["annotations"][1]["segmentation"] = {"size": [8, 8], "counts": [45, 1, 18]}

    edit(root, both)
    first = ms_cxr.read(root).table["phrases"].iloc[0][0]
    region = first.region(8, 8)
    assert region[2:6, 1:4].all() and region[5, 5] and region.sum() == 13


def test_csv_and_json_say_the_same(tmp_path):
    one = ms_cxr.read(miniatures.ms_cxr(tmp_path / "a")).table
    other = ms_cxr.read(miniatures.ms_cxr_table(tmp_path / "b")).table
    for column in ("id", "patient_id", "study_id", "image", "split"):
        assert one[column].tolist() == other[column].tolist()
    for some, others in zip(one["phrases"], other["phrases"], strict=True):
        assert [(p.text, p.category, p.boxes) for p in some] == [
            (p.text, p.category, p.boxes) for p in others
        ]


def test_which_file_is_read(tmp_path):
    root = miniatures.ms_cxr_table(miniatures.ms_cxr(tmp_path))
    assert ms_cxr.find_file(root, "any", csv_first=False).suffix == ".json"
    assert ms_cxr.find_file(root, "any", csv_first=True).suffix == ".csv"
    assert ms_cxr.read(root, file="csv").table["phrases"].iloc[2][0].mask is None
    (root / MS_CXR).rename(root / "MS_CXR_Local_Alignment_v1.0.0.json")  # beside the tables of MIMIC-CXR
    assert ms_cxr.read(root, file="json").table["phrases"].iloc[2][0].mask is not None
    (root / MS_CXR_TABLE).unlink()
    with pytest.raises(BenchError, match=r"v\*.csv is missing\n  fix: copy the file of physionet.org"):
        ms_cxr.read(root, file="csv")
    with pytest.raises(BenchError, match="did you mean json"):
        ms_cxr.read(root, file="jsn")


def test_split_rules(tmp_path):
    root = miniatures.ms_cxr_table(miniatures.ms_cxr(tmp_path))
    official = [{"validate": "valid"}.get(split, split) for *_, split in IMAGES]
    assert ms_cxr.read(root).table["split"].tolist() == official
    assert ms_cxr.read(root, split="biovil").table["split"].tolist() == ["test"] * 3
    assert ms_cxr.read(root, split="release").table["split"].tolist() == ["test", "valid", "train"]
    (root / MS_CXR_TABLE).unlink()
    with pytest.raises(BenchError, match="has no column 'split', which the rule 'release' needs"):
        ms_cxr.read(root, split="release")


def test_its_patients_are_those_of_mimic_cxr(root):
    reference = {"type": "ms_cxr", "root": str(root)}
    assert patient_space(reference) == patient_space({"type": "mimic_cxr", "root": "x"}) == "mimic_cxr"


@pytest.mark.parametrize(
    "change, what",
    [
        (lambda c: c.pop("images"), "lacks images; keys present: info"),
        (lambda c: c["images"][1].pop("path"), r"images\[1\]: lacks path"),
        (lambda c: c["annotations"][2].pop("label_text"), r"annotations\[2\]: lacks label_text"),
        (
            lambda c: c["annotations"][2].update(image_id=9),
            r"annotations\[2\]: image_id 9 is not in the file",
        ),
        (lambda c: c["annotations"][2].update(category_id=9), r"annotations\[2\]: category_id 9 is not"),
        (lambda c: c["annotations"][2].update(bbox=[1, 2, 3]), r"box \[1, 2, 3\] is not four numbers"),
        (lambda c: c["annotations"][2].update(bbox=[1, 2, "x", 3]), "is not four numbers"),
        (lambda c: c["annotations"][2].update(bbox=[1, 2, 0, 3]), r"annotations\[2\]: a box without extent"),
        (lambda c: c["annotations"][2].update(label_text=" "), r"annotations\[2\]: a phrase without text"),
        (lambda c: c["annotations"][2].update(label_text=None), r"annotations\[2\]: a phrase without text"),
        (lambda c: c["images"][0].update(path="x.jpg"), r"annotations\[0\]: path 'x.jpg' is not files/pXX"),
        (lambda c: c["annotations"].clear(), "names no phrase"),
        (lambda c: c["annotations"].insert(0, 3), r"annotations\[0\]: is a int; expected is a dict"),
    ],
)
def test_what_is_wrong_is_named(root, change, what):
    edit(root, change)
    with pytest.raises(BenchError, match=f"(?s)MS_CXR_Local_Alignment_v1.0.0.json.*{what}"):
        ms_cxr.read(root)


def test_another_file_under_its_name(root):
    (root / MS_CXR).write_text("[]")
    with pytest.raises(BenchError, match="holds a list at its top level; expected is a dict"):
        ms_cxr.read(root)


def test_an_image_that_mimic_cxr_does_not_split(root):
    edit(root, lambda c: c["images"][0].update(path="files/p10/p10000032/s50414267/other.jpg"))
    with pytest.raises(BenchError, match="split.csv.gz: has no split for image 'other' of MS-CXR"):
        ms_cxr.read(root)


def test_check_counts_phrases_and_finds_what_cannot_be_used(root):
    report = check(ms_cxr.read(root, split="biovil"))
    counts = {name: values for name, *values in report.counts}
    assert counts["phrases"] == ["0", "0", "4"] and counts["boxes of phrases"] == ["0", "0", "5"]
    assert counts["masks of phrases"] == ["0", "0", "1"] and report.usable

    def beyond(content):
        content["annotations"][0]["bbox"] = [4, 4, 30, 2]
        content["annotations"][2]["bbox"] = [20, 20, 3, 3]
        content["annotations"][-1]["segmentation"] = {"size": [9, 9], "counts": [81]}

    edit(root, beyond)
    problems = check(ms_cxr.read(root, split="biovil")).problems
    assert any("the region of the phrase 'mild pulmonary edema' is empty" in problem for problem in problems)
    assert any(r"annotations[4]: mask is 9x9 pixels, its image 8x8" in problem for problem in problems)


def test_boxes_beyond_the_image_are_a_problem(root):
    edit(root, lambda content: content["annotations"][0].update(bbox=[4, 4, 30, 2]))
    problems = check(ms_cxr.read(root, split="biovil")).problems
    assert problems == ["1 images have boxes that extend beyond the image, e.g. 02aa804e"]


def test_the_command_describes_it(capsys):
    assert main(["data", "describe", "ms_cxr"]) == 0
    out = capsys.readouterr().out
    assert "phrases" in out and "biovil" in out and "MS_CXR_Local_Alignment_v1.0.0.json" in out


def test_in_the_image_cache_regions_keep_their_place(root, tmp_path, monkeypatch):
    monkeypatch.setenv("PRIOR_BENCH_CACHE", str(tmp_path / "cache"))
    reference = {"type": "ms_cxr", "root": str(root)}
    for image in root.rglob("*.jpg"):
        Image.fromarray(np.zeros((32, 32), np.uint8)).save(image)
    outline = {"size": [32, 32], "counts": [12 * 32 + 8, 10, 22, 10, 32 * 32 - 12 * 32 - 50]}
    edit(root, lambda content: content["annotations"][-1].update(segmentation=outline))
    assert main(["data", "cache", f"ms_cxr@{root}", "--size", "16"]) == 0
    cached, stored = open_dataset({**reference, "cache": 16}), open_dataset(reference)
    for some, others in zip(cached.table["phrases"], stored.table["phrases"], strict=True):
        for one, other in zip(some, others, strict=True):
            assert np.allclose(one.box_array * 2, other.box_array) and one.text == other.text
    region = cached.table["phrases"].iloc[2][0].region(16, 16)
    assert region[4:9, 6].all() and region.sum() == 5
