"""VinDr-CXR in both distributions: miniatures of the layouts, box fusion, and the real Kaggle table."""

import dense_miniatures
import numpy as np
import pytest

from prior_bench.data.annotations.box_fusion import box_iou, fuse_boxes
from prior_bench.data.readers.vindr_cxr import files as vindr_files
from prior_bench.data.readers.vindr_cxr import reader as vindr_cxr
from prior_bench.errors import BenchError


@pytest.fixture
def kaggle(tmp_path):
    return dense_miniatures.vindr_kaggle(tmp_path)


@pytest.fixture
def physionet(tmp_path):
    return dense_miniatures.vindr_physionet(tmp_path)


def test_kaggle_majority_and_fused_boxes(kaggle):
    data = vindr_cxr.read(kaggle)
    assert data.notes == ("distribution found: Kaggle VinBigData",)
    assert data.labels == ("Atelectasis", "Mass") and data.box_classes == ("Atelectasis", "Mass")
    table = data.table.set_index("id")
    assert table["Mass"].sum() == 10 and table["Atelectasis"].sum() == 0  # one reader of three is not enough
    np.testing.assert_allclose(table["boxes"]["i00"], [[8, 8, 12, 12, 0], [1.5, 2, 5.5, 6, 1]])
    assert table["boxes"]["i01"].shape == (0, 5)
    assert data.table["split"].value_counts().to_dict() == {"train": 14, "valid": 3, "test": 3}
    assert table["image"]["i00"] == "train/i00.dicom"


def test_kaggle_other_policies(kaggle):
    assert vindr_cxr.read(kaggle, agree=1).table["Atelectasis"].sum() == 1
    assert vindr_cxr.read(kaggle, agree=3).table["Mass"].sum() == 0
    every = vindr_cxr.read(kaggle, boxes="all").table.set_index("id")["boxes"]
    assert len(every["i00"]) == 3 and len(every["i02"]) == 2
    agreed = vindr_cxr.read(kaggle, box_agree=2).table.set_index("id")["boxes"]
    assert len(agreed["i00"]) == 1 and agreed["i00"][0, 4] == 1
    apart = vindr_cxr.read(kaggle, iou=0.9).table.set_index("id")["boxes"]
    assert len(apart["i02"]) == 2


def test_physionet_has_a_test_set_of_consensus(physionet):
    data = vindr_cxr.read(physionet)
    assert data.notes == ("distribution found: PhysioNet 1.0.0",)
    assert data.labels == ("Cardiomegaly", "Mass") and data.box_classes == ("Cardiomegaly",)
    assert data.table["split"].value_counts().to_dict() == {"train": 8, "valid": 2, "test": 4}
    table = data.table.set_index("id")
    assert table["Cardiomegaly"]["train1"] == 1 and table["Mass"]["train1"] == 0
    assert table["Cardiomegaly"]["test1"] == 1 and table["Cardiomegaly"]["test0"] == 0
    assert len(table["boxes"]["train1"]) == 1 and table["image"]["test1"] == "test/test1.dicom"
    strict = vindr_cxr.read(physionet, box_agree=2).table.set_index("id")
    assert len(strict["boxes"]["test1"]) == 1  # a consensus needs no second reader


def test_physionet_spellings_and_findings_of_one_part_only(physionet, write_text):
    train, test = (physionet / f"annotations/image_labels_{part}.csv" for part in ("train", "test"))
    write_text(train, train.read_text().replace("Mass", "Other diseases"))
    write_text(test, test.read_text().replace("Mass", "Other disease"))
    data = vindr_cxr.read(physionet)
    assert data.labels == ("Cardiomegaly", "Other diseases") and not np.isnan(data.targets()).any()
    write_text(test, test.read_text().replace("Other disease", "COPD"))
    table = vindr_cxr.read(physionet, labels=["COPD", "Other diseases"]).table.set_index("id")
    assert np.isnan(table["COPD"]["train1"]) and np.isnan(table["Other diseases"]["test1"])
    assert table["COPD"]["test1"] == 0 and table["Other diseases"]["train1"] == 0


