"""Intervals, standard errors, p values and ranks of planted numbers. They have no version of their own.

Tables compute them afresh from stored predictions, so that no key holds them; a change is seen here and
needs nothing but pinning again, after the entry is deleted.
"""

from pathlib import Path

import golden_metrics
import numpy as np
from golden_case import Case, Numbers, summary

from prior_bench.statistics.bootstrap import bootstrap, interval
from prior_bench.statistics.delong import contributions, standard_error
from prior_bench.statistics.ranks import critical_difference, rank
from prior_bench.statistics.significance import bootstrap_error, difference, holm, pooled_spread
from tasks.classification import Classification


def auroc(predictions: dict[str, np.ndarray]) -> dict[str, float]:
    return Classification().score(predictions, ("auroc",))


def bootstrapped(folder: Path) -> Numbers:
    predictions = golden_metrics.labelled(exclusive=False)
    first = [bootstrap(auroc, predictions, n=40, seed=seed)["auroc"] for seed in (0, 1)]
    return {
        "draws": summary(first[0]),
        "interval": list(interval(auroc, predictions, n=40)["auroc"]),
        "error": bootstrap_error(first, [draws**2 for draws in first]),
    }


def delong(folder: Path) -> Numbers:
    predictions = golden_metrics.labelled(exclusive=False)
    found = contributions(predictions["score"], predictions["target"])
    return {"contributions": summary(found), "error": standard_error(found, predictions["patient_id"])}


def significance(folder: Path) -> Numbers:
    per_seed, spread = [0.031, 0.012, 0.044], pooled_spread(np.random.default_rng(0).random((4, 3)) / 50)
    found = [
        difference(per_seed, 0.015, 40),
        difference(per_seed, 0.015, 40, spread),
        difference([0.02], 0.015, 40),
    ]
    return {
        "p": [one.p for one in found],
        "intervals": [list(one.interval) for one in found],
        "holm": holm([0.01, 0.04, 0.03, 0.005]),
    }


def ranks(folder: Path) -> Numbers:
    found = rank(list("abcd"), np.random.default_rng(0).random((4, 6)).round(1))
    return {
        "order": list(found.labels),
        "average": list(found.average),
        "p": found.p,
        "critical difference": [critical_difference(m, 6) for m in (2, 5, 10)],
    }


CASES = [
    Case("bootstrap", (), bootstrapped),
    Case("delong", (), delong),
    Case("significance", (), significance),
    Case("ranks", (), ranks),
]
