"""Metrics that describe themselves, so that tables and reports hold no list of metric names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

PART = "/"
"""Between the name of a metric and one of its parts: ``"auroc/Edema"``."""


@dataclass(frozen=True)
class Metric:
    """Description of one metric: how its numbers are to be read and printed.

    Attributes:
        name: as protocols and records name it, e.g. ``"auroc"``. Parts of it follow a slash in records:
            ``"auroc/Edema"``, ``"recall_at_5/image_to_text"``; they have the meaning of the whole.
        direction: which numbers are better.
        title: in words, for headings; by default made from the name.
        scale: factor by which tables multiply the number: 100 for shares, 1 for counts and ranks.
        digits: decimals that tables print after scaling.
        bounds: smallest and largest possible value, before scaling; None where there is none.
        chance: value of a predictor that does not look at the image; None where it depends on the data.
        needs: conditions on the labels at hand under which the metric is defined, e.g. ``"two_classes"``
            (an argmax needs two scores to choose from). Where one does not hold, the metric is left out.
        parts: what the parts behind the slash are: ``"class"``, ``"direction"`` (of retrieval) or
            ``"corruption"``; empty where there are none.
        error: how the standard error over test patients is estimated: ``"delong"`` where the metric is the
            AUROC of the arrays ``score`` and ``target``, else by resampling.
        version: raised whenever the same predictions give another number than before.
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
        """Whether higher numbers are better."""
        return self.direction == "higher"

    @property
    def heading(self) -> str:
        """The title, or else the name in words."""
        return self.title or self.name.replace("_", " ")

    def to_dict(self) -> dict[str, Any]:
        """Plain types, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Metric:
        """The metric of :meth:`to_dict`; keys of other versions of this suite are ignored.

        Raises:
            TypeError, ValueError: the values are not those of a metric.
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
    """Metrics by their names, in their order."""
    return {metric.name: metric for metric in metrics}


def find_metric(metrics: Mapping[str, Metric], name: str) -> Metric | None:
    """The description of a metric, or of the metric that a part (``"auroc/Edema"``) belongs to; else None."""
    return metrics.get(name) or metrics.get(name.partition(PART)[0])
