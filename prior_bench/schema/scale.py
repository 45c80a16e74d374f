"""Schema of scale configs (``configs/scales``): what a suite is changed to on the sample benchmark."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from prior_bench.schema.base import Index, Several, Strict, Text
from prior_bench.schema.suite import BackboneType


class StandIn(Strict):
    """A backbone that stands for a row; further keys are the arguments of its type."""

    model_config = ConfigDict(extra="allow")

    type: BackboneType
    """Where its weights come from."""


class ScaleConfig(Strict):
    """What a suite is changed to."""

    title: str
    """Put behind the titles of suite and tables."""
    notes: Several[str]
    """Sentences that its tables must carry."""
    seeds: Annotated[Several[Index], Field(min_length=1)]
    """Seeds of all runs."""
    backbones: dict[Text, StandIn]
    """What stands for a row, by its name."""
    left_out: dict[Text, str] = {}
    """Rows that nothing stands for, with the reason."""
    data: dict[Text, dict[str, Any]] = {}
    """Options of readers, by a suite's reference or by the data set's name."""
    protocols: dict[Text, dict[str, Any]] = {}
    """Overrides by a pattern of names of protocols; the first that fits counts."""
