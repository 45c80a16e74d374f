"""Descriptions of tasks: from the task if it is installed, otherwise from its records.

A record stores the description as plain data. A table can therefore show whether higher or lower values are
better even if the task is not installed or has dropped a metric. The stored description never names code:
galleries and costs come from the registered task only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from prior_bench.api import Metric, Task, find_metric
from prior_bench.registry import TASKS
from prior_bench.schema.records import StoredMetric


@dataclass(frozen=True)
class Description:
    """The description of a task for tables and reports.

    Attributes:
        metrics: metrics by name, from the task or from its records.
        uses_labels, ranked, predictions, galleries: see :class:`prior_bench.api.Task`.
    """

    metrics: Mapping[str, Metric] = field(default_factory=dict)
    uses_labels: bool = True
    ranked: bool = True
    predictions: tuple[str, ...] = ()
    galleries: tuple[str, ...] = ()

    def metric(self, name: str) -> Metric | None:
        """The description of a metric or of its part; None if the metric is unknown."""
        return find_metric(self.metrics, name)


def of_task(task: type[Task] | Task) -> Description:
    """The description of a task; attributes that it does not declare have the defaults of Description."""
    return Description(
        metrics=dict(getattr(task, "metrics", {})),
        uses_labels=bool(getattr(task, "uses_labels", True)),
        ranked=bool(getattr(task, "ranked", True)),
        predictions=tuple(getattr(task, "predictions", ())),
        galleries=tuple(getattr(task, "galleries", ())),
    )


def of_records(task: str, about: Iterable[Mapping[str, Any]] = ()) -> Description:
    """The description of a task whose name is known from records.

    Args:
        task: the name in the records.
        about: ``RunRecord.about`` of some of them; it fills in what the registered task does not describe.
    """
    stored = [_read(one) for one in about if one]
    kept: dict[str, Metric] = {}
    for one in stored:
        kept |= one.metrics
    registered = TASKS.registered(task)
    if registered is None:
        first = stored[0] if stored else Description()
        return Description(kept, first.uses_labels, first.ranked, first.predictions)
    described = of_task(registered)
    return Description(
        {**kept, **described.metrics},
        described.uses_labels,
        described.ranked,
        described.predictions,
        described.galleries,
    )


def plain_data(task: type[Task] | Task, metrics: Iterable[str]) -> dict[str, Any]:
    """The description of a task that a record stores, limited to the given metrics."""
    described = of_task(task)
    found = {m.name: m.to_dict() for name in metrics if (m := described.metric(name)) is not None}
    return {
        "metrics": found,
        "uses_labels": described.uses_labels,
        "ranked": described.ranked,
        "predictions": list(described.predictions),
    }


def _read(about: Mapping[str, Any]) -> Description:
    """The description that a record stores; metrics that cannot be read are skipped."""
    metrics = {}
    listed = about.get("metrics", {})
    for name, values in listed.items() if isinstance(listed, Mapping) else ():
        try:
            StoredMetric.model_validate(
                {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}
            )
            metrics[str(name)] = Metric.from_dict(values)
        except (TypeError, ValueError, AttributeError, OverflowError):
            continue
    kinds = about.get("predictions", [])
    return Description(
        metrics=metrics,
        uses_labels=bool(about.get("uses_labels", True)),
        ranked=bool(about.get("ranked", True)),
        predictions=tuple(map(str, kinds)) if isinstance(kinds, (list, tuple)) else (),
    )
