"""Retrieval metrics from a similarity matrix, for one direction.

There are two separate definitions of a correct answer: the *exact pair* (Recall@K, median rank: the query's
own report or image) and the *class match* (Precision@K, Hit@K: any candidate with the query's label vector).

Candidates with the same similarity, e.g. identical reports, are in random order. Recall@K is the expectation
over these orders, and the rank is the mean rank. A model that scores all candidates equally is therefore
exactly at chance, and not at 0 or 1.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from prior_bench.api import Metric, by_name
from prior_bench.api.finite_scores import require_finite_scores

KS = (1, 5, 10)
"""The values of K of all metrics at K."""

BLOCK = 2**22
"""Number of similarities that are compared at once, so that memory does not grow with queries times pool."""

DESCRIBED = by_name(
    (
        Metric("median_rank", "lower", scale=1.0, bounds=(1.0, None), parts="direction"),
        *(Metric(f"recall_at_{k}", title=f"Recall@{k}", parts="direction") for k in KS),
        *(
            Metric(
                f"{name}_at_{k}",
                title=f"{name.capitalize()}@{k}",
                needs=("labels", "two_label_groups"),
                parts="direction",
            )
            for name in ("precision", "hit")
            for k in KS
        ),
    )
)
"""Descriptions of the metrics by name."""


class Ranks(NamedTuple):
    """The ranks of the true candidates of Q queries.

    Attributes:
        rank: float [Q], mean rank among ties; 1 is best.
        ties: int [Q], number of other candidates with the same similarity.
    """

    rank: np.ndarray
    ties: np.ndarray


def ranks(similarity: np.ndarray, own: np.ndarray) -> Ranks:
    """Rank the true candidates.

    Args:
        similarity: [Q, P], of Q queries and a pool of P candidates; higher means more similar.
        own: int [Q], the column of each query's true candidate.

    Raises:
        BenchError: a similarity is not finite.
    """
    require_finite_scores(similarity, "similarities", "retrieval")  # NaN is below nothing, and would win
    better, ties = np.empty((2, len(similarity)), dtype=np.int64)
    for block in _blocks(similarity):
        some = np.ascontiguousarray(similarity[block])
        true = np.take_along_axis(some, own[block, None], axis=1)
        better[block] = (some > true).sum(1)
        ties[block] = (some == true).sum(1) - 1
    return Ranks(1 + better + ties / 2, ties)


def top(similarity: np.ndarray, k: int, *, seed: int = 0, exclude: np.ndarray | None = None) -> np.ndarray:
    """Return the best ``k`` candidates of each query, int [Q, min(k, P)]; ``seed`` determines the order of
    ties.

    Args:
        similarity: [Q, P], of Q queries and a pool of P candidates; higher means more similar.
        k: number of candidates per query.
        seed: seed of the random order of ties.
        exclude: int [Q], a candidate to leave out for each query (its own counterpart); ``k`` is then at most
            P - 1.
    """
    pool = similarity.shape[1]
    place = np.argsort(np.random.default_rng(seed).permutation(pool))
    k = min(k, pool if exclude is None else pool - 1)
    found = np.empty((len(similarity), k), dtype=np.int64)
    kind = similarity.dtype if similarity.dtype.kind == "f" else np.float64
    for block in _blocks(similarity):
        scores = np.array(similarity[block], dtype=kind, order="C")
        if exclude is not None:
            scores[np.arange(len(scores)), exclude[block]] = -np.inf
        found[block] = best(scores, k, place)
    return found


def best(scores: np.ndarray, k: int, place: np.ndarray) -> np.ndarray:
    """Return the columns of the ``k`` highest of ``scores`` [B, P], best first, of ties by ``place`` [P].

    Only scores that reach the k-th one are sorted.
    """
    if k == 0:
        return np.empty((len(scores), 0), dtype=np.int64)
    least = np.partition(scores, -k, axis=1)[:, -k, None]
    query, column = np.nonzero(scores >= least)  # at least k per query; more, where the k-th is tied
    order = np.lexsort((place[column], -scores[query, column], query))
    starts = np.searchsorted(query, np.arange(len(scores)))
    return column[order][starts[:, None] + np.arange(k)]


def _blocks(similarity: np.ndarray) -> Iterator[slice]:
    """Yield ranges of queries of at most BLOCK similarities, and of at least one query."""
    step = max(1, BLOCK // max(1, similarity.shape[1]))
    for start in range(0, len(similarity), step):
        yield slice(start, start + step)


def recall_at(k: int, found: Ranks) -> float:
    """Compute the share of queries with the exact pair in the first ``k``, averaged over orders of ties."""
    better = found.rank - 1 - found.ties / 2
    return float(np.clip((k - better) / (found.ties + 1), 0, 1).mean())


def precision_at(k: int, match: np.ndarray) -> float:
    """Compute the share of the first ``k`` candidates that have the query's label vector.

    Args:
        k: number of candidates.
        match: [Q, K], 1 if the candidate at a rank matches, otherwise 0.
    """
    return float(match[:, :k].mean())


def hit_at(k: int, match: np.ndarray) -> float:
    """Compute the share of queries with at least one match among the first ``k`` candidates."""
    return float(match[:, :k].any(1).mean())


def label_groups(target: np.ndarray) -> np.ndarray:
    """Number the distinct label vectors, int [N]; unknown labels (NaN) count as 0."""
    return np.unique(np.nan_to_num(target, nan=0.0), axis=0, return_inverse=True)[1].reshape(-1)


def chance(groups: np.ndarray | None, pool: int, *, exclude_self: bool) -> dict[str, float]:
    """Compute the exact expectation of all metrics for a random order of the pool (equal in both directions).

    Args:
        groups: [N], numbers of the pool's label vectors, or None without labels.
        pool: number of candidates.
        exclude_self: whether a query's own counterpart is left out for Precision@K and Hit@K.
    """
    from scipy.stats import hypergeom

    values = {f"recall_at_{k}": min(k, pool) / pool for k in KS}
    values["median_rank"] = (pool + 1) / 2
    candidates = pool - exclude_self
    if groups is None or candidates < 1:
        return values
    right = np.bincount(groups)[groups] - exclude_self
    for k in KS:
        values[f"precision_at_{k}"] = float(right.mean() / candidates)
        values[f"hit_at_{k}"] = float(1 - hypergeom.pmf(0, candidates, right, min(k, candidates)).mean())
    return values


def majority(groups: np.ndarray, *, exclude_self: bool) -> dict[str, float]:
    """Compute Precision@K and Hit@K if all queries get the same order, with the commonest label vectors
    first.

    A model that prefers the same few candidates for every query reaches similar values, above chance.

    Args:
        groups: see :func:`chance`.
        exclude_self: see :func:`chance`.
    """
    size = np.bincount(groups)[groups]
    first = np.lexsort((groups, -size))[: max(KS) + 1]
    found = np.tile(first, (len(groups), 1))
    if exclude_self:
        others = found != np.arange(len(groups))[:, None]
        others[others.all(1), -1] = False  # who is not among the first leaves out the last of them
        found = found[others].reshape(len(groups), len(first) - 1)
    match = groups[found[:, : max(KS)]] == groups[:, None]
    return {f"{name}_at_{k}": value(k, match) for k in KS for name, value in _BY_CLASS.items()}


_BY_CLASS = {"precision": precision_at, "hit": hit_at}
