"""A suite: the matrix of backbones, evaluations, label fractions and seeds that a config file spells out.

A suite config is an mmengine Python config::

    name = "demo"
    backbones = [dict(name="Random", type="random", config="convirt_sample"), ...]
    evaluations = [
        dict(task="classification", data="sample:chexpert", protocol="demo/linear_probe",
             fractions=[0.01, 0.1, 1.0]),
        ...
    ]
    seeds = [0, 1, 2]
    table = "demo"  # or a list of tables

:mod:`prior_bench.suites.scale` puts a suite on other data than its own.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Any

from prior_bench.api import RehearsalSize
from prior_bench.errors import BenchError, ErrorList
from prior_bench.schema.arguments import key_errors
from prior_bench.schema.errors import attempted
from prior_bench.schema.reading import read_config
from prior_bench.schema.suite import SuiteConfig


@dataclass
class Suite:
    """What to run.

    Attributes:
        name: of the store.
        backbones: rows; each has ``name``, ``type`` (in BACKBONES) and the arguments of that type.
        evaluations: each has ``task``, ``data`` and ``protocol``, and may have ``fractions`` (default all
            labels), ``shots`` (images per class), ``seeds`` (default the suite's), ``overrides`` (of
            protocol fields) and ``backbones`` (names of the rows it is for; default all).
        seeds: seeds of the runs; backbones that are pre-trained or initialised here follow them.
        table: name of the table config that shows the suite, or a list of several; empty for none.
        title: one line for reports.
        allow_leakage: evaluate on patients that were trained on too (:mod:`prior_bench.suites.leakage`).
        threads: number of threads of each job; None for 1 where the model is small, and otherwise the job's
            share of the cores (:func:`prior_bench.runtime.usual_threads`).
        deterministic: whether to use deterministic algorithms on a GPU as well.
        where: the config file, for messages.
        instead_of: where the suite was put on other data (:mod:`prior_bench.suites.scale`), the evaluations
            in whose place those above are, one by one: what the table configs ask for.
        remark: put behind the titles of its tables.
        notes: sentences that its tables must carry.
        called: how commands name it; by default its name.
        rehearsal: how much of each run is done (:mod:`prior_bench.suites.rehearse`); None for all of it.
    """

    name: str
    backbones: list[dict[str, Any]]
    evaluations: list[dict[str, Any]]
    seeds: list[int] = field(default_factory=lambda: [0])
    table: str | list[str] = ""
    title: str = ""
    allow_leakage: bool = False
    threads: int | None = None
    deterministic: bool = False
    where: str = "suite"
    instead_of: list[dict[str, Any]] = field(default_factory=list)
    remark: str = ""
    notes: list[str] = field(default_factory=list)
    called: str = ""
    rehearsal: RehearsalSize | None = None

    def __post_init__(self):
        self.called = self.called or self.name
        self.backbones = [dict(row) for row in self.backbones]
        self.evaluations = [dict(entry) for entry in self.evaluations]

    @property
    def tables(self) -> list[str]:
        """Names of the table configs that show the suite."""
        return listed(self.table) if self.table else []


def load_suite(name: str) -> Suite:
    """The suite of a config file, checked for its keys only (see :func:`prior_bench.suites.plan.expand`).

    Args:
        name: a path to a .py file, or the name of a shipped suite.

    Raises:
        BenchError: no such config, or unknown, missing or ill-typed keys (all together).
    """
    values, path = read_config(name, "suites")
    values.setdefault("name", path.stem)
    errors = key_errors(values, SuiteConfig.model_fields, ("backbones", "evaluations"), path)
    errors += [
        BenchError("must be a list of dicts", where=key)
        for key in ("backbones", "evaluations")
        if key in values and not _dicts(values[key])
    ]
    if errors:
        raise ErrorList("the suite cannot be used:", errors, where=path)
    return Suite(**values, where=str(path))


def entry_errors(suite: Suite, given: Container[str] = ()) -> list[BenchError]:
    """Check the keys and values of the entries; a suite need not come from a file.

    Args:
        given: names of rows whose sources exist already, so that their types are not looked up.
    """
    errors = attempted(SuiteConfig, {name: getattr(suite, name) for name in SuiteConfig.model_fields})[1]
    types = {f"backbones[{i}].type" for i, row in enumerate(suite.backbones) if is_named(row, given)}
    errors = [error for error in errors if str(error.where) not in types]
    names = [row.get("name") for row in suite.backbones]
    errors += [
        BenchError(f"the name '{name}' is taken by another row", where=f"backbones[{i}].name")
        for i, name in enumerate(names)
        if name in names[:i]
    ]
    errors += [
        BenchError(f"no row is named '{name}'", where=f"evaluations[{i}].backbones")
        for i, entry in enumerate(suite.evaluations)
        for name in listed(entry.get("backbones") or [])
        if name not in names
    ]
    return errors


def is_named(row: Mapping[str, Any], names: Container[str]) -> bool:
    """Whether a row has one of these names; what is no text is none."""
    name = row.get("name")
    return isinstance(name, str) and name in names


def fractions_of(entry: Mapping[str, Any]) -> list[float]:
    """Label fractions of an evaluation; none if it has only shots."""
    default = [] if entry.get("shots") else [1.0]
    return [float(fraction) for fraction in listed(entry.get("fractions", default))]


def shots_of(entry: Mapping[str, Any]) -> list[int]:
    """Numbers of training images per class of an evaluation's few-shot runs."""
    return listed(entry.get("shots", []))


def seeds_of(suite: Suite, entry: Mapping[str, Any]) -> list[int]:
    """Seeds of an evaluation."""
    return listed(entry.get("seeds", suite.seeds))


def listed(value: Any) -> list:
    """The value as a list; a single value becomes a list of one."""
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _dicts(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(item, Mapping) for item in value)
