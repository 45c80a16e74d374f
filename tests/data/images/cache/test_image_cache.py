import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from prior_bench.api import InputSpec
from prior_bench.data.images.cache import build as building
from prior_bench.data.images.cache.build import build
from prior_bench.data.images.cache.image_cache import ImageCache, outdated, place_of
from prior_bench.data.images.cache.reference import use_cache
from prior_bench.data.images.cache.shard import Entry, write_shard
from prior_bench.data.images.dataset import ImageDataset
from prior_bench.data.images.decode import reduced
from prior_bench.data.images.geometry import Geometry
from prior_bench.data.images.read import image_size, read_image
from prior_bench.data.images.transforms import dense_transform, eval_transform
from prior_bench.errors import BenchError
from prior_bench.store.changed_source import warn_of_cache
from prior_bench.versions import MACHINERY

SIZE = 48


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    monkeypatch.setattr(building, "SHARD_IMAGES", 5)


def cached(manifest, size=SIZE):
    return use_cache(manifest, size, "originals")


def test_cached_pixels_equal_decoding_and_reducing_on_the_fly_bit_for_bit(originals):
    built = build(originals, SIZE, workers=2)
    assert (built.made, built.kept, built.unreadable) == (12, 0, {})
    small = cached(originals)
    for row in range(len(originals)):
        there = read_image(small.path(row))
        now = reduced(read_image(originals.path(row)), SIZE)
        assert there.dtype == np.uint8 and there.shape == image_size(small.path(row))
        np.testing.assert_array_equal(there, now)
        assert max(there.shape) == min(SIZE, max(read_image(originals.path(row)).shape))


def test_networks_are_fed_the_same(originals):
    build(originals, SIZE)
    transform = eval_transform(InputSpec(size=32))
    served = ImageDataset(cached(originals), transform)
    for row in range(len(originals)):
        now = transform(reduced(read_image(originals.path(row)), SIZE))
        assert torch.equal(served[row][0], now)


@pytest.mark.parametrize("mode", ["pad", "squash", "crop"])
def test_boxes_and_masks_fall_on_the_same_places_of_the_input(originals, mode):
    build(originals, SIZE)
    small = cached(originals)
    feed = dense_transform(InputSpec(size=64, resize=mode))
    for row in range(len(originals)):
        shape = read_image(originals.path(row)).shape
        boxes, direct = (m.table["boxes"].iat[row] for m in (small, originals))
        image = read_image(small.path(row))
        drawn = small.table["mask"].iat[row].decode(*image.shape)
        assert drawn.shape == image.shape and drawn.dtype == np.uint8
        _, placed, mask, geometry = feed(image, boxes, drawn)
        straight = Geometry.of(*shape, 64, mode)
        expected = straight.boxes(direct)
        expected[:, :4] = expected[:, :4].clip(0, 64)
        # whole pixels of the reduced image: half a pixel of it, seen in the input
        off = 0.75 * 64 / min(image.shape)
        np.testing.assert_allclose(placed, expected, atol=off)
        full = originals.table["mask"].iat[row].decode(*shape)
        there = straight.mask(torch.from_numpy(full))
        assert (mask != there).float().mean() < 0.12
        back = geometry.to_original(placed) * (
            np.array([shape[1], shape[0]] * 2 + [1]) / [*image.shape[::-1], *image.shape[::-1], 1]
        )
        if mode != "crop":
            np.testing.assert_allclose(back, direct, atol=1.0)


def test_small_images_keep_their_mask(originals):
    build(originals, 500)
    small = cached(originals, 500)
    assert list(small.table["mask"]) == list(originals.table["mask"])
    np.testing.assert_array_equal(small.table["boxes"].iat[2], originals.table["boxes"].iat[2])


def test_a_second_call_makes_nothing_and_another_size_is_another_cache(originals):
    build(originals, SIZE)
    times = {p: p.stat().st_mtime_ns for p in place_of(originals.root, SIZE).glob("*.safetensors")}
    assert len(times) == 3
    again = build(originals, SIZE)
    assert (again.made, again.kept) == (0, 12)
    assert times == {p: p.stat().st_mtime_ns for p in times}
    assert build(originals, 32).made == 12
    assert place_of(originals.root, 32) != place_of(originals.root, SIZE)


def test_images_that_arrive_later_are_added(originals):
    assert build(originals.select(np.arange(7)), SIZE).made == 7
    with pytest.raises(BenchError, match="5 of 12 images are not in the image cache.*\n.*data cache"):
        cached(originals)
    added = build(originals, SIZE)
    assert (added.made, added.kept) == (5, 7)
    assert len(cached(originals)) == 12


@pytest.mark.parametrize("damage", ["flip", "cut", "empty"])
def test_a_damaged_shard_is_found_and_only_it_is_made_anew(originals, damage):
    build(originals, SIZE)
    whole = {n: a.copy() for n, a in ImageCache.load(place_of(originals.root, SIZE)).stream()}
    shard = ImageCache.load(place_of(originals.root, SIZE)).shards[1].path
    content = bytearray(shard.read_bytes())
    if damage == "flip":
        content[-7] ^= 1
    shard.write_bytes({"flip": content, "cut": content[:-100], "empty": b""}[damage])
    with pytest.raises(BenchError, match="damaged shard.*\n.*data cache"):
        small = cached(originals)
        [read_image(small.path(row)) for row in range(len(small))]
    built = build(originals, SIZE)
    assert list(built.dropped) == [shard]
    assert (built.made, built.kept) == (5, 7)
    now = dict(ImageCache.load(place_of(originals.root, SIZE)).stream())
    assert whole.keys() == now.keys()
    assert all(np.array_equal(whole[name], now[name]) for name in whole)


