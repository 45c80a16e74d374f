import pytest

from prior_bench.errors import BenchError
from prior_bench.pretraining.batching import POOL, LengthGroupedBatches


class Texts:
    """Text i has i letters; in odd epochs the order of lengths is reversed."""

    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count

    def draw_text(self, epoch, index):
        return ("x" * (index if epoch % 2 == 0 else self.count - index),)


def batches(sampler, epoch):
    sampler.set_epoch(epoch)
    return list(sampler)


def test_each_epoch_uses_every_sample_once_but_for_the_last_incomplete_batch():
    sampler = LengthGroupedBatches(Texts(103), 10, seed=3)
    for epoch in (0, 1):
        drawn = batches(sampler, epoch)
        assert len(drawn) == len(sampler) == 10
        keys = [key for batch in drawn for key in batch]
        assert len(set(keys)) == 100 and {e for e, _ in keys} == {epoch}


def test_order_depends_on_seed_and_epoch_alone():
    one, two = LengthGroupedBatches(Texts(64), 8, seed=1), LengthGroupedBatches(Texts(64), 8, seed=1)
    batches(one, 0)
    assert batches(one, 5) == batches(two, 5)
    assert [i for _, i in batches(one, 0)[0]] != [i for _, i in batches(one, 2)[0]]
    assert batches(LengthGroupedBatches(Texts(64), 8, seed=2), 5) != batches(two, 5)


def test_lengths_within_a_batch_are_alike():
    count, size = 16 * POOL, 16  # one pool: each batch is a run of neighbouring lengths
    for batch in batches(LengthGroupedBatches(Texts(count), size), 1):
        indices = sorted(index for _, index in batch)
        assert indices == list(range(indices[0], indices[0] + size))


def test_processes_share_each_batch():
    whole = batches(LengthGroupedBatches(Texts(50), 8, seed=4), 2)
    shares = [batches(LengthGroupedBatches(Texts(50), 8, 4, rank, 2), 2) for rank in range(2)]
    for batch, first, second in zip(whole, *shares, strict=True):
        assert len(first) == len(second) == 4
        assert sorted(first + second) == sorted(batch)


@pytest.mark.parametrize("skipped", [0, 1, 5, 6])
def test_batches_are_left_out_once_and_the_others_stay(skipped):
    sampler = LengthGroupedBatches(Texts(50), 8, seed=4, rank=1, processes=2)
    whole = batches(sampler, 2)
    sampler.skip(skipped)
    assert batches(sampler, 2) == whole[skipped:] and len(sampler) == 6
    assert batches(sampler, 2) == whole


def test_batches_that_cannot_be_made():
    with pytest.raises(BenchError, match="3 pairs do not fill.*\\n.*set batch_size to 2"):
        LengthGroupedBatches(Texts(3), 4)
    with pytest.raises(BenchError, match="not a multiple of the 3 processes"):
        LengthGroupedBatches(Texts(30), 4, processes=3)
