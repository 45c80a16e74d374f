"""Blocks of scores give what the whole matrix gives, to the last rank and tie."""

import numpy as np
import pytest

from prior_bench.errors import BenchError
from prior_bench.metrics.retrieval import ranks, top
from prior_bench.metrics.retrieval_blocks import both_directions


def in_blocks(similarity, rows):
    return lambda: (similarity[start : start + rows] for start in range(0, len(similarity), rows))


@pytest.mark.parametrize("rows", [1, 7, 20, 100])
@pytest.mark.parametrize("k", [1, 5, 19, 40])
@pytest.mark.parametrize("exclude", [False, True])
@pytest.mark.parametrize("levels", [3, 1000])
def test_ranks_ties_and_candidates_are_those_of_the_matrix(rows, k, exclude, levels):
    similarity = np.random.default_rng(rows).integers(0, levels, (20, 20)).astype(np.float32)
    own = np.arange(20)
    found = both_directions(in_blocks(similarity, rows), 20, k, seed=3, exclude_self=exclude)
    for one, matrix in zip(found, (similarity, similarity.T), strict=True):
        whole = ranks(matrix, own)
        assert np.array_equal(one.ranks.rank, whole.rank) and np.array_equal(one.ranks.ties, whole.ties)
        assert np.array_equal(one.top, top(matrix, k, seed=3))
        judged = top(matrix, k, seed=3, exclude=own) if exclude else one.top
        assert np.array_equal(one.judged, judged)


def test_scores_that_are_not_finite_are_refused():
    similarity = np.zeros((4, 4), dtype=np.float32)
    similarity[2, 1] = np.nan
    with pytest.raises(BenchError, match="1 of 4 similarities are not finite"):
        both_directions(in_blocks(similarity, 1), 4, 2)
