from collections import Counter

from prior_bench.openmmlab.sampler import RoundSampler


def rounds(sampler, count):
    for number in range(count):
        sampler.set_epoch(number)
        yield list(sampler)


def test_every_image_equally_often_in_a_long_run():
    sampler = RoundSampler(images=10, batch_size=4, seed=0)
    assert len(sampler) == 8  # two whole batches; the rest opens the next round
    rows = [draw.row for drawn in rounds(sampler, 5) for draw in drawn]
    assert set(Counter(rows).values()) == {4}


def test_a_round_depends_on_seed_and_number_alone():
    first = list(rounds(RoundSampler(7, 2, seed=3, iterations=5), 4))
    again = RoundSampler(7, 2, seed=3, iterations=5)
    again.set_epoch(2)
    assert list(again) == first[2] != first[1]
    assert first != list(rounds(RoundSampler(7, 2, seed=4, iterations=5), 4))
    assert all(len(drawn) == 10 for drawn in first)


def test_the_same_image_is_augmented_differently_each_time():
    draws = [draw for drawn in rounds(RoundSampler(3, 1, seed=0), 20) for draw in drawn]
    assert len({draw.seed for draw in draws}) == len(draws) == 60


def test_fewer_images_than_a_batch():
    sampler = RoundSampler(images=3, batch_size=16, seed=0)
    assert sorted(draw.row for draw in sampler) == [0, 1, 2]


def test_what_fills_no_batch_is_dropped_or_kept():
    dropped = list(rounds(RoundSampler(10, 4, seed=0, last_batch="dropped"), 30))
    kept = list(rounds(RoundSampler(10, 4, seed=0, last_batch="kept"), 30))
    assert {len(drawn) for drawn in dropped} == {8} and {len(drawn) for drawn in kept} == {10}
    for drawn in dropped + kept:
        rows = [draw.row for draw in drawn]
        assert len(set(rows)) == len(rows)  # each round is a part of one pass
    assert len({tuple(draw.row for draw in drawn) for drawn in kept}) == 30
    assert {draw.row for drawn in dropped for draw in drawn} == set(range(10))
    assert len({draw.seed for drawn in dropped for draw in drawn}) == 240


def test_fewer_images_than_a_batch_are_not_dropped():
    assert len(list(RoundSampler(images=3, batch_size=16, seed=0, last_batch="dropped"))) == 3
