"""SIIM-ACR Pneumothorax: a miniature of the layout, and the real run-length file."""

import dense_miniatures
import numpy as np
import pytest

from prior_bench.data.annotations.masks import RleMask
from prior_bench.data.checking.check import check
from prior_bench.data.readers.siim_acr import reader as siim_acr
from prior_bench.errors import BenchError


@pytest.fixture
def root(tmp_path):
    return dense_miniatures.siim_acr(tmp_path)


@pytest.mark.parametrize("header", dense_miniatures.SIIM_HEADERS)
@pytest.mark.parametrize("negative", [" -1", "-1", "-1 ", ""])
def test_every_spelling_of_header_and_negative(tmp_path, header, negative):
    data = siim_acr.read(dense_miniatures.siim_acr(tmp_path, header, negative))
    assert len(data) == 20 and data.table["Pneumothorax"].sum() == 5


def test_regions_of_one_image_are_united(root):
    data = siim_acr.read(root)
    row = data.table[data.table["id"] == "1.2.276.0"].iloc[0]
    assert row["mask"] == RleMask(("0 3 5 2", "60 4"))
    mask = row["mask"].decode(8, 8)
    assert mask.sum() == 9 and mask[:3, 0].all() and mask[:2, 1].all() and mask[4:, 7].all()
    assert row["image"] == "dicom-images-train/1.2.1.0/1.2.2.0/1.2.276.0.dcm"
    assert row["study_id"] == "1.2.1.0"
    assert data.has("masks") and not data.has("boxes")


def test_default_split_is_by_image(root):
    data = siim_acr.read(root)
    assert data.table["id"].is_unique
    assert data.table["split"].value_counts().to_dict() == {"train": 14, "valid": 3, "test": 3}


def test_paper_split_tears_images_apart_and_keeps_ids_unique(root):
    table = siim_acr.read(root, split="mgca").table
    assert table["id"].is_unique
    torn = table[table["id"].str.contains("#")]
    for row in torn.itertuples():
        parts = table[table["image"] == row.image]
        assert parts["split"].is_unique and all(len(mask.runs) == 1 for mask in parts["mask"])
        assert row.id.endswith(f"#{row.split}") and row.patient_id + f"#{row.split}" == row.id


def test_label_file_naming_an_absent_image(root):
    with (root / "train-rle.csv").open("a") as stream:
        stream.write("\n1.2.276.99, -1")
    with pytest.raises(BenchError, match=r"train-rle.csv: 1 of 21 images .*1\.2\.276\.99\.dcm"):
        siim_acr.read(root)


def test_renamed_column(root, write_text):
    write_text(root / "train-rle.csv", "ImageId, Encoded Pixels\na, -1\n")
    with pytest.raises(BenchError, match="'EncodedPixels' missing"):
        siim_acr.read(root)


# --- the PNG re-pack ---


@pytest.mark.parametrize("inner", ["", "siim-acr-pneumothorax"])
def test_png_repack(tmp_path, inner):
    dense_miniatures.siim_acr_png(tmp_path / inner)
    data = siim_acr.read(tmp_path)
    assert len(data) == 20 and data.table["Pneumothorax"].sum() == 5 and data.path(0).is_file()
    assert data.notes == ("layout found: PNG re-pack",)
    masks = dict(zip(data.table["id"], data.table["mask"], strict=True))
    assert masks["1.2.276.16"].decode(8, 8)[2:5, 1:4].all() and masks["1.2.276.16"].decode(8, 8).sum() == 9
    assert not masks["1.2.276.17"].decode(8, 8).any()
    problems = {found.kind for found in check(data).findings if found.level == "problem"}
    assert problems <= {"same image"}, "the miniature repeats its images"


def test_both_layouts_are_split_alike(tmp_path):
    """The same images by the same ids: one default split, and with the run-length file MGCA's too."""
    original = siim_acr.read(dense_miniatures.siim_acr(tmp_path / "dicom"))
    place = dense_miniatures.siim_acr_png(tmp_path / "png")
    assert siim_acr.read(place).split_summary()["hash"] == original.split_summary()["hash"]
    with pytest.raises(BenchError, match="rule 'mgca' splits the lines of train-rle.csv.*\n.*fix: put"):
        siim_acr.read(place, split="mgca")
    (place / "train-rle.csv").write_text((tmp_path / "dicom/train-rle.csv").read_text())
    for rule in ("default", "mgca"):
        one, other = (siim_acr.read(tmp_path / kind, split=rule) for kind in ("dicom", "png"))
        assert one.split_summary()["hash"] == other.split_summary()["hash"]
        assert [m.runs for m in one.table["mask"]] == [m.runs for m in other.table["mask"]]
        assert other.table["image"].str.startswith("png_images/").all()


