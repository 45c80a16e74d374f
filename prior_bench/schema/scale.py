"""The schema of scale configs (``configs/scales``), which change a suite for the sample benchmark."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict

from prior_bench.schema.base import Index, Several, Strict, Text
from prior_bench.schema.suite import BackboneType


class StandIn(Strict):
    """A backbone that replaces a row. Further keys are the arguments of its type."""

    model_config = ConfigDict(extra="allow")

    type: BackboneType
    """Source of its weights."""


class ScaleConfig(Strict):
    """The changes of a suite."""

    title: str
    """Appended to the titles of suite and tables."""
    notes: Several[str]
    """Sentences that must accompany its tables."""
    generator: Text = "sample"
    """Generator of the data sets that replace those of the suite."""
    seeds: Several[Index] = ()
    """Seeds of all runs; by default the first seed of each evaluation."""
    backbones: dict[Text, StandIn]
    """Replacement of a row, by the row's name."""
    kept: Several[Text] = ()
    """Types of rows that stay as they are, with their own weights and their own size of images."""
    left_out: dict[Text, str] = {}
    """Rows without replacement, with the reason."""
    data: dict[Text, dict[str, Any]] = {}
    """Options of readers, by a suite's data reference or by the name of the data set."""
    protocols: dict[Text, dict[str, Any]] = {}
    """Overrides by patterns of protocol names; the first matching pattern counts."""
