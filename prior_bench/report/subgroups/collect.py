"""Compare the groups of every evaluation of some runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prior_bench.data.attributes import Grouping, choose
from prior_bench.data.splitting.seeded import split_name
from prior_bench.errors import BenchError, unknown_name
from prior_bench.report.runs.reported_runs import FinishedRun
from prior_bench.report.runs.unfit import fitting
from prior_bench.report.subgroups.compare import LEAST, GroupComparison, compare_groups
from prior_bench.report.subgroups.predicted import has_class_scores, read_test_images
from prior_bench.runtime import progress
from prior_bench.statistics.significance import holm
from prior_bench.store.cells import labels_of, labels_text


@dataclass(frozen=True)
class Section:
    """The groups of one attribute in one evaluation.

    Attributes:
        task, data, protocol, labels: the evaluation; ``labels`` is the amount of training labels in words.
            Folds and draws (``split.by_seed``) have sections of their own.
        synthetic: whether the data come from the sample benchmark.
        found: the comparison.
    """

    task: str
    data: str
    protocol: str
    labels: str
    synthetic: bool
    found: GroupComparison

    @property
    def title(self) -> str:
        """The evaluation and the attribute in words."""
        evaluation = " · ".join((self.task, self.data, self.protocol, self.labels))
        return f"{evaluation}, by {self.found.attribute}"


def collect(
    entries: Iterable[FinishedRun],
    by: Sequence[Grouping] = (),
    *,
    file: Path | None = None,
    labels: Sequence[str] = (),
    least: int = LEAST,
    resamples: int = 1000,
) -> list[Section]:
    """Compare the groups of each evaluation, amount of labels and attribute.

    Args:
        entries: finished runs; those of tasks without class scores are left out.
        by: groupings; by default sex, age and view, as far as the data have them.
        file: CSV file with further attributes.
        labels: names of classes; by default all.
        least, resamples: see :func:`prior_bench.report.subgroups.compare.compare_groups`.

    Raises:
        BenchError: no run stores class scores, or the data lack an attribute or a class.
    """
    evaluations: dict[tuple, list[FinishedRun]] = {}
    for entry in entries:
        spec = entry.spec
        if has_class_scores(entry):
            key = spec["task"], spec["data"]["name"], _protocol(spec), labels_of(spec)
            evaluations.setdefault(key, []).append(entry)
    if not evaluations:
        fix = "give a suite or runs of classification or zero-shot classification"
        raise BenchError("no finished run stores the scores of classes", where="subgroups", fix=fix)
    sections = []
    for (task, data, protocol, amount), runs in progress(evaluations.items(), "subgroups"):
        images, synthetic = read_test_images(runs, file), any(run.record.synthetic for run in runs)
        for label in labels:
            if label not in images.runs[0].classes:
                raise unknown_name("label", label, list(images.runs[0].classes), where=data)
        for grouping in choose(images.attributes, by, images.data):
            with fitting(f"{task} on {data}"):
                found = compare_groups(
                    images, grouping, labels=tuple(labels), least=least, resamples=resamples
                )
            sections.append(Section(task, data, protocol, labels_text(amount), synthetic, found))
    return sections


def _protocol(spec: dict[str, Any]) -> str:
    """Return the name of a protocol, and that of the split if the seed chooses it: test sets differ."""
    protocol = spec["protocol"]
    split = protocol["split"]
    added = f" (split {split_name(split, spec['seed'])})" if split.get("by_seed") else ""
    return f"{protocol['name']}{added}"


def corrected(sections: Sequence[Section]) -> dict[tuple[int, str, str], float]:
    """Return the p values of all gaps, corrected together by Holm's method.

    Returns:
        p by (number of the section, row, quantity).
    """
    found = {
        (n, row.name, metric): gap.p
        for n, section in enumerate(sections)
        for row in section.found.rows
        for metric, gap in row.gaps.items()
    }
    return dict(zip(found, (float(p) for p in holm(list(found.values()))), strict=True))
