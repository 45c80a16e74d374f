"""Features that are written block by block are those at once, also if the process was killed in between."""

import json
import os
import shutil
import subprocess
import sys
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest

from prior_bench.errors import BenchError, StorageError
from prior_bench.features import blocks, cache
from prior_bench.features.blocks import DONE, GROWING, VALUES, write_blocks
from prior_bench.features.extract import extract
from prior_bench.mock import mock_backbone

ROWS, WIDTH, BATCH, BLOCK = 100, 6, 8, 24


def values_of(rows=ROWS, width=WIDTH):
    return np.random.default_rng(0).normal(size=(rows, width)).astype(np.float32)


class Source:
    """Batches of known values, which may be killed ahead of a row."""

    def __init__(self, killed_at=None, error=KeyboardInterrupt):
        self.values, self.killed_at, self.error, self.asked = values_of(), killed_at, error, []

    def __call__(self, done):
        self.asked.append(done)
        for start in range(done, ROWS, BATCH):
            if self.killed_at is not None and start >= self.killed_at:
                raise self.error
            yield self.values[start : start + BATCH]


def written(path, source, dtype="float32", key="k"):
    write_blocks(path, ROWS, source, {"key": key, "source": "s"}, dtype=dtype, block=BLOCK)
    return cache._read(path, "s", dtype, ROWS)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "features" / "one.safetensors"


def growing(path):
    return path.with_name(path.name + GROWING)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_what_is_read_is_what_was_computed(path, dtype):
    found = written(path, Source(), dtype)
    assert found.dtype == dtype and np.array_equal(found, values_of().astype(dtype))
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    never = Source()
    assert np.array_equal(written(path, never, dtype), found) and never.asked == []


@pytest.mark.parametrize("killed_at", [0, 8, 24, 40, 48, 96])
def test_a_killed_process_is_gone_on_from_its_last_block(path, killed_at):
    whole = written(path.with_name("whole.safetensors"), Source())
    with pytest.raises(KeyboardInterrupt):
        written(path, Source(killed_at))
    assert not path.exists()
    second = Source()
    found = written(path, second)
    assert second.asked == [killed_at // BLOCK * BLOCK]
    assert found.tobytes() == whole.tobytes()
    assert path.read_bytes() == path.with_name("whole.safetensors").read_bytes()
    assert not growing(path).exists()


def cut(folder):
    os.truncate(folder / VALUES, (folder / VALUES).stat().st_size - 1)


def flip(folder):
    content = bytearray((folder / VALUES).read_bytes())
    content[-1] ^= 1
    (folder / VALUES).write_bytes(content)


def half_a_block_more(folder):
    with open(folder / VALUES, "ab") as file:
        file.write(b"\xff" * 100)


def half_a_line(folder):
    os.truncate(folder / DONE, (folder / DONE).stat().st_size - 5)


def strange_lines(folder):
    (folder / DONE).write_text('{"rows": -1, "columns": 6, "crc": 0}\n')


def too_wide(folder):
    (folder / DONE).write_text('{"rows": 24, "columns": 99999999999, "crc": 0}\n')


def endless_lines(folder):
    (folder / DONE).write_text('{"rows": Infinity, "columns": 6, "crc": 0}\n')


def deep_lines(folder):
    (folder / DONE).write_text("[" * 200_000)


def a_block_that_is_not_there(folder):
    """Its line states 100 rows of a million numbers, and the file has none."""
    text = json.dumps({"rows": ROWS, "columns": 1 << 20, "crc": 0}) + "\n"
    (folder / DONE).write_text(text)
    growth = blocks._Growing(folder, ROWS, {"key": "k", "source": "s"}, "float32")
    growth.columns = 1 << 20
    (folder / VALUES).write_bytes(growth._header())


def lines_that_are_mostly_holes(folder):
    os.truncate(folder / DONE, 6 << 30)


def pipe_for_values(folder):
    (folder / VALUES).unlink()
    os.mkfifo(folder / VALUES)


def pipe_for_lines(folder):
    (folder / DONE).unlink()
    os.mkfifo(folder / DONE)


@pytest.mark.parametrize(
    ("spoil", "done"),
    [(endless_lines, 0), (deep_lines, 0), (a_block_that_is_not_there, 0), (lines_that_are_mostly_holes, 48)]
    + [(pipe_for_values, 0), (pipe_for_lines, 0)],
)
def test_blocks_of_somebody_else_are_data(path, spoil, done):
    test_blocks_that_are_not_whole_are_computed_again(path, spoil, done)


@pytest.mark.parametrize(
    ("dtype", "shape"),
    [("BF16", [4, 3]), ("F64", [4, 3]), ("F16", [4, 3]), ("F32", [5, 3]), ("F32", [4]), ("F32", [4, 3, 1])],
)
def test_a_stored_array_of_another_type_or_shape_is_made_anew(path, dtype, shape):
    size = int(np.prod(shape)) * {"BF16": 2, "F16": 2, "F32": 4, "F64": 8}[dtype]
    tensor = {"dtype": dtype, "shape": shape, "data_offsets": [0, size]}
    text = json.dumps({"__metadata__": {"source": "s"}, "values": tensor}).encode()
    path.parent.mkdir()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(size))
    context = SimpleNamespace(cache_dir=path.parent.parent, device="cpu")
    place, _ = cache._place(context, "features", {}, "s")
    path.rename(place)
    ones = np.ones((4, 3), np.float32)
    found = cache.cached_rows(context, "features", {}, 4, lambda done: iter([ones[done:]]), "s")
    assert found.dtype == np.float32 and np.array_equal(found, ones)


