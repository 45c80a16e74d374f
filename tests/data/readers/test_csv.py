"""The generic CSV data set: real radiographs, every column, and errors that name the line."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from prior_bench.data.open import open_dataset
from prior_bench.data.readers.csv.own_table import read_own_table
from prior_bench.data.readers.csv.reader import read
from prior_bench.errors import BenchError, ErrorList

REAL = Path(__file__).parents[1] / "hannover_cxr" / "metadata.csv"


@pytest.fixture
def folder(tmp_path, write_image):
    for number in range(10):
        write_image(tmp_path / f"images/{number}.jpg")
    return tmp_path


def table(folder, header, *lines, name="own.csv"):
    path = folder / name
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


# --- real radiographs ---


def test_real_images_with_default_labels():
    data = read(REAL)
    assert len(data) == 12 and data.labels == ("icu", "died")
    assert data.table["patient_id"].nunique() == 7
    assert data.table.groupby("patient_id")["split"].nunique().max() == 1
    assert set(data.table["split"]) == {"train", "valid", "test"}
    assert all(data.path(row).is_file() for row in range(len(data)))


def test_real_projection_as_binary_label():
    data = read(REAL, label="projection")
    assert data.labels == ("projection=pa",) and not data.exclusive
    assert data.targets().sum() == 5
    other = read(REAL, label="projection", positive="ap")
    assert other.labels == ("projection=ap",)
    np.testing.assert_array_equal(other.targets(), 1 - data.targets())
    assert read(REAL, labels="projection").labels == read(REAL, labels=["projection"]).labels == data.labels


def test_real_file_through_a_reference():
    data = open_dataset(str(REAL))
    assert data.name == "metadata" and len(data) == 12 and not data.synthetic
    wanted = {"type": "csv", "root": str(REAL), "label": "projection"}
    assert open_dataset(wanted, "by_patient").labels == ("projection=pa",)
    with pytest.raises(BenchError, match="unknown option of data set csv 'lable'.*\n.*did you mean label"):
        open_dataset({**wanted, "lable": "projection"})


# --- labels ---


def test_only_binary_columns_are_labels_by_default(folder):
    path = table(
        folder, "image,edema,age,flag,name,mass", "images/0.jpg,1,61,True,x,", "images/1.jpg,0,0,False,y,1"
    )
    data = read(path)
    assert data.labels == ("edema", "flag", "mass")
    np.testing.assert_array_equal(data.targets(), [[1, 1, np.nan], [0, 0, 1]])
    assert read(path, labels=["edema"]).labels == ("edema",)
    assert read(path, labels=[]).labels == ()


def test_column_of_names_becomes_exclusive_classes(folder):
    kinds = ["normal", "pneumonia", "covid", "normal"]
    path = table(folder, "image,kind", *(f"images/{i}.jpg,{k}" for i, k in enumerate(kinds)))
    data = read(path, label="kind")
    assert data.labels == ("kind=covid", "kind=normal", "kind=pneumonia") and data.exclusive
    np.testing.assert_array_equal(data.targets(), [[0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0]])


def test_missing_label_column_lists_those_present(folder):
    path = table(folder, "image,edema,mass", "images/0.jpg,1,0")
    with pytest.raises(
        BenchError, match=r"'oedema' missing\n.*is 'edema' meant .* present: image, edema, mass"
    ):
        read(path, labels=["oedema"])


def test_label_values_that_are_none_name_the_line(folder):
    path = table(folder, "image,edema,mass", "images/0.jpg,1,0", "images/1.jpg,2,0")
    with pytest.raises(BenchError, match=r"own.csv, line 3: label 'edema' is '2'; allowed are 1, 0"):
        read(path, labels=["edema", "mass"])
    with pytest.raises(BenchError, match="label 'x' has 1 different values"):
        read(table(folder, "image,x", "images/0.jpg,a", "images/1.jpg,a"), label="x")


# --- splits ---


def test_split_column_is_taken_and_spellings_understood(folder):
    names = ["train", "val", "Test", "validation"]
    path = table(folder, "image,y,split", *(f"images/{i}.jpg,{i % 2},{s}" for i, s in enumerate(names)))
    assert read(path).table["split"].tolist() == ["train", "valid", "test", "valid"]
    path = table(folder, "image,split", "images/0.jpg,train", "images/1.jpg,dev")
    with pytest.raises(BenchError, match="line 3: split is 'dev'\n.*train, valid, test"):
        read(path)


def test_split_by_patient_is_stratified_seeded_and_not_torn(folder):
    lines = [f"images/{i % 10}.jpg,id{i},p{i // 2},{int(i // 2 < 10)}" for i in range(100)]
    path = table(folder, "image,id,patient_id,y", *lines)
    data = read(path)
    assert data.table["split"].value_counts().to_dict() == {"train": 60, "valid": 20, "test": 20}
    assert data.table.groupby("patient_id")["split"].nunique().max() == 1
    assert data.table.groupby("split")["y"].mean().tolist() == pytest.approx([0.2, 0.2, 0.2])
    assert read(path).split_summary() == read(path, split="by_patient").split_summary() | {"rule": "default"}


def test_two_labels_of_one_file_are_tested_on_the_same_patients(folder):
    rng = np.random.default_rng(0)
    b = ["" if rng.random() < 0.5 else int(i % 7 == 0) for i in range(100)]
    lines = [f"images/{i % 10}.jpg,id{i},p{i // 2},{i // 2 % 2},{b[i]},{'xyz'[i % 3]}" for i in range(100)]
    path = table(folder, "image,id,patient_id,a,b,view_name", *lines)
    splits = [
        read(path, **choice).table["split"].tolist()
        for choice in ({"labels": "a"}, {"labels": ["b"]}, {}, {"label": "view_name"}, {"labels": ["a", "b"]})
    ]
    assert all(split == splits[0] for split in splits)
    assert set(splits[0]) == {"train", "valid", "test"}


def test_patients_that_are_not_known_are_said_to_be(folder):
    path = table(folder, "image,id,y", *(f"images/{i}.jpg,x{i},{i % 2}" for i in range(10)))
    data = read(path)
    assert data.notes == ("patients are not known: every image counts as one",)
    assert data.table["patient_id"].tolist() == data.table["id"].tolist()
    twice = table(folder, "image,id,y", *(f"images/{i // 2}.jpg,x{i},{i % 2}" for i in range(10)))
    assert read(twice).table["patient_id"].nunique() == 5, "one image stays in one split"


# --- reports, masks, boxes ---


def test_reports_masks_and_boxes(folder):
    Image.fromarray(np.eye(8, dtype=np.uint8) * 255).save(folder / "mask.png")
    path = table(
        folder,
        "image,report,mask,boxes",
        'images/0.jpg,"FINDINGS: Clear lungs, no edema.\nIMPRESSION: All normal.",mask.png,'
        "1 2 3 4; 0 0 2 2 nodule",
        "images/1.jpg,,,",
        "images/2.jpg,,,None",
    )
    data = read(path)
    assert data.table["report"].tolist() == [("Clear lungs, no edema.", "All normal."), None, None]
    assert data.table["mask"].iloc[0].decode(8, 8).sum() == 8 and data.table["mask"].iloc[1] is None
    assert data.box_classes == ("nodule", "object")
    np.testing.assert_array_equal(data.table["boxes"].iloc[0], [[1, 2, 4, 6, 1], [0, 0, 2, 2, 0]])
    assert data.table["boxes"].iloc[1] is None, "blank: not annotated"
    assert data.table["boxes"].iloc[2].shape == (0, 5), "none: no object"
    assert "boxes: 1 of 3 images are not annotated (blank; none = no object)" in data.notes
    assert all(data.has(what) for what in ("reports", "masks", "boxes"))


@pytest.mark.parametrize("box", ["1 2 3", "1 2 x 4", "1 2 0 4"])
def test_broken_box_names_the_line(folder, box):
    path = table(folder, "image,boxes", "images/0.jpg,1 1 2 2", f"images/1.jpg,{box}")
    with pytest.raises(BenchError, match=f"line 3: box '{box}'"):
        read(path)


# --- what goes wrong ---


def test_absent_image_names_line_and_file(folder):
    path = table(folder, "image,y", "images/0.jpg,1", "images/none.jpg,0", "images/1.jpg,0")
    with pytest.raises(BenchError, match=r"own.csv, line 3: image .*images/none.jpg does not exist"):
        read(path)
    assert read(path, missing="skip").table["image"].tolist() == ["images/0.jpg", "images/1.jpg"]


def test_line_is_counted_past_texts_that_span_lines(folder):
    path = table(folder, "image,report", 'images/0.jpg,"one\ntwo\nthree"', "", "images/none.jpg,x")
    assert read_own_table(path)[0].source.lines == [4, 6]
    with pytest.raises(BenchError, match="line 6: image"):
        read(path)


def test_dead_link(folder):
    (folder / "images/link.jpg").symlink_to(folder / "gone.jpg")
    with pytest.raises(BenchError, match="line 2: image .*link.jpg is a dead link"):
        read(table(folder, "image", "images/link.jpg"))


def test_absent_mask(folder):
    with pytest.raises(BenchError, match="line 3: mask .*m.png does not exist"):
        read(table(folder, "image,mask", "images/0.jpg,", "images/1.jpg,m.png"))


def test_independent_problems_are_reported_together(folder):
    path = table(folder, "image,id", "images/0.jpg,a", "images/none.jpg,a")
    with pytest.raises(ErrorList) as caught:
        read(path)
    assert "id 'a' occurs a second time" in str(caught.value) and "none.jpg does not exist" in str(
        caught.value
    )


def test_blank_patient(folder):
    with pytest.raises(BenchError, match="line 3: 'patient_id' is blank"):
        read(table(folder, "image,patient_id", "images/0.jpg,p", "images/1.jpg,"))


def test_identifiers_stay_text(folder):
    data = read(table(folder, "image,id,patient_id", "images/0.jpg,007,0012", "images/1.jpg,008,0013"))
    assert data.table["id"].tolist() == ["007", "008"] and data.table["patient_id"].iloc[0] == "0012"


def test_no_csv(folder, tmp_path):
    with pytest.raises(BenchError, match="not a CSV file"):
        read(folder)
    with pytest.raises(BenchError, match="file is empty"):
        (folder / "empty.csv").touch() or read(folder / "empty.csv")
    with pytest.raises(BenchError, match="contains no rows"):
        read(table(folder, "image,y"))
    with pytest.raises(BenchError, match="column 'image' missing\n.*is 'images' meant to be 'image'"):
        read(table(folder, "images,y", "images/0.jpg,1"))
    binary = folder / "binary.csv"
    shutil.copyfile(folder / "images/0.jpg", binary)
    with pytest.raises(BenchError, match="not a CSV file as expected"):
        read(binary)
