"""The schema of suite configs (``configs/suites``): backbones, evaluations, fractions and seeds."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from prior_bench.registry import BACKBONES, TASKS
from prior_bench.schema.base import Count, Index, OneOf, Said, Several, Share, Strict, Text

Seeds = Annotated[Index | Several[Index], Said("a seed (0, 1, 2, …) or a list of them")]
Fractions = Annotated[Share | Several[Share], Said("a share in (0, 1] or a list of them")]
Shots = Annotated[Count | Several[Count], Said("a number of images per class (1, 2, …) or a list of them")]
Names = Annotated[Text | Several[Text], Said("a name or a list of names")]
Reference = Annotated[Text | dict[str, Any], Said("a data reference, or a dict with a 'type'")]


def has_colon(name: str) -> bool:
    """Whether a name has the form ``module:attribute``, which is looked up when it is used."""
    return ":" in name


BackboneType = Annotated[
    str, OneOf("backbone", BACKBONES.names, listed="prior-bench list backbones", accepts=has_colon)
]
TaskName = Annotated[str, OneOf("task", TASKS.names, listed="prior-bench list tasks", accepts=has_colon)]


class BackboneRow(Strict):
    """A row of the suite: a backbone. Further keys are the arguments of its type."""

    model_config = ConfigDict(extra="allow")

    name: Text
    """Label of the row."""
    type: BackboneType
    """Where its weights come from."""


class EvaluationEntry(Strict):
    """An evaluation: a task on a data set under a protocol."""

    task: TaskName
    """Name of the task."""
    data: Reference
    """Data reference: a name, ``NAME@DIR``, ``sample:NAME``, a file, or a dict with ``type`` and options."""
    protocol: Text
    """Protocol (`prior-bench list protocols`), or a .py file."""
    fractions: Fractions = 1.0
    """Label fractions; default: all labels, or none of these runs where ``shots`` are given."""
    shots: Shots = ()
    """Training images per class (docs/few_shot.md), beside or in place of fractions."""
    seeds: Seeds = ()
    """Seeds; default: the suite's."""
    overrides: dict[str, Any] | None = None
    """Fields of the protocol to change, by dotted keys; dicts are merged."""
    backbones: Names = ()
    """Names of the rows that are evaluated; default: all."""


class SuiteConfig(Strict):
    """A suite: backbones and their evaluations."""

    name: Annotated[str, Field(pattern=r"^[^./][^/]*$")]
    """Name of the store; default: the name of the file."""
    backbones: Several[BackboneRow]
    """Backbones, the rows of the suite."""
    evaluations: Several[EvaluationEntry]
    """Evaluations of each row."""
    seeds: Seeds = 0
    """Seeds of the runs."""
    table: Annotated[str | Several[Text], Said("a name or a list of names")] = ""
    """Table configs that show the suite."""
    title: str = ""
    """One line for reports."""
    allow_leakage: bool = False
    """Whether to evaluate on patients that were also used in training; results then state it."""
    threads: Count | None = None
    """Number of threads of each job; default: 1 for image encoders of up to 5 million parameters, otherwise
    each job's share of the cores.

    Results on a CPU depend on it. A suite that is to give the same numbers on every machine states it.
    """
    deterministic: bool = False
    """Whether to use deterministic algorithms on a GPU too, as always on a CPU (docs/same_numbers.md)."""
