"""RSNA Pneumonia: a miniature of the layout, and the real label file."""

import zipfile
from pathlib import Path

import dense_miniatures
import numpy as np
import pytest

from prior_bench.data.manifest import Manifest
from prior_bench.data.readers import rsna_pneumonia
from prior_bench.data.splitting.fractions import label_fraction
from prior_bench.errors import BenchError


@pytest.fixture
def root(tmp_path):
    return dense_miniatures.rsna_pneumonia(tmp_path)


def test_rows_boxes_and_masks(root):
    data = rsna_pneumonia.read(root)
    assert data.table["id"].tolist() == [f"id-{n:02d}" for n in range(20)]
    assert data.labels == ("Pneumonia",) and data.box_classes == ("pneumonia",)
    positive = data.table[data.table["Pneumonia"] == 1].iloc[0]
    np.testing.assert_array_equal(positive["boxes"], [[1, 2, 4, 6, 0], [8, 8, 12, 16, 0]])
    assert positive["boxes"].dtype == np.float32
    assert positive["mask"].decode(16, 16).sum() == 3 * 4 + 4 * 8
    negative = data.table[data.table["Pneumonia"] == 0].iloc[0]
    assert negative["boxes"].shape == (0, 5) and not negative["mask"].decode(16, 16).any()
    assert all(data.has(what) for what in ("labels", "boxes", "masks")) and not data.has("reports")


def test_default_split_is_stratified_and_fixed(root):
    data = rsna_pneumonia.read(root)
    assert data.table["split"].value_counts().to_dict() == {"train": 14, "valid": 3, "test": 3}
    assert data.table.groupby("split")["Pneumonia"].sum().between(0, 4).all()
    assert data.split("train").table["Pneumonia"].sum() in (3, 4)
    assert rsna_pneumonia.read(root).split_summary() == data.split_summary()


def test_shares_of_the_default_split(root):
    data = rsna_pneumonia.read(root, shares=[0.5, 0.1, 0.4])
    assert data.table["split"].value_counts().to_dict() == {"train": 10, "valid": 2, "test": 8}
    positive = data.table.groupby("split")["Pneumonia"].mean()
    assert positive.max() - positive.min() < 0.5, "stratified"
    assert rsna_pneumonia.read(root, shares=[0.7, 0.15, 0.15]).split_summary() == (
        rsna_pneumonia.read(root).split_summary()
    )
    for wrong in ([0.5, 0.5], [0.8, 0.4, -0.2], [0.5, 0.1, 0.1], "0.5", 1, [None, 0.5, 0.5]):
        with pytest.raises(BenchError, match="not the shares of train, valid and test"):
            rsna_pneumonia.read(root, shares=wrong)


def test_paper_split_of_a_small_set_says_so(root):
    with pytest.raises(BenchError, match="split rule 'mgca_detection' cannot be applied to 20 rows"):
        rsna_pneumonia.read(root, split="mgca_detection")
    with pytest.raises(BenchError, match="did you mean mgca_detection"):
        rsna_pneumonia.read(root, split="mgca_detect")


@pytest.mark.parametrize("row", ["id-00,,,,,1", "id-00,1,1,0,5,1", "id-00,1,1,-3,5,1", "id-00,a,1,3,5,1"])
def test_positive_row_without_a_box(root, write_text, row):
    write_text(root / "stage_2_train_labels.csv", f"{dense_miniatures.RSNA_HEADER}\n{row}\n")
    with pytest.raises(BenchError, match="image 'id-00' has Target 1 but no usable box"):
        rsna_pneumonia.read(root)


def test_half_the_images_absent(root):
    for number in range(10):
        (root / f"stage_2_train_images/id-{number:02d}.dcm").unlink()
    with pytest.raises(BenchError, match="10 of 20 images .* absent: .*stage_2_train_images"):
        rsna_pneumonia.read(root)
    assert len(rsna_pneumonia.read(root, missing="skip")) == 10
    with pytest.raises(BenchError, match="unknown value of missing 'ignore'.*\n.*error, skip"):
        rsna_pneumonia.read(root, missing="ignore")


