"""Object-CXR: a miniature of the layout with all three shapes, and everything that can be wrong with it."""

import dense_miniatures
import numpy as np
import pytest

from prior_bench.cli import main
from prior_bench.data.readers import object_cxr
from prior_bench.errors import BenchError


@pytest.fixture
def root(tmp_path):
    return dense_miniatures.object_cxr(tmp_path)


def test_boxes_enclose_and_masks_fill(root):
    data = object_cxr.read(root)
    assert len(data) == 24 and data.labels == ("Foreign object",) and data.box_classes == ("foreign object",)
    row = data.table.set_index("id").loc["train/00001"]
    np.testing.assert_array_equal(row["boxes"], [[1, 2, 5, 6, 0], [8, 8, 14, 12, 0], [1, 10, 6, 15, 0]])
    assert row["boxes"].dtype == np.float32 and row["Foreign object"] == 1
    mask = row["mask"].decode(16, 20)
    assert mask.shape == (16, 20) and mask.dtype == np.uint8 and set(np.unique(mask)) == {0, 1}
    assert mask[2:7, 1:6].all()  # rectangle
    assert mask[10, 11] and not mask[8, 8] and not mask[12, 14]  # an ellipse has no corners
    assert mask[10, 5] and mask[14, 1] and not mask[15, 6]  # a triangle has no fourth corner
    negative = data.table.set_index("id").loc["train/00002"]
    assert negative["boxes"].shape == (0, 5) and not negative["mask"].decode(16, 20).any()


@pytest.mark.parametrize(("column", "folder"), [("image_name", ""), ("image_path", "/somewhere/else/")])
def test_both_spellings_of_the_file(tmp_path, column, folder):
    data = object_cxr.read(dense_miniatures.object_cxr(tmp_path, column=column, folder=folder))
    assert data.table["image"].iloc[0].startswith("train/000") and data.path(0).is_file()


def test_split_rules(root):
    sizes = object_cxr.read(root).table["split"].value_counts().to_dict()
    assert sizes == {"train": 16, "valid": 4, "test": 4}
    mgca = object_cxr.read(root, split="mgca").table
    assert mgca["split"].value_counts().to_dict() == {"train": 18, "valid": 2, "test": 4}
    assert mgca.loc[mgca["split"] == "test", "id"].str.startswith("dev/").all()
    with pytest.raises(BenchError, match="needs test.csv and test/, which only the Kaggle re-pack has"):
        object_cxr.read(root, split="official")
    dense_miniatures.object_cxr(root, parts=(("train", 20), ("dev", 4), ("test", 6)))
    official = object_cxr.read(root, split="official").table
    assert official["split"].value_counts().to_dict() == {"train": 20, "valid": 4, "test": 6}
    assert len(object_cxr.read(root)) == 24  # the default does without


@pytest.mark.parametrize("piece", ["3 1 2 3 4", "0 1 2 3", "0 1 2 3 x", "2 1 2 3", "rubbish"])
def test_an_object_that_is_no_shape_names_its_line(root, write_text, piece):
    write_text(root / "dev.csv", f"image_name,annotation\n00021.jpg,\n00022.jpg,0 1 2 3 4;{piece}\n")
    with pytest.raises(BenchError, match=rf"dev.csv, line 3: object '{piece}' is not"):
        object_cxr.read(root)


def test_missing_files_and_columns(root, write_text):
    (root / "dev/00021.jpg").unlink()
    with pytest.raises(BenchError, match=r"1 of 24 images .*dev/00021\.jpg"):
        object_cxr.read(root)
    assert len(object_cxr.read(root, missing="skip")) == 23
    write_text(root / "dev.csv", "image_name,annotations\na.jpg,\n")
    with pytest.raises(BenchError, match=r"dev.csv: column 'annotation' missing\n.*is 'annotations' meant"):
        object_cxr.read(root)
    (root / "dev.csv").unlink()
    with pytest.raises(BenchError, match=r"dev.csv is missing\n  fix: put it"):
        object_cxr.read(root)


def test_check_compares_with_what_was_published(root, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("PRIOR_BENCH_CACHE", str(tmp_path / "cache"))
    assert main(["data", "check", f"object_cxr@{root}"]) == 1  # boxes extend beyond the 8 x 8 images
    out = capsys.readouterr().out
    assert "images: 16/4/4, published are 6,400/1,600/1,000" in out
    assert "12 images have boxes that extend beyond the image" in out


def test_sides_can_be_swapped_as_lovt_does(root):
    boxes = object_cxr.read(root, boxes="swapped").table.set_index("id").loc["train/00001", "boxes"]
    np.testing.assert_array_equal(boxes, [[1, 2, 5, 6, 0], [8, 8, 12, 14, 0], [1, 10, 6, 15, 0]])
    with pytest.raises(BenchError, match="did you mean swapped"):
        object_cxr.read(root, boxes="swaped")


def test_lovts_lists_test_on_dev(root, write_text):
    for name, ids in (("train", "00002\n00001"), ("validation", "00003"), ("test", "00021\n00022")):
        write_text(root / f"lovt/{name}.csv", f"ID\n{ids}\n")
    split = object_cxr.read(root, split="lovt").table
    assert split["id"].tolist() == ["train/00002", "train/00001", "train/00003", "dev/00021", "dev/00022"]
    assert split["split"].tolist() == ["train", "train", "valid", "test", "test"]
