"""Metrics that describe themselves, so that tables and reports hold no list of metric names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

PART = "/"
"""Separator between the name of a metric and the name of its part, as in ``"auroc/Edema"``."""


@dataclass(frozen=True)
class Metric:
    """The meaning of the values of one metric.

    Attributes:
        name: name in protocols and records, e.g. ``"auroc"``. Records append parts after a slash, as in
            ``"auroc/Edema"`` and ``"recall_at_5/image_to_text"``; this description holds for parts too.
        direction: whether higher or lower values are better.
        title: heading of the metric; by default made from the name.
        scale: factor by which tables multiply the value: 100 for shares, 1 for counts and ranks.
        digits: number of decimals that tables print after scaling.
        bounds: smallest and largest possible value before scaling; None for no bound.
        chance: value of a predictor that does not look at the image; None if it depends on the data.
        needs: conditions that the labels must fulfil for the metric to be defined, e.g. ``"two_classes"``
            (an argmax needs two scores to choose from). If a condition is not met, the metric is left out.
        parts: what the parts after the slash are: ``"class"``, ``"direction"`` (of retrieval) or
            ``"corruption"``; empty if the metric has no parts.
        error: how the standard error over test patients is estimated: ``"delong"`` if the metric is the
            AUROC of the arrays ``score`` and ``target``, otherwise by resampling.
        version: raised whenever the same predictions give a different value than before.
    """

    name: str
    direction: Literal["higher", "lower"] = "higher"
    title: str = ""
    scale: float = 100.0
    digits: int = 1
    bounds: tuple[float | None, float | None] = (0.0, 1.0)
    chance: float | None = None
    needs: tuple[str, ...] = ()
    parts: str = ""
    error: Literal["bootstrap", "delong"] = "bootstrap"
    version: int = 1

    @property
    def higher_is_better(self) -> bool:
        """Whether higher values are better."""
        return self.direction == "higher"

    @property
    def heading(self) -> str:
        """The title, or a heading made from the name if there is no title."""
        return self.title or self.name.replace("_", " ")

    def to_dict(self) -> dict[str, Any]:
        """The description as plain types, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Metric:
        """The metric described by the output of :meth:`to_dict`; keys of other versions are ignored.

        Raises:
            TypeError, ValueError: the values do not describe a metric.
        """
        known: dict[str, Any] = {
            name: values[name] for name in (f.name for f in fields(cls)) if name in values
        }
        lists: dict[str, Any] = {name: tuple(known[name]) for name in ("bounds", "needs") if name in known}
        metric = cls(**{**known, **lists})
        if metric.direction not in ("higher", "lower"):
            raise ValueError(f"direction is {metric.direction!r}")
        float(metric.scale), int(metric.digits)
        return metric


def by_name(metrics: Iterable[Metric]) -> dict[str, Metric]:
    """The metrics by name, in the given order."""
    return {metric.name: metric for metric in metrics}


def find_metric(metrics: Mapping[str, Metric], name: str) -> Metric | None:
    """The metric called ``name``, or the metric of which ``name`` is a part (``"auroc/Edema"``), or None."""
    return metrics.get(name) or metrics.get(name.partition(PART)[0])
