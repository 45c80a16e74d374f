"""MedMNIST+: small ``.npz`` files in the layout of the real ones."""

import miniatures
import numpy as np
import pytest
from miniatures import medmnist_arrays
from PIL import Image

from prior_bench.data.checking.check import check
from prior_bench.data.images.read import read_image
from prior_bench.data.open import open_dataset
from prior_bench.data.readers import medmnist
from prior_bench.errors import BenchError


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("PRIOR_BENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "medmnist").mkdir()
    return miniatures.medmnist(tmp_path / "medmnist")


def test_images_come_out_as_they_are_stored(root):
    data = medmnist.read(root)
    assert data.notes == ("file found: chestmnist_64.npz (64 x 64 pixels)",)  # the largest
    assert len(data.labels) == 14 and data.table["split"].value_counts().to_dict() == {
        "train": 12,
        "test": 6,
        "valid": 4,
    }
    stored = medmnist_arrays(14, 64)
    for row in (0, 11, 12, 21):
        part, _, number = data.table["id"][row].partition("/")
        np.testing.assert_array_equal(read_image(data.path(row)), stored[f"{part}_images"][int(number)])
        np.testing.assert_array_equal(data.targets()[row], stored[f"{part}_labels"][int(number)])
    assert check(data).usable
    assert read_image(medmnist.read(root, size=28).path(0)).shape == (28, 28)


def test_unpacking_goes_on_where_it_was_killed(root):
    data = medmnist.read(root)
    (data.root / "train/complete").unlink()
    data.path(5).unlink()
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(data.path(3))  # would show if written again
    again = medmnist.read(root)
    assert again.path(5).is_file() and not read_image(again.path(3)).any()
    assert again.split_summary() == data.split_summary()
    assert not list(data.root.rglob("*.part"))


def test_another_file_of_the_name_is_unpacked_anew(root):
    old = medmnist.read(root)
    np.savez_compressed(root / "chestmnist_64.npz", **medmnist_arrays(14, 64, seed=1))
    new = medmnist.read(root)
    assert new.root != old.root
    np.testing.assert_array_equal(read_image(new.path(0)), medmnist_arrays(14, 64, seed=1)["train_images"][0])


def test_subset_and_size_have_to_be_there(root):
    with pytest.raises(
        BenchError, match="chestmnist_224.npz is missing\n  fix: put it there; found: chestmnist.npz"
    ):
        medmnist.read(root, size=224)
    with pytest.raises(BenchError, match="size 32 is not one of 28, 64, 128, 224"):
        medmnist.read(root, size=32)
    with pytest.raises(BenchError, match="did you mean chestmnist"):
        medmnist.read(root, subset="chestmnst")
    np.savez_compressed(root / "pneumoniamnist.npz", **medmnist_arrays(1, 28))
    with pytest.raises(BenchError, match="there are several subsets.*\n  fix: pass subset=chestmnist"):
        medmnist.read(root)
    data = medmnist.read(root, subset="pneumoniamnist")
    assert data.labels == ("pneumonia",) and len(data) == 22


def test_a_single_file_is_enough_by_its_folder_or_by_its_name(tmp_path, monkeypatch):
    monkeypatch.setenv("PRIOR_BENCH_CACHE", str(tmp_path / "cache"))
    place = tmp_path / "pneumoniamnist.npz"
    np.savez_compressed(place, **medmnist_arrays(1, 28))
    data = open_dataset(f"medmnist@{tmp_path}")
    assert data.labels == ("pneumonia",) and len(data) == 22 and check(data).usable
    for reference in (f"medmnist@{place}", str(place)):
        by_name = open_dataset(reference)
        assert by_name.name == "medmnist" and by_name.fingerprint() == data.fingerprint()
    with pytest.raises(BenchError, match="contains pneumoniamnist of 28 pixels, not chestmnist"):
        medmnist.read(place, subset="chestmnist")
    with pytest.raises(BenchError, match="contains pneumoniamnist of 28 pixels, not of 64"):
        medmnist.read(place, size=64)
    other = place.rename(tmp_path / "breastmnist.npz")
    with pytest.raises(BenchError, match="is not a supported file of MedMNIST\n  fix: known: chestmnist.npz"):
        open_dataset(str(other))


def test_a_full_disk_is_not_taken_for_a_damaged_archive(root, tmp_path, monkeypatch):
    def full(*paths):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(BenchError, match="No space left.*\n.*make room"):
        patch.setattr("prior_bench.io.atomic.os.replace", full)
        medmnist.read(root)
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert len(medmnist.read(root)) == 22


def test_damaged_files(root):
    place = root / "chestmnist_64.npz"
    whole = place.read_bytes()
    place.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(
        BenchError, match=r"chestmnist_64.npz: archive is truncated or damaged .*\n  fix: download it"
    ):
        medmnist.read(root)
    content = medmnist_arrays(14, 64)
    np.savez_compressed(place, **{name: a for name, a in content.items() if name != "val_labels"})
    with pytest.raises(BenchError, match="contains no array 'val_labels'"):
        medmnist.read(root)
    np.savez_compressed(place, **{name: a for name, a in content.items() if name != "val_images"})
    with pytest.raises(BenchError, match="contains no array 'val_images'"):
        medmnist.read(root)
    np.savez_compressed(place, **{**content, "test_labels": content["test_labels"][:, :3]})
    with pytest.raises(BenchError, match=r"'test_labels' is \(6, 3\) for 6 images"):
        medmnist.read(root)
    np.savez_compressed(place, **{**content, "train_images": content["train_images"].astype(float)})
    with pytest.raises(BenchError, match="array 'train_images' is float64"):
        medmnist.read(root)
