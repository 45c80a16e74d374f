"""From a suite to its runs: every cell resolved, checked and given the key its record is stored under.

All problems are gathered and raised together: first those that reading the config can show, then those
that the data sets show. No backbone is loaded and nothing is run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prior_bench import paths, protocols
from prior_bench.api import BackboneSource, Protocol, RunSpec, Task
from prior_bench.data.open import open_dataset, resolve
from prior_bench.engine.code import code_version, used_modules
from prior_bench.engine.configs import argument_errors
from prior_bench.engine.leakage import find_leaks
from prior_bench.engine.store import plain
from prior_bench.engine.suite import Suite, entry_errors, fractions_of, seeds_of
from prior_bench.errors import BenchError, ErrorList
from prior_bench.registry import BACKBONES, DATASETS, TASKS

if TYPE_CHECKING:
    from prior_bench.data.manifest import Manifest

NO_TEXT = "no text encoder"
"""Reason of a cell whose task compares images with texts and whose backbone has no text tower."""

FILTERS = ("backbone", "task", "data", "protocol", "fraction", "seed")


@dataclass(frozen=True)
class PlannedRun:
    """One cell of a plan.

    Attributes:
        spec: what to run.
        key: hash of all that determines the outcome; empty where it is not known.
        reason: why the cell cannot be run; empty where it can.
        identity: of the backbone's weights; runs with the same one share a loaded backbone.
        leaks: what is known of its test patients having been trained on, as clauses.
    """

    spec: RunSpec
    key: str = ""
    reason: str = ""
    identity: str = ""
    leaks: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The cell in words."""
        return describe(asdict(self.spec))


class DataSets:
    """Manifests by reference and split rule, each read once."""

    def __init__(self):
        self._read: dict[tuple[str, str], Manifest] = {}
        self._fingerprints: dict[int, str] = {}

    def open(self, data: dict[str, Any], protocol: dict[str, Any]) -> Manifest:
        """The manifest of a resolved reference, split by the protocol's rule."""
        rule = protocol["split"].get("rule", "default")
        key = (_json(data), rule)
        if key not in self._read:
            self._read[key] = open_dataset(dict(data), split=rule)
        return self._read[key]

    def already_read(self, data: dict[str, Any], protocol: dict[str, Any]) -> Manifest | None:
        """The manifest, where it has been read."""
        return self._read.get((_json(data), protocol["split"].get("rule", "default")))

    def fingerprint(self, data: dict[str, Any], protocol: dict[str, Any]) -> str:
        """Hash of the manifest's content."""
        manifest = self.open(data, protocol)
        if id(manifest) not in self._fingerprints:
            self._fingerprints[id(manifest)] = manifest.fingerprint()
        return self._fingerprints[id(manifest)]


@dataclass
class Plan:
    """A suite, expanded.

    Attributes:
        suite: where it came from.
        runs: cells in the order of the config: by backbone, seed, evaluation, fraction.
        sources: where each backbone's weights come from, by row name.
        data_sets: the manifests, already read.
        absent: data sets and weights that are not there, as messages (only where the plan was made to
            tolerate it).
        partial: whether filters left some cells of the suite out.
    """

    suite: Suite
    runs: list[PlannedRun]
    sources: dict[str, BackboneSource]
    data_sets: DataSets
    absent: list[str] = field(default_factory=list)
    partial: bool = False

    def runnable(self) -> list[PlannedRun]:
        """The cells that can be run."""
        return [run for run in self.runs if not run.reason]


@dataclass
class _Evaluation:
    """An evaluation of the suite, resolved."""

    entry: dict[str, Any]
    where: str
    task: Task
    data: dict[str, Any]
    protocol: Protocol
    absent: str = ""


@dataclass
class _Weights:
    """The weights of a row at one seed.

    Attributes:
        source: where they come from.
        identity: of theirs; empty where it is not known.
        reason: why they cannot be had; empty where they can.
    """

    source: BackboneSource
    identity: str = ""
    reason: str = ""


