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

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from prior_bench.errors import BenchError, ErrorList
from prior_bench.schema.configs import key_errors, read_config

EVALUATION_KEYS = ("task", "data", "protocol", "fractions", "seeds", "overrides", "backbones")


@dataclass
class Suite:
    """What to run.

    Attributes:
        name: of the store.
        backbones: rows; each has ``name``, ``type`` (in BACKBONES) and the arguments of that type.
        evaluations: each has ``task``, ``data`` and ``protocol``, and may have ``fractions`` (default all
            labels), ``seeds`` (default the suite's), ``overrides`` (of protocol fields) and ``backbones``
            (names of the rows it is for; default all).
        seeds: seeds of the runs; backbones that are pre-trained or initialised here follow them.
        table: name of the table config that shows the suite, or a list of several; empty for none.
        title: one line for reports.
        allow_leakage: evaluate on patients that were trained on too (:mod:`prior_bench.suites.leakage`).
        where: the config file, for messages.
        instead_of: where the suite was put on other data (:mod:`prior_bench.suites.scale`), the evaluations
            in whose place those above are, one by one: what the table configs ask for.
        remark: put behind the titles of its tables.
        notes: sentences that its tables must carry.
        called: how commands name it; by default its name.
    """

    name: str
    backbones: list[dict[str, Any]]
    evaluations: list[dict[str, Any]]
    seeds: list[int] = field(default_factory=lambda: [0])
    table: str | list[str] = ""
    title: str = ""
    allow_leakage: bool = False
    where: str = "suite"
    instead_of: list[dict[str, Any]] = field(default_factory=list)
    remark: str = ""
    notes: list[str] = field(default_factory=list)
    called: str = ""

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
    known = ("name", "backbones", "evaluations", "seeds", "table", "title", "allow_leakage")
    values.setdefault("name", path.stem)
    errors = key_errors(values, known, ("backbones", "evaluations"), path)
    errors += [
        BenchError(f"'{key}' must be a list of dicts", where=path)
        for key in ("backbones", "evaluations")
        if key in values and not _dicts(values[key])
    ]
    if errors:
        raise ErrorList("the suite cannot be used:", errors, where=path)
    return Suite(**values, where=str(path))


def entry_errors(suite: Suite) -> list[BenchError]:
    """Problems of the entries' keys and plain values: everything that needs no registry to be seen."""
    errors = []
    if not suite.name or "/" in suite.name or suite.name.startswith("."):
        errors.append(BenchError(f"'{suite.name}' cannot name a folder", where="name"))
    errors += _seed_errors(suite.seeds, "seeds")
    names = [row.get("name") for row in suite.backbones]
    for i, row in enumerate(suite.backbones):
        place = f"backbones[{i}]"
        errors += key_errors(row, row, ("name", "type"), place)
        if row.get("name") in names[:i]:
            errors.append(BenchError(f"the name '{row['name']}' is taken by another row", where=place))
    for i, entry in enumerate(suite.evaluations):
        place = f"evaluations[{i}]"
        errors += key_errors(entry, EVALUATION_KEYS, ("task", "data", "protocol"), place)
        errors += _seed_errors(entry.get("seeds", []), f"{place}.seeds")
        for fraction in listed(entry.get("fractions", [1.0])):
            if isinstance(fraction, bool) or not isinstance(fraction, (int, float)) or not 0 < fraction <= 1:
                errors.append(BenchError(f"{fraction!r} is no share in (0, 1]", where=f"{place}.fractions"))
        for name in listed(entry.get("backbones", [])):
            if name not in names:
                errors.append(BenchError(f"no row is named '{name}'", where=f"{place}.backbones"))
    return errors


def fractions_of(entry: Mapping[str, Any]) -> list[float]:
    """Label fractions of an evaluation."""
    return [float(fraction) for fraction in listed(entry.get("fractions", [1.0]))]


def seeds_of(suite: Suite, entry: Mapping[str, Any]) -> list[int]:
    """Seeds of an evaluation."""
    return listed(entry.get("seeds", suite.seeds))


def listed(value: Any) -> list:
    """A list of what is one or given alone."""
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _dicts(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(item, Mapping) for item in value)


def _seed_errors(seeds: Any, where: str) -> list[BenchError]:
    wrong = [s for s in listed(seeds) if isinstance(s, bool) or not isinstance(s, int) or s < 0]
    return [BenchError(f"{seed!r} is no seed (0, 1, 2, …)", where=where) for seed in wrong]