def test_repacked_images(kaggle, write_image):
    for file in list((kaggle / "train").iterdir()):
        write_image(file.with_suffix(".png"))
        file.unlink()
    assert vindr_cxr.read(kaggle).path(0).suffix == ".png"


def test_errors_name_file_and_fix(kaggle, write_text):
    with pytest.raises(BenchError, match="unknown finding of VinDr-CXR 'mass'\n  fix: did you mean Mass"):
        vindr_cxr.read(kaggle, labels=["mass"])
    with pytest.raises(BenchError, match="did you mean fused"):
        vindr_cxr.read(kaggle, boxes="fuse")
    with pytest.raises(BenchError, match="agree=4 readers, but an image has at most 3"):
        vindr_cxr.read(kaggle, agree=4)
    (kaggle / "train/i07.dicom").unlink()
    with pytest.raises(BenchError, match=r"1 of 20 images .*train/i07\.dicom"):
        vindr_cxr.read(kaggle)
    with (kaggle / "train.csv").open("a") as stream:
        stream.write("\ni01,Mass,8,R0,5,2,5,6\n")
    with pytest.raises(BenchError, match=r"train.csv, line 63: box of image 'i01' has no extent"):
        vindr_cxr.read(kaggle)
    write_text(kaggle / "train.csv", dense_miniatures.VINDR_HEADER.replace("rad_id", "reader") + "\n")
    with pytest.raises(BenchError, match="train.csv: column 'rad_id' missing"):
        vindr_cxr.read(kaggle)
    (kaggle / "train.csv").unlink()
    with pytest.raises(BenchError, match="train.csv is missing"):
        vindr_cxr.read(kaggle)


def test_errors_in_the_physionet_tables(physionet, write_text):
    place = physionet / "annotations/image_labels_test.csv"
    text = place.read_text()
    write_text(place, text.replace("test0,0", "test0,2"))
    with pytest.raises(BenchError, match=r"image_labels_test.csv, line 2: a label is neither 0 nor 1"):
        vindr_cxr.read(physionet)
    write_text(place, text)
    (physionet / "annotations/annotations_test.csv").unlink()
    with pytest.raises(BenchError, match="annotations_test.csv is missing"):
        vindr_cxr.read(physionet)


def test_fusion():
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60], [0, 0, 10, 9]], float)
    means, support = fuse_boxes(boxes, np.array(["a", "b", "a", "a"]))
    np.testing.assert_allclose(means, [[1 / 3, 0, 31 / 3, 29 / 3], [50, 50, 60, 60]], rtol=1e-6)
    assert support.tolist() == [2, 1]
    assert fuse_boxes(np.zeros((0, 4)), np.array([]))[0].shape == (0, 4)
    np.testing.assert_allclose(box_iou(boxes[0], boxes), [1, 90 / 110, 0, 0.9])


# --- the real table ---


def test_real_table(tmp_path, real_annotations, write_image):
    (tmp_path / "train.csv.gz").symlink_to(real_annotations / "vinbigdata-train.csv.gz")
    found = vindr_files.read_annotations(tmp_path)
    assert len(found.images) == 15_000 and (found.readers == 3).all() and found.votes.shape[1] == 14
    assert len(found.boxes) == 67_914 - 31_818
    assert int((found.votes.sum(axis=1) == 0).sum()) == 10_606
    image = write_image(tmp_path / "one.png")
    (tmp_path / "train").mkdir()
    for name in found.images["id"]:
        (tmp_path / f"train/{name}.png").hardlink_to(image)
    data = vindr_cxr.read(tmp_path)
    assert data.table["split"].value_counts().to_dict() == {"train": 10_500, "valid": 2_250, "test": 2_250}
    counts = dict(zip(data.labels, data.targets().sum(axis=0).astype(int), strict=True))
    by_hand = (found.votes > 0.5).sum()
    assert counts == by_hand.to_dict()
    fused = sum(map(len, data.table["boxes"]))
    assert len(found.boxes) / 3 < fused < len(found.boxes)
    assert (data.table["boxes"].map(len) > 0).sum() == 4_394