def expand(
    suite: Suite,
    *,
    only: Iterable[str] = (),
    tolerate_absent: bool = False,
) -> Plan:
    """Resolve and check a suite, and list its runs.

    Args:
        suite: what to run.
        only: filters ``FIELD=VALUE`` (fields: backbone, task, data, protocol, fraction, seed); values of one
            field are alternatives, fields narrow each other down.
        tolerate_absent: give the cells of a data set, or of weights, that are not there a reason instead of
            raising.

    Raises:
        ErrorList: everything that is wrong with the suite.
    """
    data_sets = DataSets()
    wanted = _filter(only)
    errors = entry_errors(suite)
    sources, without_file = {}, {}
    for i, row in enumerate(suite.backbones):
        if "name" in row and "type" in row and _passes(wanted, backbone=row["name"]):
            if tolerate_absent and (absent := _absent_file(row)):
                without_file[row["name"]] = absent
            check = row["name"] not in without_file
            sources[row["name"]] = _attempt(errors, f"backbones[{i}]", _source, row, check)
    evaluations = []
    for i, entry in enumerate(suite.evaluations):
        if {"task", "data", "protocol"} <= set(entry):
            where = f"evaluations[{i}]"
            evaluations += _resolve(entry, where, wanted, tolerate_absent, errors)
    _raise(errors, suite)
    for evaluation in evaluations:
        if not evaluation.absent:
            _attempt(errors, evaluation.where, _check_data, evaluation, data_sets)
    _raise(errors, suite)

    runs, problems = [], [str(error) for error in without_file.values()]
    for row in suite.backbones:
        if (source := sources.get(row["name"])) is None:
            continue
        for seed in sorted({s for e in evaluations for s in seeds_of(suite, e.entry)}):
            weights = _Weights(source, reason="weights not there" if row["name"] in without_file else "")
            if not weights.reason:
                unknown: list[BenchError] = []
                weights.identity = _attempt(unknown, f"backbone '{row['name']}'", source.identity, seed) or ""
                if unknown and tolerate_absent:
                    weights.reason = "pre-training data not there"
                    problems += map(str, unknown)
                else:
                    errors += unknown
            for evaluation in evaluations:
                if seed in seeds_of(suite, evaluation.entry) and (weights.identity or weights.reason):
                    cells = _cells(evaluation, row, weights, seed, data_sets)
                    runs += [cell for cell in cells if _passes(wanted, **_fields(cell.spec))]
    runs = find_leaks(runs, sources, data_sets, suite.allow_leakage, errors)
    _raise(errors, suite)
    if not runs:
        raise BenchError("nothing to run", where=suite.where, fix="loosen --only" if wanted else "")
    absent = list(dict.fromkeys([*(e.absent for e in evaluations if e.absent), *problems]))
    return Plan(suite, runs, sources, data_sets, absent, partial=bool(wanted))


def describe(spec: dict[str, Any]) -> str:
    """A RunSpec, as plain types, in words."""
    fields = _fields(RunSpec(**spec))
    fields["fraction"] = f"{100 * spec['fraction']:g} %"
    return " · ".join([*list(fields.values())[:-1], f"seed {spec['seed']}"])


def run_key(spec: RunSpec, identity: str, fingerprint: str, code: str) -> str:
    """Hash of all that determines a run's outcome.

    Args:
        spec: its task, protocol (less the free-text ``source``), fraction and seed count.
        identity: of the weights.
        fingerprint: of the data.
        code: version of the code that the task uses.
    """
    protocol = {name: value for name, value in spec.protocol.items() if name != "source"}
    parts = [identity, spec.task, protocol, fingerprint, spec.fraction, spec.seed, code]
    return hashlib.sha256(_json(parts).encode()).hexdigest()[:16]


@cache
def task_code(task: type) -> str:
    """Version of the code that a task uses: its module, what that imports of ours, and the encoders."""
    return code_version(*used_modules(task.__module__), "prior_bench.encoders")


def _resolve(
    entry: dict, where: str, wanted: dict, tolerate_absent: bool, errors: list[BenchError]
) -> list[_Evaluation]:
    """The evaluation with its names looked up, in a list; empty where that failed or is not wanted."""
    task = _attempt(errors, f"{where}.task", lambda: TASKS.get(entry["task"])())
    data = _attempt(errors, f"{where}.data", _data_reference, entry["data"])
    protocol = _attempt(
        errors, f"{where}.protocol", protocols.load, entry["protocol"], dict(entry.get("overrides") or {})
    )
    if protocol and task and protocol.task != entry["task"]:
        fix = f"'{protocol.name}' is a protocol of {protocol.task}"
        errors.append(BenchError(f"not for the task '{entry['task']}'", where=f"{where}.protocol", fix=fix))
    if not (task and data and protocol):
        return []
    if not _passes(wanted, task=entry["task"], data=data["name"], protocol=protocol.name):
        return []
    absent = _absent(data)
    if absent and not tolerate_absent:
        errors.append(BenchError(absent.what, where=f"{where}.data: {absent.where}", fix=absent.fix))
    return [_Evaluation(entry, where, task, data, protocol, str(absent or ""))]


def _data_reference(reference: Any) -> dict[str, Any]:
    """The reference resolved, its options checked against what the reader takes."""
    data = resolve(reference)
    options = {name: value for name, value in data.items() if name not in ("name", "type", "cache")}
    if errors := argument_errors(DATASETS.get(data["type"]), options, f"data set '{data['type']}'"):
        raise ErrorList("unknown or missing options:", errors)
    return data