@pytest.mark.parametrize(
    ("spoil", "done"),
    [(cut, 24), (flip, 24), (half_a_block_more, 48), (half_a_line, 24), (strange_lines, 0), (too_wide, 0)],
)
def test_blocks_that_are_not_whole_are_computed_again(path, spoil, done):
    with pytest.raises(KeyboardInterrupt):
        written(path, Source(killed_at=50))
    spoil(growing(path))
    second = Source()
    assert np.array_equal(written(path, second), values_of()) and second.asked == [done]


def test_blocks_of_other_code_do_not_count(path):
    with pytest.raises(KeyboardInterrupt):
        written(path, Source(killed_at=50), key="other")
    second = Source()
    assert np.array_equal(written(path, second), values_of()) and second.asked == [0]


def test_an_error_leaves_nothing_behind(path):
    with pytest.raises(BenchError, match="cannot be read"):
        written(path, Source(killed_at=50, error=BenchError("cannot be read")))
    assert list(path.parent.iterdir()) == []


def test_a_full_disk_is_said(path, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("prior_bench.features.blocks.os.fsync", full)
    with pytest.raises(StorageError, match="needed: 2,400 bytes"):
        written(path, Source())
    assert list(path.parent.iterdir()) == []


def test_no_more_than_some_blocks_are_in_memory(tmp_path):
    rows, width, block = 4096, 256, 256

    def batches(done):
        for start in range(done, rows, 64):
            yield np.full((64, width), start, dtype=np.float32)

    tracemalloc.start()
    write_blocks(tmp_path / "a.safetensors", rows, batches, {"source": ""}, dtype="float32", block=block)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * block * width * 4 < rows * width * 4 / 3


# --- of a backbone ---


@pytest.fixture
def in_blocks(monkeypatch):
    monkeypatch.setattr(cache, "BLOCK", 32)


def test_features_in_blocks_are_those_at_once(tiny, context, monkeypatch):
    whole = extract(mock_backbone(), tiny, context)
    shutil.rmtree(context.cache_dir)
    monkeypatch.setattr(cache, "BLOCK", 32)
    assert np.array_equal(extract(mock_backbone(), tiny, context), whole)
    again = mock_backbone()
    assert np.array_equal(extract(again, tiny, context), whole) and again.image_encoder.images_seen == 0


def test_a_killed_extraction_computes_the_rest_alone(tiny, context, monkeypatch, in_blocks):
    backbone = mock_backbone()
    forward, calls = backbone.image_encoder.forward, []

    def killed(images):
        calls.append(len(images))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return forward(images)

    monkeypatch.setattr(backbone.image_encoder, "forward", killed)
    with pytest.raises(KeyboardInterrupt):
        extract(backbone, tiny, context)
    second = mock_backbone()
    found = extract(second, tiny, context)
    assert second.image_encoder.images_seen == 28
    shutil.rmtree(context.cache_dir)
    assert np.array_equal(found, extract(mock_backbone(), tiny, context))


def test_a_spoiled_file_of_blocks_is_made_anew(tiny, context, in_blocks):
    first = np.array(extract(mock_backbone(), tiny, context))
    (path,) = context.cache_dir.rglob("*.safetensors")
    path.write_bytes(path.read_bytes()[:100])
    assert np.array_equal(extract(mock_backbone(), tiny, context), first)


def test_without_a_cache_it_goes_on_in_memory(tiny, context, in_blocks, capsys, monkeypatch):
    monkeypatch.setattr(cache, "_said", False)
    whole = np.array(extract(mock_backbone(), tiny, context))
    shutil.rmtree(context.cache_dir)
    context.cache_dir.write_text("a file in its place")
    assert np.array_equal(extract(mock_backbone(), tiny, context), whole)
    assert "going on without the cache" in capsys.readouterr().err


def test_half_precision_is_another_array(tiny, context):
    whole = extract(mock_backbone(), tiny, context)
    half = extract(mock_backbone(), tiny, context, stored="float16")
    assert half.dtype == np.float16 and np.array_equal(half, whole.astype(np.float16))
    assert len(list(context.cache_dir.rglob("*.safetensors"))) == 2
    with pytest.raises(BenchError, match="did you mean float16"):
        extract(mock_backbone(), tiny, context, stored="float61")


def test_features_beyond_half_precision_are_refused(tiny, context, monkeypatch):
    backbone = mock_backbone()
    monkeypatch.setattr(backbone.image_encoder, "forward", large(backbone.image_encoder.forward))
    with pytest.raises(BenchError, match=r"beyond float16[\s\S]*float32"):
        extract(backbone, tiny, context, stored="float16")


def large(forward):
    def scaled(images):
        found = forward(images)
        return found._replace(global_=found.global_ * 1e6)

    return scaled


KILLED = """
import sys, os, signal, pathlib
sys.path.insert(0, os.path.dirname({here!r}))
import test_blocks as t
path = pathlib.Path({path!r})
source = t.Source()
def batches(done):
    for number, batch in enumerate(source(done)):
        if number == 7:
            os.kill(os.getpid(), signal.SIGKILL)
        yield batch
t.written(path, batches)
"""


@pytest.mark.slow
def test_a_process_that_was_really_killed(path):
    path.parent.mkdir()
    code = KILLED.format(here=__file__, path=str(path))
    assert subprocess.run([sys.executable, "-c", code]).returncode == -9
    assert growing(path).is_dir() and not path.exists()
    second = Source()
    assert np.array_equal(written(path, second), values_of()) and second.asked == [48]
