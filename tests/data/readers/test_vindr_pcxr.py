"""VinDr-PCXR in miniature."""

import dense_miniatures
import numpy as np
import pytest

from prior_bench.data.manifest import NO_PATIENTS
from prior_bench.data.readers import vindr_pcxr
from prior_bench.errors import BenchError


@pytest.fixture
def root(tmp_path):
    return dense_miniatures.vindr_pcxr(tmp_path)


def test_labels_and_boxes_of_each_image(root):
    data = vindr_pcxr.read(root)
    table = data.table.set_index("id")
    assert data.labels == vindr_pcxr.FIVE and data.notes == (NO_PATIENTS,)
    assert data.box_classes == ("Consolidation", "Reticulonodular opacity")
    assert table.loc["train01", "boxes"].tolist() == [[1, 2, 5, 6.5, 1], [3, 2, 9, 8, 0]]
    assert table.loc["test01", "boxes"].tolist() == [[1, 2, 5, 6.5, 1], [3, 2, 9, 8, 0]]
    assert table.loc["train02", "boxes"].shape == (0, 5)
    five = table[list(vindr_pcxr.FIVE)]
    assert five.loc["train00"].tolist() == [0, 0, 0, 0, 0] and five.loc["train01"].tolist() == [1, 0, 0, 0, 0]
    assert five.loc["train02"].tolist() == [0, 0, 0, 1, 0] and five.loc["test03"].tolist() == [0, 1, 0, 0, 0]
    assert table.loc["test03", "image"] == "test/test03.dicom" and set(table["view"]) == {"PA"}


def test_other_labels(root):
    data = vindr_pcxr.read(root, labels=["No finding", "CPAM"])
    assert data.labels == ("No finding", "CPAM") and data.targets().sum(axis=0).tolist() == [7, 0]
    with pytest.raises(BenchError, match="did you mean Brocho-pneumonia"):
        vindr_pcxr.read(root, labels=["Broncho-pneumonia"])


def test_the_official_test_set(root):
    table = vindr_pcxr.read(root).table
    assert table["split"].value_counts().to_dict() == {"train": 18, "valid": 2, "test": 5}
    assert (table["id"].str.startswith("test") == table["split"].eq("test")).all()


def test_repacked_images(root, write_image):
    for file in list((root / "test").iterdir()):
        write_image(file.with_suffix(".png"))
        file.unlink()
    assert vindr_pcxr.read(root).table["image"].str.endswith(".png").sum() == 5


def test_no_finding_is_no_class_even_with_corners(root, write_text):
    place = root / "annotations_train.csv"
    write_text(place, place.read_text().replace("No finding,,,,", "No finding,0,0,1,1"))
    assert "No finding" not in vindr_pcxr.read(root).box_classes


@pytest.mark.parametrize(
    "file, old, new, what",
    [
        ("image_labels_test.csv", "test00,R0,1", "test00,R0,2", "line 2: a label is neither 0 nor 1"),
        ("image_labels_train.csv", "train01", "train00", "line 3: image 'train00' occurs a second time"),
        ("annotations_train.csv", "1,2,5,6.5", "5,2,1,6.5", "line 3: box of image 'train01' has no extent"),
        ("annotations_train.csv", "train01,R1,Ret", "other,R1,Ret", "no image 'other', which has a box"),
        ("image_labels_train.csv", "Pneumonia", "Pneumonias", "unknown disease of VinDr-PCXR 'Pneumonia'"),
    ],
)
def test_what_is_wrong_is_named(root, write_text, file, old, new, what):
    text = (root / file).read_text()
    assert old in text
    write_text(root / file, text.replace(old, new, 1))
    with pytest.raises(BenchError, match=what):
        vindr_pcxr.read(root)


def test_boxes_are_those_of_their_own_image(root):
    table = vindr_pcxr.read(root).table.set_index("id")
    heights = [table.loc[f"train{n:02d}", "boxes"][1, 3] for n in (1, 5, 9)]
    np.testing.assert_allclose(heights, [8, 12, 16])
