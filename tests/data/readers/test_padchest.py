"""PadChest: a miniature of the layout, and the real table."""

import shutil

import numpy as np
import padchest_miniature
import pytest

from prior_bench.data.cards import card
from prior_bench.data.images.read import read_image
from prior_bench.data.readers import padchest
from prior_bench.errors import BenchError

TWO = ["cardiomegaly", "pleural effusion"]


@pytest.fixture
def root(tmp_path):
    return padchest_miniature.padchest(tmp_path)


def by_patient(data):
    return data.table.set_index("patient_id").sort_index()


def test_labels_are_stripped_and_a_blank_cell_is_unknown(root):
    data = padchest.read(root, labels=[*TWO, "pneumonia", "exclude"])
    table = by_patient(data)
    assert len(data) == 10 and data.labels == (*TWO, "pneumonia", "exclude")
    assert table.loc["p1", list(data.labels)].tolist() == [1, 1, 0, 0]
    assert table.loc["p2", list(data.labels)].tolist() == [0, 0, 1, 0]
    assert table.loc["p4", list(data.labels)].tolist() == [0, 0, 0, 1]
    assert table.loc[["p3", "p8"], list(data.labels)].isna().all(axis=None)
    assert np.isnan(data.targets()).sum() == 8


def test_who_when_and_what_the_report_says(root):
    table = by_patient(padchest.read(root))
    row = table.loc["p2"]
    assert row["id"] == "216840_04-014-084.png" and row["study_id"] == "s2"
    assert row["about_sex"] == "F" and table.loc["p1", "about_sex"] == "M" and row["about_age"] == 82
    assert row["view"] == "AP" and row["about_projection"] == "AP_horizontal"
    assert row["report"] == ("sin hallazg patolog .", "cardiomegali .") and table.loc["p3", "report"] is None
    assert row["image"] == "0/216840_04-014-084.png" and table.loc["p1", "image"].startswith("54/")
    assert tuple(padchest.read(root).labels) == padchest.FREQUENT


def test_views_and_methods(root):
    assert set(padchest.read(root, views="lateral").table["view"]) == {"L"}
    assert len(padchest.read(root, views="all")) == 20
    assert set(by_patient(padchest.read(root, views=["AP_horizontal"])).index) == {"p2", "p5", "p8"}
    assert set(by_patient(padchest.read(root, method="physician")).index) == {"p0", "p1", "p2", "p3"}
    assert len(padchest.read(root, method="rnn")) == 6
    with pytest.raises(BenchError, match="unknown view 'PAA'.*\n.*did you mean PA"):
        padchest.read(root, views="PAA")
    with pytest.raises(BenchError, match="did you mean physician"):
        padchest.read(root, method="physicians")
    with pytest.raises(BenchError, match="did you mean pneumonia"):
        padchest.read(root, labels=["pneumonya"])


def test_the_split_is_by_patient(root):
    table = padchest.read(root, views="all").table
    assert table.groupby("patient_id")["split"].nunique().max() == 1
    assert table["split"].value_counts().to_dict() == {"train": 14, "valid": 2, "test": 4}


def test_sixteen_bits_and_other_folders(root):
    image = read_image(padchest.read(root).path(0))
    assert np.asarray(image).max() > np.asarray(image).min()
    (root / "images").mkdir()
    shutil.move(root / "0", root / "images/0")
    table = by_patient(padchest.read(root))
    assert table.loc["p0", "image"].startswith("images/0/") and table.loc["p1", "image"].startswith("54/")
    for file in [*root.glob("images/0/*"), *root.glob("54/*")]:
        file.rename(root / "images" / file.name)
    assert set(padchest.read(root).table["image"].str.rpartition("/")[0]) == {"images"}


def test_errors_name_line_and_file(root, write_text):
    place = root / padchest_miniature.PADCHEST_TABLE
    text = place.read_text()
    write_text(place, text.replace("['normal']", "['normal'", 1))
    with pytest.raises(BenchError, match=r"csv, line 2: labels '\['normal'' are not of the form"):
        padchest.read(root)
    long = "'a', " * 10_000
    write_text(place, text.replace("['normal']", f"[{long}]", 1))
    with pytest.raises(BenchError, match=r"csv, line 2: labels '\['a', 'a', .* are not of the form"):
        padchest.read(root)
    write_text(place, text.replace("Labels,Localizations", "Label,Localizations"))
    with pytest.raises(BenchError, match="column 'Labels' missing"):
        padchest.read(root)
    place.unlink()
    with pytest.raises(BenchError, match=r"PADCHEST_chest_x_ray_images_labels_160K_\*.csv is missing"):
        padchest.read(root)


def test_padchest_gr_has_the_same_patients():
    assert card("padchest_gr").patients == "padchest"


# --- the real table ---


@pytest.mark.slow
def test_real_table(tmp_path, real_annotations, write_image):
    name = padchest_miniature.PADCHEST_TABLE + ".gz"
    (tmp_path / name).symlink_to(real_annotations / name)
    write_image(tmp_path / "one.png")
    (tmp_path / "shared_images.json").write_text('["one.png"]')
    data = padchest.read(tmp_path, views="all")
    assert len(data) == 160_861 and data.table["patient_id"].nunique() == 67_625
    assert data.table["cardiomegaly"].sum() == 15_022 and data.table["pleural effusion"].sum() == 9_853
    assert data.table["cardiomegaly"].isna().sum() == 103
    assert data.table["report"].isna().sum() == 157  # 116 empty cells; the others hold blanks and full stops
    assert np.nansum(data.targets(), axis=0).min() > 2_000
    assert data.table["about_age"].between(0, 120).mean() > 0.99
