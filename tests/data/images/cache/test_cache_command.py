"""``prior-bench data cache`` and references with ``cache=SIZE``, the process killed for real included."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from prior_bench import cli
from prior_bench.data.images.cache.image_cache import ImageCache
from prior_bench.data.images.decode import reduced
from prior_bench.data.images.read import read_image
from prior_bench.data.open import open_dataset
from prior_bench.data.references import resolve
from prior_bench.errors import BenchError
from prior_bench.suites.resolve import data_reference

SMALL_SHARDS = """
import sys
from prior_bench.cli import main
from prior_bench.data.images.cache import build
build.SHARD_IMAGES = 8
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def images(tmp_path, monkeypatch) -> Path:
    """A CSV of 80 images, which are a few under many names."""
    monkeypatch.setenv("PRIOR_BENCH_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    for i in range(4):
        Image.fromarray(rng.integers(0, 255, (500, 400), dtype=np.uint8)).save(tmp_path / f"{i}.jpg")
    for i in range(80):
        os.link(tmp_path / f"{i % 4}.jpg", tmp_path / f"image{i:02d}.jpg")
    lines = [f"image{i:02d}.jpg,{i % 2},p{i},{'train' if i < 60 else 'test'}" for i in range(80)]
    table = tmp_path / "mine.csv"
    table.write_text("\n".join(["image,edema,patient_id,split", *lines]))
    return table


def shards(folder: Path) -> dict[Path, int]:
    return {p: p.stat().st_mtime_ns for p in folder.glob("cache/images/*.imagecache/*.safetensors")}


def test_killed_twice_it_goes_on_where_it_was(images, tmp_path):
    command = [sys.executable, "-c", SMALL_SHARDS, "data", "cache", str(images), "--size", "64"]
    before: dict[Path, int] = {}
    for moment in (2, 5):
        process = subprocess.Popen([*command, "--workers", "2"])
        while len(shards(tmp_path)) < moment and process.poll() is None:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "it ended before it could be killed"
        now = shards(tmp_path)
        assert before.items() <= now.items(), "a finished shard was written again"
        before = now
    folder = next(iter(before)).parent
    (folder / ".half.host-1-0a.part").write_bytes(b"half")
    os.utime(folder / ".half.host-1-0a.part", (0, 0))  # of another host, and old
    last = subprocess.run(command, capture_output=True, text=True)
    assert last.returncode == 0, last.stderr
    kept = 8 * len(before)
    assert f"{80 - kept} images cached, {kept} already present" in last.stdout
    assert before.items() <= shards(tmp_path).items()
    assert not list(folder.glob(".*.part"))
    cache = ImageCache.load(folder)
    expected = [reduced(read_image(tmp_path / f"{i}.jpg"), 64) for i in range(4)]
    assert [name for name, _ in cache.stream()] == [f"image{i:02d}.jpg" for i in range(80)]
    for i in range(80):
        np.testing.assert_array_equal(cache.read(f"image{i:02d}.jpg"), expected[i % 4])


def test_command_then_reference(images, tmp_path, capsys):
    (tmp_path / "image03.jpg").unlink()
    (tmp_path / "image03.jpg").write_bytes(b"nothing")
    assert cli.main(["data", "cache", str(images), "--size", "64"]) == 1
    out, err = capsys.readouterr()
    assert "mine: 80 images cached, 0 already present" in out
    assert "error: 1 image(s) cannot be read; all others are cached:\n- " in err
    assert "image03.jpg: not a readable image" in err
    os.replace(tmp_path / "0.jpg", tmp_path / "image03.jpg")
    assert cli.main(["data", "cache", str(images), "--size", "64"]) == 0
    assert "an original has changed" in capsys.readouterr().out

    small = open_dataset({**resolve(str(images)), "cache": 64})
    assert read_image(small.path(3)).shape == (64, 51)
    assert small.split_summary()["notes"] == ["images reduced to a longest side of 64 pixels (image cache)"]
    assert small.split_summary()["hash"] == open_dataset(str(images)).split_summary()["hash"]
    assert cli.main(["data", "check", str(images), "--set", "cache=64", "--quick"]) == 0


def test_without_a_cache_the_message_names_the_command(images):
    with pytest.raises(
        BenchError, match=r"no image cache of size 32\n.*prior-bench data cache '.*mine.csv' --"
    ):
        open_dataset({**resolve(str(images)), "cache": 32})


def test_references_of_suites_take_the_option_and_check_it(images):
    assert data_reference({"type": "csv", "root": str(images), "cache": 64})["cache"] == 64
    with pytest.raises(BenchError, match="cache: is 'big'"):
        data_reference({"type": "csv", "root": str(images), "cache": "big"})
