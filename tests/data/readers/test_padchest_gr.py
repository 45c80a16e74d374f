"""PadChest-GR in miniature."""

import json

import dense_miniatures
import pytest

from prior_bench.data.readers import padchest_gr
from prior_bench.errors import BenchError
from prior_bench.suites import protocols
from tasks.grounding import Grounding

FILE = "grounded_reports_20240819.json"


@pytest.fixture
def root(tmp_path):
    return dense_miniatures.padchest_gr(tmp_path)


def edit(root, change):
    content = json.loads((root / FILE).read_text())
    change(content)
    (root / FILE).write_text(json.dumps(content))


def test_sentences_with_boxes_are_phrases_in_pixels(root):
    data = padchest_gr.read(root)
    first = data.table.iloc[0]
    (phrase,) = first["phrases"]
    assert phrase.text == "Right pleural effusion." and phrase.category == "Effusion"
    assert phrase.boxes == ((0, 4, 4, 8),), "a quarter of 16 pixels wide, the lower half of 8 pixels"
    assert first["report"] == ("Right pleural effusion.", "No nodules.", "Kyphosis.")
    assert data.table["phrases"].map(len).tolist() == [1, 0, 1, 1, 1]
    assert data.table["split"].tolist() == ["train", "train", "valid", "test", "test"]
    assert data.table["patient_id"].tolist() == ["p0", "p0", "p2", "p3", "p4"]
    assert data.path(0).is_file() and data.has("reports") and data.has("phrases")
    Grounding().check(data, protocols.load("clean/grounding"))


def test_the_other_language_and_both_readers(root):
    table = padchest_gr.read(root, language="es", boxes="both").table
    (phrase,) = table["phrases"].iloc[0]
    assert phrase.text == "Derrame pleural derecho." and table["report"].iloc[1] == (
        "Sin nódulos.",
        "Cifosis.",
    )
    assert phrase.boxes == ((0, 4, 4, 8), (0, 2, 4, 8))
    with pytest.raises(BenchError, match="unknown language 'english'\n  fix: known: en, es"):
        padchest_gr.read(root, language="english")
    with pytest.raises(BenchError, match="unknown choice of boxes 'second'"):
        padchest_gr.read(root, boxes="second")


def test_boxes_may_leave_the_image_by_a_hair(root):
    edit(root, lambda c: c[0]["findings"][0].update(boxes=[[-0.005, 0.5, 0.25, 1.004]]))
    assert padchest_gr.read(root).table["phrases"].iloc[0][0].boxes == ((0, 4, 4, 8),)


@pytest.mark.parametrize(
    "change, what",
    [
        (lambda c: c[0].pop("ImageID"), "json, entry 0: lacks ImageID"),
        (lambda c: c[0]["findings"][0].pop("sentence_en"), r"entry 0, findings\[0\]: lacks sentence_en"),
        (
            lambda c: c[0]["findings"][0].update(boxes=[[10, 20, 30, 40]]),
            r"findings\[0\]: box \[10, 20, 30, 40\] is no part of the image\n  fix: .*between 0 and 1",
        ),
        (lambda c: c[0]["findings"][0].update(boxes=[[0.5, 0.1, 0.5, 0.2]]), "is no part of the image"),
        (lambda c: c[0]["findings"][0].update(boxes=[0.1, 0.2, 0.3, 0.4]), "box 0.1 is not four numbers"),
        (lambda c: c[0].update(StudyID="s9"), r"master_table.csv: has no study 's9' of grounded"),
        (lambda c: c.clear(), "names no study"),
    ],
)
def test_what_is_wrong_is_named(root, change, what):
    edit(root, change)
    with pytest.raises(BenchError, match=f"(?s){what}"):
        padchest_gr.read(root)


def test_labels_of_positive_sentences_become_binary_labels(tmp_path):
    root = dense_miniatures.padchest_gr(tmp_path)
    place = root / FILE
    studies = json.loads(place.read_text())
    studies[1]["findings"].append({"sentence_en": "No goiter.", "abnormal": False, "labels": ["goiter"]})
    studies[2]["findings"][2]["labels"] = ["kyphosis"]
    place.write_text(json.dumps(studies))
    data = padchest_gr.read(root, labels=["kyphosis", "pleural effusion"])
    assert data.labels == ("kyphosis", "pleural effusion")
    assert data.targets().tolist() == [[0, 1], [0, 0], [1, 1], [0, 1], [0, 1]]
    assert not padchest_gr.read(root).labels
    with pytest.raises(BenchError, match=r"unknown label of PadChest-GR 'goiter'(?s:.*)known: kyphosis"):
        padchest_gr.read(root, labels=["goiter"])