def _absent(data: dict[str, Any]) -> BenchError | None:
    """What is wrong where a data set's folder or file is not there; nothing is read or generated."""
    root = str(data["root"])
    if root.startswith("sample:"):
        return None
    place = Path(root) if Path(root).exists() or Path(root).is_absolute() else paths.data_root() / root
    if place.exists():
        return None
    kind = data["type"]
    fix = f"put the data set there, set PRIOR_BENCH_DATA, or name its place: {kind}@DIR"
    return BenchError(f"the data set {data['name']} is not there", where=place, fix=fix)


def _check_data(evaluation: _Evaluation, data_sets: DataSets) -> None:
    """Read the data and let the task object."""
    manifest = data_sets.open(plain(evaluation.data), evaluation.protocol.to_dict())
    for annotation in evaluation.task.needs:
        if not manifest.has(annotation):
            raise BenchError(f"{manifest.name} has no {annotation}, which {evaluation.task.name} needs")
    evaluation.task.check(manifest, evaluation.protocol)


def _absent_file(row: dict[str, Any]) -> BenchError | None:
    """What is wrong where a row names a weights file or folder that is not there."""
    for name in ("path", "file"):
        place = row.get(name)
        if isinstance(place, str) and not Path(place).exists():
            what = f"the weights of {row['name']} are not there"
            return BenchError(what, where=place, fix="put the file there; docs/checkpoints.md says which")
    return None


def _source(row: dict[str, Any], check: bool = True) -> BackboneSource:
    kind = BACKBONES.get(row["type"])
    arguments = {name: value for name, value in row.items() if name != "type"}
    if errors := argument_errors(kind, arguments, f"type '{row['type']}'"):
        raise ErrorList("unknown or missing arguments:", errors)
    source = kind(**arguments)
    if check:
        source.check()
    return source


def _cells(
    evaluation: _Evaluation,
    row: dict[str, Any],
    weights: _Weights,
    seed: int,
    data_sets: DataSets,
) -> Iterable[PlannedRun]:
    for_rows = evaluation.entry.get("backbones", [row["name"]])
    if row["name"] not in ([for_rows] if isinstance(for_rows, str) else for_rows):
        return
    for fraction in fractions_of(evaluation.entry):
        spec = RunSpec(
            backbone=plain(row),
            task=evaluation.entry["task"],
            data=plain(evaluation.data),
            protocol=plain(evaluation.protocol.to_dict()),
            fraction=fraction,
            seed=seed,
        )
        if weights.reason:
            yield PlannedRun(spec, reason=weights.reason)
        elif evaluation.task.needs_text and not weights.source.has_text:
            yield PlannedRun(spec, reason=getattr(weights.source, "text_problem", "") or NO_TEXT)
        elif evaluation.absent:
            yield PlannedRun(spec, reason="data not there")
        else:
            fingerprint = data_sets.fingerprint(spec.data, spec.protocol)
            key = run_key(spec, weights.identity, fingerprint, task_code(type(evaluation.task)))
            yield PlannedRun(spec, key, identity=weights.identity)


def _fields(spec: RunSpec) -> dict[str, str]:
    return {
        "backbone": spec.backbone["name"],
        "task": spec.task,
        "data": spec.data["name"],
        "protocol": spec.protocol["name"],
        "fraction": f"{spec.fraction:g}",
        "seed": str(spec.seed),
    }


def _filter(only: Iterable[str]) -> dict[str, set[str]]:
    wanted: dict[str, set[str]] = {}
    for text in only:
        name, equals, value = text.partition("=")
        if not equals or name not in FILTERS:
            fix = f"FIELD=VALUE, where FIELD is one of {', '.join(FILTERS)}"
            raise BenchError(f"'{text}' is no filter", where="--only", fix=fix)
        wanted.setdefault(name, set()).add(f"{float(value):g}" if name == "fraction" else value)
    return wanted


def _passes(wanted: dict[str, set[str]], **fields: str) -> bool:
    return all(fields[name] in values for name, values in wanted.items() if name in fields)


def _attempt(errors: list[BenchError], where: str, action: Any, *arguments: Any) -> Any:
    """What ``action`` returns; its BenchError is put on the list, with the place in the config."""
    try:
        return action(*arguments)
    except BenchError as error:
        for problem in getattr(error, "errors", [error]):
            inner = f": {problem.where}" if problem.where is not None else ""
            errors.append(BenchError(problem.what, where=f"{where}{inner}", fix=problem.fix))
    return None


def _raise(errors: list[BenchError], suite: Suite) -> None:
    if errors:
        unique = list({str(error): error for error in errors}.values())
        raise ErrorList(f"{len(unique)} problem(s), nothing was run:", unique, where=suite.where)


def _json(value: Any) -> str:
    return json.dumps(plain(value), sort_keys=True)
