"""SIIM-ACR Pneumothorax: a miniature of the layout, and the real run-length file."""

import numpy as np
import pytest

from prior_bench.data import siim_acr
from prior_bench.data.annotations import RleMask
from prior_bench.errors import BenchError

HEADERS = ["ImageId, EncodedPixels", "ImageId,EncodedPixels"]


def write(root, write_dicom, write_text, header=HEADERS[0], negative=" -1"):
    lines = [header]
    for number in range(20):
        image = f"1.2.276.{number}"
        folder = root / f"dicom-images-train/1.2.1.{number}/1.2.2.{number}"
        folder.mkdir(parents=True)
        write_dicom(folder / f"{image}.dcm", np.full((8, 8), 9, np.uint8))
        if number % 4 == 0:
            lines += [f"{image}, 0 3 5 2", f"{image}, 60 4"]
        else:
            lines.append(f"{image},{negative}")
    write_text(root / "train-rle.csv", "\n".join(lines))
    return root


@pytest.fixture
def root(tmp_path, write_dicom, write_text):
    return write(tmp_path, write_dicom, write_text)


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("negative", [" -1", "-1", "-1 ", ""])
def test_every_spelling_of_header_and_negative(tmp_path, write_dicom, write_text, header, negative):
    data = siim_acr.read(write(tmp_path, write_dicom, write_text, header, negative))
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
