"""MIMIC-CXR-JPG in miniature, and the ways its download goes wrong."""

import shutil
import zipfile

import miniatures
import numpy as np
import pytest

from prior_bench.data.readers.mimic_cxr.reader import read
from prior_bench.errors import BenchError


@pytest.fixture
def root(tmp_path):
    return miniatures.mimic_cxr(tmp_path)


def test_frontal_images_with_report_labels_and_official_split(root):
    data = read(root)
    assert data.table["id"].tolist() == ["02aa804e", "2a2277a9", "d0b71acc", "e5a6e6a7", "f0000001"]
    assert data.table["split"].tolist() == ["train", "train", "valid", "test", "test"]
    assert data.table["patient_id"].iloc[0] == "10000032"
    assert data.path(0) == root / "files/p10/p10000032/s50414267/02aa804e.jpg"
    assert data.table["report"].iloc[0] == (
        "The heart is normal.", "Study 50414267.", "No acute process.", "Stable.",
    )  # fmt: skip
    assert data.table["report"].iloc[3] == data.table["report"].iloc[4]  # one study
    assert data.has("reports") and data.dropped == {}
    np.testing.assert_array_equal(  # mixed policy; a study absent from the table is unmentioned throughout
        data.targets(),
        [[1, 0, 0, 1, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]],
    )


def test_views_labels_and_policies_of_uncertainty(root):
    assert read(root, views=("LATERAL",)).table["id"].tolist() == ["174413ec"]
    data = read(root, labels=["Edema", "Cardiomegaly"], uncertain="ignore")
    assert data.labels == ("Edema", "Cardiomegaly")
    assert np.isnan(data.targets()[0, 0]) and np.isnan(data.targets()[1, 1])
    assert read(root, labels=["Edema"], uncertain="zeros").targets()[0, 0] == 0
    assert read(root, labels=()).labels == ()
    with pytest.raises(BenchError, match="no image has a view among XX"):
        read(root, views=("XX",))
    with pytest.raises(BenchError, match="did you mean Edema"):
        read(root, labels=["Oedema"])
    with pytest.raises(BenchError, match="unknown policy for uncertain labels 'one'.*\n.*ones"):
        read(root, uncertain="one")


def test_named_splits(root):
    assert set(read(root, split="prior").table["split"]) == {"train"}
    assert read(root, split="mgca").table["split"].tolist() == ["train", "train", "valid", "valid", "valid"]
    with pytest.raises(BenchError, match="unknown split rule 'priro'.*\n.*did you mean prior"):
        read(root, split="priro")


def test_report_policy_leaves_images_out_and_says_so(root):
    (root / "files/p10/p10000032/s53189527.txt").write_text("IMPRESSION: Normal today again.")
    (root / "files/p10/p10000935/s50578979.txt").unlink()
    data = read(root, reports="prior")
    assert data.table["id"].tolist() == ["02aa804e", "e5a6e6a7", "f0000001"]
    assert data.dropped == {"fewer than 4 sentences": 1, "no report file": 1}
    everything = read(root, reports=None)
    assert len(everything) == 5 and not everything.has("reports")


def test_reports_from_the_archive_as_downloaded_or_another_folder(root):
    expected = read(root).table["report"].tolist()
    with zipfile.ZipFile(root / "mimic-cxr-reports.zip", "w") as archive:
        for path in sorted((root / "files").rglob("*.txt")):
            archive.write(path, path.relative_to(root))
            target = root / "elsewhere" / path.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(path, target)
    assert read(root).table["report"].tolist() == expected
    data = (root / "mimic-cxr-reports.zip").read_bytes()
    (root / "mimic-cxr-reports.zip").write_bytes(data[: len(data) // 2])
    with pytest.raises(BenchError, match="mimic-cxr-reports.zip: archive is truncated"):
        read(root)
    (root / "mimic-cxr-reports.zip").unlink()
    with pytest.raises(BenchError, match="no usable report for any of 4 studies"):
        read(root)
    (root / "elsewhere").rename(root / "mimic-cxr-reports")
    assert read(root).table["report"].tolist() == expected


def test_missing_split_file(root):
    (root / "mimic-cxr-2.0.0-split.csv.gz").unlink()
    with pytest.raises(BenchError, match=r"mimic-cxr-2.\*-split.csv is missing"):
        read(root)


def test_truncated_archive(root):
    place = root / "mimic-cxr-2.0.0-metadata.csv.gz"
    place.write_bytes(place.read_bytes()[:-20])
    with pytest.raises(BenchError, match="metadata.csv.gz: archive is truncated or damaged"):
        read(root)


def test_renamed_column(root, write_text):
    write_text(root / "mimic-cxr-2.0.0-split.csv.gz", "dicom_id,study_id,subject_id,splits\na,b,c,train\n")
    with pytest.raises(BenchError, match="'split' missing\n.*is 'splits' meant to be 'split'"):
        read(root)


def test_image_without_a_split(root, write_text):
    write_text(
        root / "mimic-cxr-2.0.0-split.csv.gz", "dicom_id,study_id,subject_id,split\n02aa804e,1,1,train\n"
    )
    with pytest.raises(BenchError, match="image '174413ec' of .* has no split"):
        read(root)


def test_absent_images(root):
    shutil.rmtree(root / "files/p11/p11000011/s51967845")
    with pytest.raises(
        BenchError, match="2 of 5 images named there are missing; the first is absent: .*e5a6e6a7"
    ):
        read(root)
    assert len(read(root, missing="skip")) == 3


def test_dead_link(root):
    image = root / "files/p10/p10000032/s53189527/2a2277a9.jpg"
    image.unlink()
    image.symlink_to(root / "gone.jpg")
    with pytest.raises(BenchError, match="1 of 5 images .* the first is a dead link: .*2a2277a9"):
        read(root)
