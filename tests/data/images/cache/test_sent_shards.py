"""Shards of somebody else are data: whatever their headers say, they are used, made anew or named."""

import json
import os

import pytest

from prior_bench.data.images.cache.build import build
from prior_bench.data.images.cache.reference import use_cache
from prior_bench.errors import BenchError

SIZE = 48


@pytest.fixture
def shard(originals):
    """The file of a cache's only shard."""
    (found,) = build(originals, SIZE).folder.glob("*.safetensors")
    return found


def change(shard, edit):
    """Write a shard anew whose header, and entries in it, were edited."""
    content = shard.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    entries = json.loads(header["__metadata__"]["images"])
    found = edit(header, entries)
    header["__metadata__"]["images"] = json.dumps(entries) if found is None else found
    text = json.dumps(header).encode()
    shard.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + length :])


def assert_made_anew(originals, shard):
    with pytest.raises(BenchError, match=f"{shard.name}: damaged shard of the image cache"):
        use_cache(originals, SIZE, "originals")
    assert list(build(originals, SIZE).dropped) == [shard]
    assert len(use_cache(originals, SIZE, "originals")) == len(originals)


SIZES = [[], [0, 0], [-5, 5], [10**9, 10**9], ["a", "b"], [1], [1, 2, 3], 5, "ab", None, [2.5, 2.5]]


@pytest.mark.parametrize("value", SIZES)
@pytest.mark.parametrize("name", ["original", "size"])
def test_false_sizes(name, value, originals, shard):
    change(shard, lambda header, entries: entries["a/000.jpg"].update({name: value}) or None)
    assert_made_anew(originals, shard)


@pytest.mark.parametrize(
    "values",
    [{"checksum": "x"}, {"checksum": 1e308}, {"checksum": None}, {"checksum": -1}, {"checksum": 2**32}]
    + [{"error": 5}, {"error": ["a"]}, {"source": 5}, {"source": [None, 1]}, {"more": 1}],
)
def test_false_entries(values, originals, shard):
    change(shard, lambda header, entries: entries["a/000.jpg"].update(values) or None)
    assert_made_anew(originals, shard)


@pytest.mark.parametrize("text", ["[]", "5", '"x"', "null", '{"a": 5}', '{"a": []}', "[" * 200_000, "{"])
def test_entries_that_are_none(text, originals, shard):
    change(shard, lambda header, entries: text)
    assert_made_anew(originals, shard)


@pytest.mark.parametrize("dtype", ["F8_E4M3", "I8", "BOOL"])
def test_values_of_another_type(dtype, originals, shard):
    change(shard, lambda header, entries: header["a/000.jpg"].update(dtype=dtype))
    assert_made_anew(originals, shard)


def test_a_pipe_is_not_waited_for(originals, shard):
    shard.unlink()
    os.mkfifo(shard)
    assert_made_anew(originals, shard)


def test_a_folder_in_its_place_is_named(originals, shard):
    shard.unlink()
    shard.mkdir()
    with pytest.raises(BenchError, match=f"{shard.name}: cannot be written"):
        build(originals, SIZE)
