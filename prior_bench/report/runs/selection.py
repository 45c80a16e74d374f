"""Select the runs of a section: those of one evaluation, with the most labels, or one per backbone."""

from __future__ import annotations

from prior_bench.report.runs.reported_runs import FinishedRun
from prior_bench.store.cells import labels_of


def evaluations_of(done: list[FinishedRun]) -> list[list[FinishedRun]]:
    """Group finished runs by task, data set and protocol, in the order of the plan."""
    groups: dict[tuple, list[FinishedRun]] = {}
    for entry in done:
        spec = entry.spec
        key = spec["task"], spec["data"]["name"], spec["protocol"]["name"]
        groups.setdefault(key, []).append(entry)
    return list(groups.values())


def most_labels(runs: list[FinishedRun]) -> list[FinishedRun]:
    """Return the runs of an evaluation with the largest label fraction or, without any, the most shots."""
    labels = max(labels_of(entry.spec) for entry in runs)
    return [entry for entry in runs if labels_of(entry.spec) == labels]


def one_per_backbone(runs: list[FinishedRun]) -> list[FinishedRun]:
    """Return one run per backbone: largest label fraction, lowest seed that most backbones have."""
    runs = most_labels(runs)
    seeds = [entry.spec["seed"] for entry in runs]
    seed = max(sorted(set(seeds)), key=seeds.count)
    return [entry for entry in runs if entry.spec["seed"] == seed]
