"""TBX11K in miniature."""

import json
import shutil

import numpy as np
import pytest
import tuberculosis_miniatures

from prior_bench.data.checking.counts import counts
from prior_bench.data.manifest import NO_PATIENTS
from prior_bench.data.readers import tbx11k
from prior_bench.errors import BenchError

FINDINGS = ["Tuberculosis", "ActiveTuberculosis", "ObsoletePulmonaryTuberculosis"]


@pytest.fixture
def root(tmp_path):
    return tuberculosis_miniatures.tbx11k(tmp_path)


def edit(root, change, part="train"):
    place = root / f"annotations/json/TBX11K_{part}.json"
    content = json.loads(place.read_text())
    change(content)
    place.write_text(json.dumps(content))


def test_labels_and_boxes_of_each_image(root):
    data = tbx11k.read(root)
    table = data.table.set_index("id")
    assert len(data) == 39 and data.labels == tuple(FINDINGS) and not data.exclusive
    assert data.box_classes == tbx11k.BOXED and data.notes == (NO_PATIENTS,)
    assert table.loc["tb0002", "boxes"].tolist() == [[1, 2, 4, 6.5, 0], [2, 2, 5, 6.5, 1]]
    assert table.loc["tb0002", FINDINGS].tolist() == [1, 1, 1]
    assert table.loc["tb0008", "boxes"].tolist() == [[1, 2, 4, 6.5, 0]]
    assert table.loc["tb0008", FINDINGS].tolist() == [1, 1, 0]
    for negative in ("h0003", "s0001"):
        assert table.loc[negative, "boxes"].shape == (0, 5)
        assert table.loc[negative, FINDINGS].tolist() == [0, 0, 0]
    assert table.loc["tb0008", "image"] == "imgs/tb/tb0008.png"


def test_tuberculosis_without_a_box_is_of_unknown_activity(root):
    row = tbx11k.read(root).table.set_index("id").loc["tb0005"]
    assert row["boxes"] is None and row["Tuberculosis"] == 1
    assert row[FINDINGS[1:]].isna().all()


def test_images_annotated_with_boxes_are_counted_in_each_part(root):
    """One part has the image that is not annotated; the others have none."""
    data = tbx11k.read(root)
    assert sum(boxes is None for boxes in data.table["boxes"]) == 1
    of_parts = {name: [int(cell) for cell in cells] for name, *cells in counts(data) if "images" in name}
    of_unannotated = data.table.loc[data.table["boxes"].isna(), "split"].iloc[0]
    missing = [int(name == of_unannotated) for name in ("train", "valid", "test")]
    boxed = of_parts["images annotated with boxes"]
    assert boxed == [n - less for n, less in zip(of_parts["images"], missing, strict=True)]


def test_classes_are_exclusive(root):
    data = tbx11k.read(root, labels="classes")
    assert data.labels == ("Healthy", "Sick, not tuberculosis", "Tuberculosis") and data.exclusive
    assert (data.targets().sum(axis=1) == 1).all() and (data.targets().sum(axis=0) == 13).all()
    rows = data.table.set_index("id").loc[["h0003", "s0001", "tb0005"], list(data.labels)]
    assert (rows.to_numpy() == np.eye(3)).all()
    with pytest.raises(BenchError, match="did you mean classes"):
        tbx11k.read(root, labels="class")


def test_the_official_validation_part_is_the_test_set(root):
    table = tbx11k.read(root).table
    assert table["split"].value_counts().to_dict() == {"train": 27, "valid": 3, "test": 9}
    assert (table.loc[table["split"] == "test", "id"].str[-3] == "1").all()
    assert table.groupby("split")["Tuberculosis"].sum().to_dict() == {"train": 9, "valid": 1, "test": 3}


def test_above_the_folder_of_the_archive(root, tmp_path):
    inner = tmp_path / "above/TBX11K"
    inner.mkdir(parents=True)
    for name in ("annotations", "imgs"):
        shutil.move(root / name, inner / name)
    assert tbx11k.read(tmp_path / "above").root == inner


def test_uncertain_tuberculosis_becomes_a_class_if_it_is_boxed(root):
    edit(root, lambda c: c["annotations"][-1].__setitem__("category_id", 3))
    data = tbx11k.read(root)
    assert data.box_classes == tbx11k.CATEGORIES
    assert data.table["boxes"].dropna().map(lambda boxes: (boxes[:, 4] == 2).any()).sum() == 1


@pytest.mark.parametrize(
    "change, what",
    [
        (lambda c: c.pop("annotations"), "TBX11K_train.json: lacks annotations"),
        (lambda c: c["annotations"][1].pop("bbox"), r"annotations\[1\]: lacks bbox"),
        (lambda c: c["annotations"][1].__setitem__("bbox", [1, 2, 0, 4]), r"\[1\]: box .* has no extent"),
        (lambda c: c["annotations"][1].__setitem__("category_id", 9), r"\[1\]: unknown category '9'"),
        (lambda c: c["annotations"][0].__setitem__("image_id", 999), "has boxes of image 999, which is not"),
        (lambda c: c["categories"][0].__setitem__("name", "TB"), r"categories\[0\]: unknown category of TBX"),
        (lambda c: c["images"][0].__setitem__("file_name", "h0001.png"), r"images\[0\]: unknown folder"),
        (lambda c: c["images"][0].pop("file_name"), r"images\[0\]: lacks file_name"),
        (lambda c: [c[k].clear() for k in ("images", "annotations")], "names no image"),
    ],
)
def test_what_is_wrong_is_named(root, change, what):
    edit(root, change)
    with pytest.raises(BenchError, match=f"(?s){what}"):
        tbx11k.read(root)
