"""Ranks and first candidates of both directions from blocks of scores, when no matrix of all is kept.

The blocks are asked for twice. First, every query of a block is ranked, and the scores of the true pairs are
noted. Then the candidates, as queries of the other direction, count what is above their own pair. Results are
those of :func:`prior_bench.metrics.retrieval.ranks` and :func:`~prior_bench.metrics.retrieval.top`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from prior_bench.api.finite_scores import require_finite_scores
from prior_bench.metrics.retrieval import Ranks, best, ranks, top


class Direction(NamedTuple):
    """What one direction finds.

    Attributes:
        ranks: ranks of the true candidates.
        top: int [N, K], the best candidates.
        judged: int [N, K], the best candidates that may be a query's own counterpart or not, as asked for.
    """

    ranks: Ranks
    top: np.ndarray
    judged: np.ndarray


def both_directions(
    blocks: Callable[[], Iterator[np.ndarray]],
    pool: int,
    k: int,
    *,
    seed: int = 0,
    exclude_self: bool = False,
) -> tuple[Direction, Direction]:
    """Rank N candidates for N queries, and the other way round; query n and candidate n are a pair.

    Args:
        blocks: function that yields the scores [B, N] of some queries after others, the same at each call.
        pool: N.
        k: number of candidates per query.
        seed: seed of the random order of ties.
        exclude_self: whether ``judged`` leaves out a query's own counterpart.

    Raises:
        BenchError: a score is not finite.
    """
    own, true = np.arange(pool), np.empty(pool, dtype=np.float32)
    rows: list[Direction] = []
    start = 0
    for block in blocks():
        mine = own[start : start + len(block)]
        true[mine] = block[np.arange(len(block)), mine]
        shown = top(block, k, seed=seed)
        judged = top(block, k, seed=seed, exclude=mine) if exclude_self else shown
        rows.append(Direction(ranks(block, mine), shown, judged))
        start += len(block)
    assert start == pool, "there is a row for each query"
    counted = [np.concatenate([getattr(one.ranks, name) for one in rows]) for name in Ranks._fields]
    forth = Direction(
        Ranks(*counted), np.concatenate([r.top for r in rows]), np.concatenate([r.judged for r in rows])
    )
    better, ties = np.zeros((2, pool), dtype=np.int64)
    place = np.argsort(np.random.default_rng(seed).permutation(pool))
    kept, others = _Best(pool, min(k, pool), place), _Best(pool, min(k, pool - 1), place)
    start = 0
    for block in blocks():
        require_finite_scores(block, "similarities", "retrieval")
        better += (block > true).sum(0)
        ties += (block == true).sum(0)
        kept.add(block, start)
        if exclude_self:
            scores = block.copy()
            scores[np.arange(len(block)), own[start : start + len(block)]] = -np.inf
            others.add(scores, start)
        start += len(block)
    ties -= 1
    back = Direction(
        Ranks(1 + better + ties / 2, ties), kept.rows, others.rows if exclude_self else kept.rows
    )
    return forth, back


class _Best:
    """The best rows of each column, of all blocks so far."""

    def __init__(self, columns: int, k: int, place: np.ndarray):
        self.k, self.place = k, place
        self.rows = np.empty((columns, 0), dtype=np.int64)
        self.scores = np.empty((columns, 0), dtype=np.float32)

    def add(self, block: np.ndarray, start: int) -> None:
        """Add the scores [B, columns] of the rows from ``start`` on."""
        scores = np.ascontiguousarray(block.T)
        found = best(scores, min(self.k, len(block)), self.place[start : start + len(block)])
        rows = np.concatenate([self.rows, start + found], axis=1)
        both = np.concatenate([self.scores, np.take_along_axis(scores, found, axis=1)], axis=1)
        order = np.lexsort((self.place[rows], -both), axis=1)[:, : self.k]
        self.rows = np.take_along_axis(rows, order, axis=1)
        self.scores = np.take_along_axis(both, order, axis=1)