def test_no_images_at_all_is_an_error_even_when_skipping(root):
    (root / "stage_2_train_images").rename(root / "images")
    with pytest.raises(BenchError, match="20 of 20 images"):
        rsna_pneumonia.read(root, missing="skip")


def test_renamed_column(root, write_text):
    write_text(root / "stage_2_train_labels.csv", "patientID,x,y,width,height,Target\na,,,,,0\n")
    with pytest.raises(
        BenchError, match="column 'patientId' missing\n.*is 'patientID' meant to be 'patientId'"
    ):
        rsna_pneumonia.read(root)


# --- the real label file ---


@pytest.fixture(scope="module")
def real_table(tmp_path_factory, real_annotations):
    root = tmp_path_factory.mktemp("rsna")
    with zipfile.ZipFile(real_annotations / "kaggle_stage_2_train_labels.csv.zip") as archive:
        archive.extract("stage_2_train_labels.csv", root)
    return rsna_pneumonia.read_labels(root / "stage_2_train_labels.csv")


def counts(table):
    groups = table.groupby("split")
    positive, boxes = groups["Pneumonia"].sum(), groups["boxes"].agg(lambda b: sum(map(len, b)))
    return {
        s: (len(groups.get_group(s)), int(positive[s]), int(boxes[s])) for s in ("train", "valid", "test")
    }


def first_ids(table):
    return [table.loc[table["split"] == s, "id"].iloc[0][:8] for s in ("train", "valid", "test")]


def test_real_counts(real_table):
    assert len(real_table) == 26_684
    boxes = real_table["boxes"].map(len)
    assert boxes.sum() == 9555
    assert boxes.value_counts().to_dict() == {0: 20_672, 1: 2614, 2: 3266, 3: 119, 4: 13}


def test_real_classification_split(real_table):
    split = rsna_pneumonia.mgca_classification_split(real_table)
    assert [v[:2] for v in counts(split).values()] == [(18_678, 4162), (4003, 928), (4003, 922)]
    assert first_ids(split) == ["5b3477db", "8e2001aa", "f2698fda"]


def test_real_detection_split(real_table):
    split = rsna_pneumonia.mgca_detection_split(real_table)
    assert list(counts(split).values()) == [(16_010, 3579, 5678), (5337, 1182, 1892), (5337, 1251, 1985)]
    assert first_ids(split) == ["a37191a3", "857b7847", "ab1131b2"]
    classification = rsna_pneumonia.mgca_classification_split(real_table)
    train = set(classification.loc[classification["split"] == "train", "id"])
    # the sets overlap each other, which is why their numbers cannot be put side by side
    assert len(train & set(split.loc[split["split"] == "test", "id"])) > 1000


def test_real_label_fractions_of_the_papers(real_table):
    table = rsna_pneumonia.mgca_classification_split(real_table)
    train = Manifest("rsna_pneumonia", Path("unused"), table, labels=("Pneumonia",)).split("train")
    drawn = [label_fraction(train, fraction, 42, by="rows").table for fraction in (0.01, 0.1)]
    assert [(len(t), int(t["Pneumonia"].sum())) for t in drawn] == [(187, 36), (1868, 414)]


def test_real_default_split_is_even(real_table):
    split = rsna_pneumonia.stratified_split(real_table)
    assert [v[0] for v in counts(split).values()] == [18_679, 4002, 4003]
    shares = split.groupby("split")["Pneumonia"].mean()
    assert shares.max() - shares.min() < 0.0005


def test_real_benchx_split(real_table):
    split = rsna_pneumonia.benchx_split(real_table)
    assert [v[:2] for v in counts(split).values()] == [(18_678, 4208), (4003, 902), (4003, 902)]
