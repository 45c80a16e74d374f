from math import comb

import numpy as np
import pytest

from prior_bench.metrics import retrieval as m

OWN = np.arange(4)
SIMILARITY = np.array(
    [
        [0.9, 0.1, 0.2, 0.3],  # own first
        [0.8, 0.5, 0.1, 0.2],  # own second
        [0.4, 0.3, 0.1, 0.2],  # own last
        [0.7, 0.6, 0.5, 0.9],  # own first
    ]
)


def test_ranks_by_hand():
    found = m.ranks(SIMILARITY, OWN)
    assert found.rank.tolist() == [1, 2, 4, 1] and found.ties.tolist() == [0, 0, 0, 0]
    assert m.recall_at(1, found) == 0.5
    assert m.recall_at(3, found) == 0.75
    assert np.median(found.rank) == 1.5


def test_top_by_hand():
    assert m.top(SIMILARITY, 2).tolist() == [[0, 3], [0, 1], [0, 1], [3, 0]]
    assert m.top(SIMILARITY, 2, exclude=OWN).tolist() == [[3, 2], [0, 3], [0, 1], [0, 1]]
    assert m.top(SIMILARITY, 10).shape == (4, 4)
    assert m.top(SIMILARITY, 10, exclude=OWN).shape == (4, 3)


def test_precision_and_hit_by_hand():
    match = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 1]])
    assert m.precision_at(1, match) == pytest.approx(1 / 3)
    assert m.precision_at(3, match) == pytest.approx(4 / 9)
    assert m.hit_at(1, match) == pytest.approx(1 / 3)
    assert m.hit_at(3, match) == pytest.approx(2 / 3)


def test_ties_stand_in_random_order():
    # own and another share the second place: half the orders have it second, half third
    found = m.ranks(np.array([[0.9, 0.5, 0.5, 0.1]]), np.array([1]))
    assert (found.rank[0], found.ties[0]) == (2.5, 1)
    assert [m.recall_at(k, found) for k in (1, 2, 3)] == [0, 0.5, 1]


def test_a_model_that_tells_nothing_apart_is_at_chance():
    flat = np.zeros((20, 20))
    chance = m.chance(None, 20, exclude_self=False)
    found = m.ranks(flat, np.arange(20))
    for k in m.KS:
        assert m.recall_at(k, found) == pytest.approx(chance[f"recall_at_{k}"])
    assert np.median(found.rank) == chance["median_rank"]


def test_equal_order_of_ties_is_not_the_order_of_rows():
    first = m.top(np.zeros((1, 100)), 10, seed=0)[0]
    assert first.tolist() != list(range(10))
    assert first.tolist() == m.top(np.zeros((1, 100)), 10, seed=0)[0].tolist()


@pytest.mark.parametrize("exclude_self", [False, True])
def test_chance_equals_simulation(exclude_self):
    groups = np.array([0, 0, 0, 1, 1, 2, 0, 0])
    expected = m.chance(groups, 8, exclude_self=exclude_self)
    rng, own = np.random.default_rng(0), np.arange(8)
    totals = {name: [] for name in ("recall_at_1", "recall_at_5", "precision_at_1", "hit_at_5")}
    for _ in range(4000):
        similarity = rng.random((8, 8))
        found = m.ranks(similarity, own)
        top = m.top(similarity, 5, exclude=own if exclude_self else None)
        match = groups[top] == groups[:, None]
        totals["recall_at_1"].append(m.recall_at(1, found))
        totals["recall_at_5"].append(m.recall_at(5, found))
        totals["precision_at_1"].append(m.precision_at(1, match))
        totals["hit_at_5"].append(m.hit_at(5, match))
    for name, values in totals.items():
        assert np.mean(values) == pytest.approx(expected[name], abs=0.01), name


def test_chance_of_a_hit_by_hand():
    # two of five match; the query itself is one of them and is left out: one right among four
    groups = np.array([0, 0, 1, 2, 3])
    values = m.chance(groups, 5, exclude_self=True)
    assert values["precision_at_1"] == pytest.approx((2 * 1 / 4) / 5)
    kept = m.chance(groups, 5, exclude_self=False)
    assert kept["hit_at_1"] == pytest.approx((2 * 2 / 5 + 3 * 1 / 5) / 5)
    wide = m.chance(np.array([0] * 3 + list(range(1, 10))), 12, exclude_self=False)
    assert wide["hit_at_5"] == pytest.approx(
        (3 * (1 - comb(9, 5) / comb(12, 5)) + 9 * (1 - comb(11, 5) / comb(12, 5))) / 12
    )


