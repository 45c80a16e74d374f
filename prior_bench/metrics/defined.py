"""Find the metrics that are undefined for the given labels, and why.

A metric names its conditions (``Metric.needs``); a task determines which of them do not hold. A record leaves
out undefined metrics and states the reason: neither a NaN nor a trivial 1.0 is a result.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from prior_bench.api import Metric, find_metric

REASONS = {
    "both_labels": "no class has both labels among the test images",
    "positives": "no class has a positive test image",
    "two_scored_classes": "only one class is scored, so an argmax has no choice",
    "two_classes": "the test images that it judges do not show two different classes",
    "foreground": "no test image has foreground",
    "boxes": "no test image has a box",
    "partial_region": "no region leaves pixels of its image both inside and outside it",
    "labels": "the data set has no labels",
    "two_label_groups": "all candidates have the same labels, so every answer is right",
}
"""Conditions that metrics may need, and the reason that is shown if one does not hold."""

UNDEFINED = "undefined for the labels at hand"


def undefined(
    names: Iterable[str], values: Mapping[str, float], described: Mapping[str, Metric], unmet: Iterable[str]
) -> dict[str, str]:
    """Return why metrics are undefined, by name; defined metrics are not included.

    Args:
        names: metrics that the protocol asks for.
        values: computed values; NaN if undefined.
        described: the task's metrics.
        unmet: conditions that do not hold.
    """
    unmet, found = list(unmet), {}
    for name in names:
        metric = find_metric(described, name)
        why = [REASONS[need] for need in (metric.needs if metric else ()) if need in unmet]
        if why:
            found[name] = why[0]
        elif name in values and not np.isfinite(values[name]):
            found[name] = UNDEFINED
    return found


def kept(values: Mapping[str, float], left_out: Iterable[str]) -> dict[str, float]:
    """Return the values without metrics that are left out, their parts, and values that are not finite."""
    left_out = set(left_out)
    return {
        name: value
        for name, value in values.items()
        if np.isfinite(value) and not {name, name.partition("/")[0]} & left_out
    }