def test_a_changed_original_is_noticed_and_read_again(originals):
    build(originals, SIZE)
    before = cached(originals)
    Image.fromarray(np.full((60, 50), 200, np.uint8)).save(originals.path(1))
    with pytest.raises(BenchError, match="1 of 12 images have changed"):
        cached(originals)
    assert build(originals, SIZE).dropped
    after = cached(originals)
    assert (read_image(after.path(1)) == 200).all()
    assert before.fingerprint() != after.fingerprint() != originals.fingerprint()


def test_unreadable_images_are_listed_and_stop_nothing(originals):
    originals.path(1).write_bytes(b"")
    originals.path(3).write_bytes(originals.path(3).read_bytes()[:60])
    originals.path(4).unlink()
    for made in (12, 0):  # the second time from what is noted
        built = build(originals, SIZE)
        assert built.made == made
        assert set(built.unreadable) == {str(originals.path(row)) for row in (1, 3, 4)}
        assert "file is empty" in built.unreadable[str(originals.path(1))]
    small = cached(originals)
    assert read_image(small.path(0)).max() > 0
    for look in (read_image, image_size):
        with pytest.raises(BenchError, match="b/001.png: file is empty.*\n.*download the file again"):
            look(small.path(1))


def test_images_are_streamed_in_the_order_of_their_names(originals):
    build(originals.select(np.arange(11, -1, -1)), SIZE)
    names = [name for name, _ in ImageCache.load(place_of(originals.root, SIZE)).stream()]
    assert names == sorted(originals.table["image"])


def test_absolute_paths_are_cached_too(originals):
    table = originals.table.assign(image=[str(originals.root / name) for name in originals.table["image"]])
    from dataclasses import replace

    elsewhere = replace(originals, table=table)
    build(elsewhere, SIZE)
    small = cached(elsewhere)
    np.testing.assert_array_equal(read_image(small.path(0)), reduced(read_image(originals.path(0)), SIZE))


def test_fingerprint_is_of_the_content_and_parts_keep_it(originals, tmp_path, monkeypatch):
    build(originals, SIZE)
    first = cached(originals)
    monkeypatch.setenv("PRIOR_BENCH_CACHE", str(tmp_path / "elsewhere"))
    build(originals, SIZE)
    second = cached(originals)
    assert first.root != second.root
    assert first.fingerprint() == second.fingerprint()
    assert first.split("test").fingerprint() == second.split("test").fingerprint()


def test_bad_sizes_and_a_cache_at_work_are_refused(originals):
    with pytest.raises(BenchError, match="size 3"):
        build(originals, 3)
    with building._alone(place_of(originals.root, SIZE)), pytest.raises(BenchError, match="another process"):
        build(originals, SIZE)


def test_a_full_disk_loses_nothing_that_was_finished(originals, monkeypatch):
    written = []

    def fill(path, shard, *source):
        if written:
            raise BenchError("cannot be written (No space left on device)", where=path)
        written.append(path)
        return real(path, shard, *source)

    real = building.write_shard
    monkeypatch.setattr(building, "write_shard", fill)
    with pytest.raises(BenchError, match="No space left"):
        build(originals, SIZE)
    monkeypatch.setattr(building, "write_shard", real)
    assert build(originals, SIZE).kept == 5


def test_caches_of_other_code_are_named(originals, monkeypatch):
    build(originals, SIZE)
    old = place_of(originals.root, SIZE)
    monkeypatch.setattr("prior_bench.data.images.cache.image_cache.recipe", lambda: "other")
    assert outdated(originals.root, SIZE) == [old]


def test_other_source_code_is_said_and_changes_nothing(originals, monkeypatch, capsys):
    folder = build(originals, SIZE).folder
    use_cache(originals, SIZE, "x")
    assert capsys.readouterr().err == ""
    module = "prior_bench.data.images.cache.reference"
    monkeypatch.setattr(f"{module}.source_now", lambda: "other")
    warn_of_cache.cache_clear()
    for _ in range(2):
        assert use_cache(originals, SIZE, "x").root == folder
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and f"delete {folder}" in lines[0] and "different source code" in lines[0]
    warn_of_cache.cache_clear()
    patched = {**MACHINERY, "images": replace(MACHINERY["images"], version=9)}
    monkeypatch.setattr("prior_bench.data.images.cache.image_cache.MACHINERY", patched)
    assert outdated(originals.root, SIZE) == [folder] and place_of(originals.root, SIZE).name.count("-v9.")


def test_loader_processes_read_the_same(originals):
    build(originals, SIZE)
    served = ImageDataset(cached(originals), eval_transform(InputSpec(size=32)))
    alone, shared = (DataLoader(served, 4, num_workers=workers) for workers in (0, 2))
    for (one, rows), (other, same) in zip(alone, shared, strict=True):
        assert torch.equal(one, other) and torch.equal(rows, same)


def test_others_may_read_the_cache_where_the_umask_lets_them(originals):
    before = os.umask(0o022)
    try:
        folder = build(originals, SIZE).folder
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in folder.glob("*.safetensors")} == {0o644}


def test_a_disk_that_is_really_full_leaves_no_half_file(tmp_path, monkeypatch):
    images = {"a": (np.zeros((4, 4), np.uint8), Entry((1, 1), (4, 4), (4, 4), 0))}
    monkeypatch.setattr(Path, "write_bytes", lambda _, content: open("/dev/full", "wb", 0).write(content))
    with pytest.raises(BenchError, match="No space left.*\n.*make room"):
        write_shard(tmp_path / "place.safetensors", images)
    assert not list(tmp_path.iterdir())