def test_majority_by_hand():
    groups = np.array([0, 0, 1, 0, 2])  # three of the commonest kind come first for everyone
    values = m.majority(groups, exclude_self=True)
    assert values["precision_at_1"] == values["hit_at_1"] == pytest.approx(3 / 5)
    # of the four others: 2 of 4 match for the three, none for the two
    assert values["precision_at_5"] == pytest.approx((3 * 2 / 4) / 5)
    itself = m.majority(groups, exclude_self=False)
    assert itself["hit_at_5"] == 1 and itself["precision_at_5"] == pytest.approx((9 + 1 + 1) / 25)


def test_unknown_labels_count_as_not_mentioned():
    groups = m.label_groups(np.array([[1, np.nan], [1, 0], [0, 1]], dtype=float))
    assert groups[0] == groups[1] != groups[2]


def test_the_places_that_count():
    assert m.KS == (1, 5, 10)


def test_a_pool_of_another_size_than_the_queries():
    similarity = np.array([[0.1, 0.5, 0.3, 0.9], [0.7, 0.2, 0.6, 0.4]])
    assert m.top(similarity, 10).tolist() == [[3, 1, 2, 0], [0, 2, 3, 1]]
    assert m.top(similarity.T[:, :1], 3).tolist() == [[0]] * 4
    assert m.top(similarity, 10, exclude=np.array([3, 0])).tolist() == [[1, 2, 0], [2, 3, 1]]


def test_the_order_of_ties_is_drawn_by_a_seed():
    similarity = np.zeros((1, 9))
    assert m.top(similarity, 9).tolist() == m.top(similarity, 9, seed=0).tolist()
    assert m.top(similarity, 9).tolist() != m.top(similarity, 9, seed=1).tolist()


@pytest.mark.parametrize("pool, exclude_self, judged", [(1, True, False), (1, False, True), (2, True, True)])
def test_class_metrics_need_another_candidate(pool, exclude_self, judged):
    found = m.chance(np.zeros(pool, int), pool, exclude_self=exclude_self)
    assert ("precision_at_1" in found) == judged
    assert found["recall_at_1"] == 1 / pool and found["median_rank"] == (pool + 1) / 2


def test_a_rank_is_lower_the_better_and_not_a_share():
    rank = m.DESCRIBED["median_rank"]
    assert (rank.direction, rank.scale, rank.bounds) == ("lower", 1.0, (1.0, None))
    others = [metric for name, metric in m.DESCRIBED.items() if name != "median_rank"]
    assert {(one.direction, one.scale, one.bounds) for one in others} == {("higher", 100.0, (0.0, 1.0))}


@pytest.mark.parametrize("block", [1, 7, 100])
def test_blocks_of_queries_give_what_a_whole_stable_sort_gives(block, monkeypatch):
    monkeypatch.setattr(m, "BLOCK", block)
    for seed in range(60):
        random = np.random.default_rng(seed)
        queries, pool, k = random.integers(1, 14, 3)
        similarity = random.integers(0, 4, (queries, pool)).astype(np.float32)
        left_out = random.integers(0, pool, queries)
        order = np.random.default_rng(seed).permutation(pool)
        whole = order[np.argsort(-similarity[:, order], axis=1, kind="stable")]
        assert m.top(similarity, k, seed=seed).tolist() == whole[:, :k].tolist()
        others = [row[row != one][:k].tolist() for row, one in zip(whole, left_out, strict=True)]
        assert m.top(similarity, k, seed=seed, exclude=left_out).tolist() == others
        found = m.ranks(np.asfortranarray(similarity), left_out)
        own = similarity[np.arange(queries), left_out][:, None]
        assert (found.ties == (similarity == own).sum(1) - 1).all()
        assert (found.rank == 1 + (similarity > own).sum(1) + found.ties / 2).all()


@pytest.mark.parametrize("exclude_self", [True, False])
def test_majority_is_a_model_that_likes_the_same_candidates(exclude_self):
    for seed in range(30):
        groups = np.random.default_rng(seed).integers(0, 5, 2 + seed)
        frequent = np.lexsort((groups, -np.bincount(groups)[groups]))
        liking = np.broadcast_to(-np.argsort(frequent), (len(groups),) * 2)
        found = m.top(liking, 10, exclude=np.arange(len(groups)) if exclude_self else None)
        match = groups[found] == groups[:, None]
        values = m.majority(groups, exclude_self=exclude_self)
        for k in m.KS:
            assert values[f"precision_at_{k}"] == pytest.approx(m.precision_at(k, match))
            assert values[f"hit_at_{k}"] == pytest.approx(m.hit_at(k, match))
