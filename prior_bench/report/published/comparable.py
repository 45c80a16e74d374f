"""Check whether a run is comparable with a published number.

Data set, split, label fraction, frozen or fine-tuned, and metric variant must be equal. A property that the
source does not state does not match.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from prior_bench.data.generated import generated
from prior_bench.report.published.numbers import Published
from prior_bench.report.runs.reported_runs import ReportedRun
from prior_bench.store.cells import labels_of, labels_text
from prior_bench.store.descriptions import of_records


def mismatches(spec: dict[str, Any], metric: str, number: Published) -> list[str]:
    """Return the differences between a run and a published number, most serious first; empty if comparable.

    Args:
        spec: spec of the run, as plain types.
        metric: name of the run's metric to compare.
        number: the published number.
    """
    protocol = spec["protocol"]
    trained = of_records(spec["task"]).uses_labels  # otherwise it has no fraction, and nothing is trained
    frozen = "yes" if protocol["frozen"].get("backbone", True) else "no"
    ours_and_theirs = [
        ("data set", _data_name(spec["data"]), number.data),
        ("split", protocol["split"].get("rule", "default"), number.split),
    ]
    if trained:
        ours_and_theirs += [
            ("fraction", labels_text(labels_of(spec)), _percent(number.fraction)),
            ("frozen", frozen, number.frozen),
        ]
    ours_and_theirs.append(("metric", metric, number.variant))
    return [_difference(*triple) for triple in ours_and_theirs if triple[1] != triple[2] or not triple[2]]


def nearest(
    runs: Iterable[ReportedRun], metric: str, number: Published
) -> tuple[list[ReportedRun], list[str]]:
    """Return the runs with the fewest differences from a published number, and these differences.

    The returned runs have the same backbone and evaluation, and differ only in their seeds.
    """
    groups: dict[tuple, list[ReportedRun]] = {}
    for run in runs:
        spec = run.spec
        key = spec["backbone"]["name"], str(spec["data"]), str(spec["protocol"]), labels_of(spec)
        groups.setdefault(key, []).append(run)
    best: tuple[list[ReportedRun], list[str]] = ([], [])
    for group in groups.values():
        wrong = mismatches(group[0].spec, metric, number)
        if not best[0] or len(wrong) < len(best[1]):
            best = group, wrong
    return best


def _data_name(data: dict[str, Any]) -> str:
    return "synthetic" if generated(data.get("root", "")) else data["type"]


def _percent(fraction: float | None) -> str:
    return "" if fraction is None or math.isnan(fraction) else f"{100 * fraction:g} %"


def _difference(what: str, ours: str, theirs: str) -> str:
    return f"{what} {ours}, not {theirs}" if theirs else f"{what} not stated"
