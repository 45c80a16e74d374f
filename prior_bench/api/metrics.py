"""Metrics that describe themselves, so that tables and reports hold no list of metric names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Metric:
    """What the number of one metric means.

    Attributes:
        name: as protocols and records name it, e.g. ``"auroc"``. Parts of it follow a slash in records:
            ``"auroc/Edema"``, ``"recall_at_5/image_to_text"``.
        direction: which numbers are better.
        title: in words, for headings; by default made from the name.
        scale: factor by which tables multiply the number: 100 for shares, 1 for counts and ranks.
        digits: decimals that tables print after scaling.
        bounds: smallest and largest possible value, before scaling.
        chance: value of a predictor that does not look at the image; None where it depends on the data.
        needs: conditions on the labels at hand under which the metric is defined, e.g. ``"two_classes"``
            (an argmax needs two scores to choose from). Where one does not hold, the metric is left out.
        version: raised whenever the same predictions give another number than before.
    """

    name: str
    direction: Literal["higher", "lower"] = "higher"
    title: str = ""
    scale: float = 100.0
    digits: int = 1
    bounds: tuple[float, float] = (0.0, 1.0)
    chance: float | None = None
    needs: tuple[str, ...] = ()
    version: int = 1