def test_benchx_goes_by_the_names_of_the_repack(tmp_path, root, write_text):
    with pytest.raises(BenchError, match="'benchx' uses the file names of the PNG re-pack"):
        siim_acr.read(root, split="benchx")
    place = dense_miniatures.siim_acr_png(tmp_path / "png")
    with pytest.raises(BenchError, match="benchx/train.txt: this list is missing"):
        siim_acr.read(place, split="benchx")
    lists = {"train": "0_train_1_\n1_train_0_", "val": "4_train_1_", "test": "0_test_1_\n3_test_0_"}
    for name, text in lists.items():
        write_text(place / f"benchx/{name}.txt", text)
    table = siim_acr.read(place, split="benchx").table
    assert table["id"].tolist() == [f"1.2.276.{n}" for n in (0, 1, 4, 16, 19)]
    assert table["split"].tolist() == ["train", "train", "valid", "test", "test"]


def test_label_of_the_repack_that_is_none(tmp_path):
    place = dense_miniatures.siim_acr_png(tmp_path / "png") / "stage_1_test_images.csv"
    place.write_text(place.read_text().replace("1.2.276.17,0", "1.2.276.17,7"))
    with pytest.raises(BenchError, match=r"stage_1_test_images.csv, line 3: has_pneumo is '7'"):
        siim_acr.read(tmp_path / "png")


# --- the real file ---


@pytest.fixture(scope="module")
def real_runs(tmp_path_factory, real_annotations):
    root = tmp_path_factory.mktemp("siim")
    (root / "train-rle.csv.gz").symlink_to(real_annotations / "siim-pneumothorax-train-rle.csv.gz")
    return siim_acr.read_runs(root / "train-rle.csv.gz")


def test_real_counts(real_runs):
    assert len(real_runs) == 12_954
    images = siim_acr.by_image(real_runs)
    assert len(images) == 12_047 and int(images["Pneumothorax"].sum()) == 2669
    assert sum(len(mask.runs) for mask in images["mask"]) == 3576


def test_real_mgca_split_with_its_leak(real_runs):
    split = siim_acr.mgca_split(real_runs)
    groups = split.groupby("split")
    sizes = {
        s: (len(groups.get_group(s)), int(groups.get_group(s)["Pneumothorax"].sum())) for s in groups.groups
    }
    assert sizes == {"train": (8578, 2002), "valid": (1910, 535), "test": (1903, 476)}
    rows = groups["mask"].agg(lambda masks: sum(max(len(m.runs), 1) for m in masks))
    # a negative is one row of the file, a region too
    assert rows.to_dict() == {"train": 9067, "valid": 1944, "test": 1943}
    images = groups["image_id"].agg(set)
    shared = [
        len(images[a] & images[b]) for a, b in (("train", "test"), ("train", "valid"), ("valid", "test"))
    ]
    assert shared == [154, 161, 62]
    whole = siim_acr.by_image(real_runs).set_index("id")["mask"]
    test = groups.get_group("test")
    incomplete = [
        len(m.runs) < len(whole[i].runs) for m, i in zip(test["mask"], test["image_id"], strict=True)
    ]
    assert sum(incomplete) == 183


def test_real_default_split_leaks_nothing_and_is_even(real_runs):
    split = siim_acr.image_split(real_runs)
    assert split["id"].is_unique and len(split) == 12_047
    shares = split.groupby("split")["Pneumothorax"].mean()
    assert shares.max() - shares.min() < 0.001


def test_real_masks_decode(real_runs):
    masks = siim_acr.by_image(real_runs)["mask"]
    positive = [mask for mask in masks if mask.runs][:200]
    areas = np.array([mask.decode(1024, 1024).mean() for mask in positive])
    assert (areas > 0).all() and areas.max() < 0.25
