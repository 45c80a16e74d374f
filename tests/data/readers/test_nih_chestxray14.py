"""NIH ChestX-ray14: a miniature of the layout, and the real label and box files."""

import gzip

import dense_miniatures
import numpy as np
import pytest

from prior_bench.data.readers import nih_chestxray14 as nih
from prior_bench.errors import BenchError


@pytest.fixture
def root(tmp_path):
    return dense_miniatures.nih_chestxray14(tmp_path)


def test_official_test_list_and_patients_kept_whole(root):
    data = nih.read(root)
    assert data.labels == nih.FOURTEEN and not data.has("boxes")
    assert data.table["split"].value_counts().to_dict() == {"train": 14, "valid": 2, "test": 4}
    assert data.table.groupby("patient_id")["split"].nunique().max() == 1
    assert set(data.split("test").table["patient_id"]) == {"8", "9"}
    row = data.table.set_index("id").loc["00000001_001.png"]
    assert row["image"] == "images_002/images/00000001_001.png" and row["view"] == "AP"
    assert row["Infiltration"] == row["Mass"] == 1 and row["Hernia"] == 0


def test_all_images_in_one_folder(root):
    (root / "images").mkdir()
    for file in root.glob("images_*/images/*.png"):
        file.rename(root / "images" / file.name)
    data = nih.read(root, labels=["Mass"])
    assert data.table["image"].str.startswith("images/").all() and data.labels == ("Mass",)


def test_boxes(root):
    data = nih.read(root, boxes=True, split="boxes_by_patient")
    assert len(data) == 2 and data.box_classes == nih.BOXED
    boxes = data.table.set_index("id")["boxes"]["00000001_000.png"]
    np.testing.assert_array_equal(boxes, [[1, 2, 4, 6, 3], [5.5, 5, 7.5, 7, 4]])


def test_unknown_findings_and_bad_boxes(root, write_text):
    with pytest.raises(BenchError, match="boxes is 'false'; must be True or False"):
        nih.read(root, boxes="false")
    with pytest.raises(BenchError, match="unknown finding of ChestX-ray14 'Masss'\n  fix: did you mean Mass"):
        nih.read(root, labels=["Masss"])
    write_text(
        root / "BBox_List_2017.csv", f"{dense_miniatures.NIH_BOX_HEADER}\n00000001_000.png,Mas,1,2,3,4,,,\n"
    )
    with pytest.raises(BenchError, match=r"BBox_List_2017.csv, line 2: unknown finding 'Mas'"):
        nih.read(root, boxes=True)
    write_text(
        root / "BBox_List_2017.csv", f"{dense_miniatures.NIH_BOX_HEADER}\n00000001_000.png,Mass,1,2,0,4,,,\n"
    )
    with pytest.raises(BenchError, match="line 2: box without numbers or extent"):
        nih.read(root, boxes=True)
    write_text(root / "BBox_List_2017.csv", "Image Index,Finding Label\na,Mass\n")
    with pytest.raises(BenchError, match="has 2 columns; expected image, finding, x, y, w, h"):
        nih.read(root, boxes=True)
    text = (root / "Data_Entry_2017.csv").read_text()
    write_text(root / "Data_Entry_2017.csv", text.replace("Infiltration|Mass", "Infiltration|Mess", 1))
    with pytest.raises(BenchError, match="image 00000001_000.png: unknown finding 'Mess'"):
        nih.read(root)


def test_missing_files(root, write_text):
    (root / "images_001/images/00000000_000.png").unlink()
    with pytest.raises(BenchError, match=r"1 of 20 images .*00000000_000\.png"):
        nih.read(root)
    write_text(root / "test_list.txt", "00000008_000.png")
    with pytest.raises(BenchError, match="3 images are in neither list, e.g. 00000008_001.png"):
        nih.read(root)
    (root / "test_list.txt").unlink()
    with pytest.raises(BenchError, match="test_list.txt is missing"):
        nih.read(root)
    write_text(
        root / "Data_Entry_2017.csv", dense_miniatures.NIH_HEADER.replace("Patient ID", "PatientID") + "\n"
    )
    with pytest.raises(BenchError, match=r"Data_Entry_2017.csv: column 'Patient ID' missing"):
        nih.read(root)


# --- the real files ---


def test_real_counts(real_annotations):
    table = nih.read_labels(real_annotations / "Data_Entry_2017_v2020.csv.gz")
    assert len(table) == 112_120 and table["patient_id"].nunique() == 30_805
    assert int(table["Infiltration"].sum()) == 19_894 and int(table["Hernia"].sum()) == 227
    assert int((table[list(nih.FOURTEEN)].sum(axis=1) == 0).sum()) == 60_361  # "No Finding"
    boxes = nih.read_boxes(real_annotations / "BBox_List_2017.csv.gz")
    assert len(boxes) == 880 and sum(map(len, boxes.values())) == 984
    assert set(boxes) <= set(table["id"])
    assert max(b[:, :4].max() for b in boxes.values()) <= 1024


def test_real_boxes_split_by_patient(tmp_path, real_annotations, write_image):
    for name in ("Data_Entry_2017_v2020.csv.gz", "BBox_List_2017.csv.gz"):
        (tmp_path / name).symlink_to(real_annotations / name)
    with gzip.open(tmp_path / "BBox_List_2017.csv.gz", "rt") as stream:
        names = {line.partition(",")[0] for line in stream.readlines()[1:]}
    image = write_image(tmp_path / "one.png")
    (tmp_path / "images").mkdir()
    for name in names:
        (tmp_path / "images" / name).hardlink_to(image)
    data = nih.read(tmp_path, boxes=True, split="boxes_by_patient")
    assert len(data) == 880 and data.table.groupby("patient_id")["split"].nunique().max() == 1
    shares = data.table["split"].value_counts(normalize=True)
    assert 0.55 < shares["train"] < 0.65 and 0.15 < shares["test"] < 0.25
