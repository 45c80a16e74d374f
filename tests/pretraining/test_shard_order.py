"""Pre-training that reads the image cache shard by shard: order, resuming, processes, what is read."""

import hashlib
import json
import os
import random
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from prior_bench.checkpoints.files import read_tensors
from prior_bench.data.images.cache import build as building
from prior_bench.data.images.cache import sequential
from prior_bench.data.images.cache.build import build
from prior_bench.data.open import open_dataset
from prior_bench.encoders.tokenizer import ReportTokenizer
from prior_bench.errors import BenchError, ErrorList
from prior_bench.pretraining.batching import POOL, Collate, LengthGroupedBatches
from prior_bench.pretraining.config import from_dict
from prior_bench.pretraining.dataset import PairDataset, read_pairs
from prior_bench.pretraining.identity import data_fingerprint
from prior_bench.pretraining.shard_order import shard_windows
from prior_bench.pretraining.trainer import pretrain


class Shelved:
    """Samples whose text i has i letters, on shards of ten."""

    def __init__(self, count, each=10):
        self.count, self.each = count, each

    def __len__(self):
        return self.count

    def draw_text(self, epoch, index):
        return ("x" * (index % 37),)

    def shards(self, epoch):
        return [index // self.each for index in range(self.count)]


def drawn(data, size, epoch=0, rank=0, processes=1, window=3, seed=1):
    sampler = LengthGroupedBatches(data, size, seed, rank, processes, window)
    sampler.set_epoch(epoch)
    batches = list(sampler)
    assert len(batches) == len(sampler) and {e for batch in batches for e, _ in batch} <= {epoch}
    return [[index for _, index in batch] for batch in batches]


# --- order ---


def test_windows_hold_whole_shards_and_everything_once():
    windows = list(shard_windows(Shelved(95).shards(0), 4, random.Random(0)))
    assert sorted(i for w in windows for i in w) == list(range(95))
    shards = [{i // 10 for i in w} for w in windows]
    assert [len(s) for s in shards] == [4, 4, 2] and len(set.union(*shards)) == 10
    assert windows[0] != sorted(windows[0]), "shuffled within the window"


def test_an_epoch_has_every_sample_once_but_for_the_last_incomplete_batch():
    for epoch in (0, 1):
        indices = [i for batch in drawn(Shelved(103), 8, epoch) for i in batch]
        assert len(indices) == len(set(indices)) == 96


def test_order_depends_on_seed_and_epoch_alone():
    first = drawn(Shelved(100), 8, epoch=4)
    assert first == drawn(Shelved(100), 8, epoch=4)
    assert first != drawn(Shelved(100), 8, epoch=5) and first != drawn(Shelved(100), 8, epoch=4, seed=2)


def test_few_shards_are_in_use_at_a_time_and_none_is_taken_up_again():
    order = [[i // 10 for i in batch] for batch in drawn(Shelved(400), 6, window=5)]
    last_use = {shard: n for n, batch in enumerate(order) for shard in batch}
    first_use = {shard: min(n for n, batch in enumerate(order) if shard in batch) for shard in last_use}
    in_use = [sum(first_use[s] <= n <= last_use[s] for s in last_use) for n in range(len(order))]
    assert max(in_use) <= 2 * 5, "a batch may still hold what the window before left over"
    assert np.median(in_use) == 5 and len(first_use) == 40
    free = LengthGroupedBatches(Shelved(400), 6, seed=1)
    assert len({i // 10 for batch in list(free)[:10] for _, i in batch}) > 20


def test_batches_are_still_of_like_length():
    spreads = [np.ptp([i % 37 for i in batch]) for batch in drawn(Shelved(8 * POOL * 4), 8, window=8)]
    free = [np.ptp([i % 37 for i in np.random.default_rng(s).integers(0, 256, 8)]) for s in range(30)]
    assert np.mean(spreads) < 0.5 * np.mean(free)


def test_processes_share_each_batch_and_most_shards_are_read_by_one_of_them():
    data = Shelved(640)
    whole = drawn(data, 32, window=8)
    shares = [drawn(data, 32, rank=rank, processes=4, window=8) for rank in range(4)]
    for batch, *parts in zip(whole, *shares, strict=True):
        assert [len(part) for part in parts] == [8] * 4
        assert sorted(i for part in parts for i in part) == sorted(batch)
    of_batches = [len({i // 10 for i in batch}) for batch in whole]
    of_parts = [len({i // 10 for i in batch}) for part in shares for batch in part]
    assert np.mean(of_parts) < 0.5 * np.mean(of_batches)


def test_without_a_window_the_order_is_what_it_was_before_there_was_one():
    """Runs trained before keep their batches: noted from the code of then."""

    class Noted(Shelved):
        def draw_text(self, epoch, index):
            return ("x" * ((index * 7 + epoch) % 53),)

    sampler = LengthGroupedBatches(Noted(1000), 12, seed=3)
    sampler.set_epoch(4)
    batches = list(sampler)
    assert [index for _, index in batches[0]] == [149, 876, 293, 816, 21, 377, 589, 67, 847, 143, 605, 181]
    assert hashlib.sha256(json.dumps(batches).encode()).hexdigest().startswith("22014ee11f77a55f")


# --- what is read ---


@pytest.fixture
def cached(small_data, tmp_path, monkeypatch):
    """The small data set (30 images of 20 studies) in an image cache of eight shards; its reference."""
    monkeypatch.setenv("PRIOR_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(building, "SHARD_IMAGES", 4)
    build(open_dataset(str(small_data)), 32)
    return {"type": "csv", "root": str(small_data), "cache": 32}


@pytest.fixture
def in_order(values, cached):
    values["data"] |= dict(dataset=cached, shard_window=2)
    return from_dict(values)


def raw(pixels):
    return torch.from_numpy(pixels.copy())


def test_each_shard_is_read_through_once_an_epoch_before_its_images(in_order, monkeypatch):
    read = []
    monkeypatch.setattr(sequential, "read_through", lambda file: read.append(file.name))
    pairs = read_pairs(in_order.data)
    data = PairDataset(pairs, raw, seed=7, shard_window=2)
    free = PairDataset(pairs, raw, seed=7)
    sampler = LengthGroupedBatches(data, 4, 7, shard_window=2)
    for epoch in (0, 1):
        read.clear()
        sampler.set_epoch(epoch)
        for batch in sampler:
            for key in batch:
                image, text = data[key]
                assert read and torch.equal(image, free[key][0]) and text == free[key][1]
        assert len(read) == len(set(read)) == len(set(data.shards(epoch))), "every shard once"
    assert read != sorted(read), "in random order"


def test_reading_through_reads_everything_and_a_lost_shard_is_named(tmp_path, monkeypatch):
    (tmp_path / "one.safetensors").write_bytes(bytes(2500))
    monkeypatch.setattr(sequential, "CHUNK", 1000)
    sequential.read_through(tmp_path / "one.safetensors")
    with pytest.raises(BenchError, match=r"two\.safetensors: shard .* cannot be read.*\n  fix: run the same"):
        sequential.read_through(tmp_path / "two.safetensors")


def test_images_outside_a_cache_have_no_shards(config):
    with pytest.raises(BenchError, match=r"\.png: is not in an image cache.*\n  fix: make one \(prior-bench"):
        PairDataset(read_pairs(config.data), raw, shard_window=2)


def test_workers_do_not_change_batches(in_order):
    pairs = read_pairs(in_order.data)
    tokenizer = ReportTokenizer.train(pairs.corpus(), 150, 32)

    def load(workers):
        data = PairDataset(pairs, raw, "shuffled_sentences", 7, shard_window=2)
        batches = LengthGroupedBatches(data, 4, 7, shard_window=2)
        return list(
            DataLoader(data, batch_sampler=batches, collate_fn=Collate(tokenizer), num_workers=workers)
        )

    for alone, helped in zip(load(0), load(2), strict=True):
        assert torch.equal(alone.images, helped.images)
        assert torch.equal(alone.text.input_ids, helped.text.input_ids)


# --- a whole run ---


def test_a_run_stopped_and_resumed_equals_an_undisturbed_one(in_order, tmp_path, monkeypatch):
    whole = pretrain(in_order, tmp_path / "whole", seed=3, device="cpu")
    other = PairDataset.shards

    def stop(self, epoch):
        if epoch == 1:
            raise KeyboardInterrupt
        return other(self, epoch)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(PairDataset, "shards", stop)
        pretrain(in_order, tmp_path / "stopped", seed=3, device="cpu")
    again = pretrain(in_order, tmp_path / "stopped", seed=3, device="cpu")
    one, two = read_tensors(whole), read_tensors(again)
    assert one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)
    assert len(json.loads((tmp_path / "stopped/history.json").read_text())) == 3


@pytest.mark.slow
def test_two_processes_equal_one(values, in_order, tmp_path):
    """Without dropout and BatchNorm, losses and weights are those of one process."""
    values["method"]["image_encoder"] = dict(
        model_name="vit_tiny_patch16_224",
        in_channels=1,
        input=dict(size=32),
        model_args=dict(embed_dim=12, depth=1, num_heads=2),
    )
    values["method"]["text_encoder"]["config"] |= dict(
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
    )
    assert values["data"]["shard_window"] == 2
    path = tmp_path / "small.py"
    path.write_text("\n".join(f"{key} = {value!r}" for key, value in values.items() if key != "name"))
    verb = ["-m", "prior_bench", "pretrain", str(path), "--device", "cpu", "--work-dir"]
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", *verb]
    for command in ([*launch, "two"], [sys.executable, *verb, "one"]):
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    one, two = (read_tensors(tmp_path / name / "model.safetensors") for name in ("one", "two"))
    for name in one:
        torch.testing.assert_close(two[name], one[name], rtol=1e-3, atol=1e-4)
    alone, shared = (json.loads((tmp_path / name / "history.json").read_text()) for name in ("one", "two"))
    assert [e["loss"] for e in shared] == pytest.approx([e["loss"] for e in alone], rel=1e-4)


def test_the_order_of_shards_is_part_of_what_determines_a_run(in_order):
    free = replace(in_order.data, shard_window=None)
    before, plain = data_fingerprint(in_order.data), data_fingerprint(free)
    assert before == read_pairs(in_order.data).fingerprint != plain == read_pairs(free).fingerprint
    shard = next(read_pairs(free).pairs[0].images[0].parent.glob("*.safetensors"))
    shard.rename(shard.with_name("another.safetensors"))  # as if made anew with other images in it
    assert read_pairs(in_order.data).fingerprint != before and read_pairs(free).fingerprint == plain


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(shard_window=0), r"data.shard_window: is 0; must be None or a number of shards"),
        (dict(shard_window=True), r"data.shard_window: is True"),
        (dict(shard_window=4), r"data.shard_window: needs an image cache, but .* has none\n  fix: make"),
        (
            dict(shard_window=4, cache="memory"),
            r"data.shard_window: reads from disk, but data.cache='memory'",
        ),
    ],
)
def test_settings_that_cannot_be(values, change, message):
    values["data"] |= change
    with pytest.raises(ErrorList, match=message):
        from_dict(values)
