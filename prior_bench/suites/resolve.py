"""Look up the names in a suite (tasks, data, protocols, sources of weights) and report what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prior_bench.api import BackboneSource, Protocol, Task
from prior_bench.data.generated import generated, not_yet
from prior_bench.data.open import locate
from prior_bench.data.references import resolve
from prior_bench.data.splitting.seeded import different_splits
from prior_bench.data.splitting.shots import shortages
from prior_bench.errors import BenchError, ErrorList, NotGeneratedError, NotThereError
from prior_bench.io.plain import plain
from prior_bench.registry import BACKBONES, DATASETS, TASKS
from prior_bench.schema.arguments import argument_errors
from prior_bench.schema.protocol import FewShot
from prior_bench.suites import protocols
from prior_bench.suites.filters import passes
from prior_bench.suites.suite import shots_of

if TYPE_CHECKING:
    from prior_bench.data.manifest import Manifest
    from prior_bench.suites.data_sets import DataSets


@dataclass
class Evaluation:
    """An evaluation of the suite with its names looked up.

    Attributes:
        absent: why its data are not there, in words; empty if they are.
        not_yet: whether its data are generated first, where nothing may be generated.
    """

    entry: dict[str, Any]
    where: str
    task: Task
    data: dict[str, Any]
    protocol: Protocol
    absent: str = ""
    not_yet: bool = False


def can_be_resolved(entry: dict[str, Any]) -> bool:
    """Whether an entry has what must be looked up, in kinds that can be; the schema reports all others."""
    texts = all(isinstance(entry.get(key), str) for key in ("task", "protocol"))
    return (
        texts
        and isinstance(entry.get("data"), (str, dict))
        and isinstance(entry.get("overrides"), (dict, type(None)))
    )


def resolve_evaluation(
    entry: dict, where: str, wanted: dict, tolerate_absent: bool, errors: list[BenchError]
) -> list[Evaluation]:
    """The resolved evaluation in a list; an empty list if resolving failed or filters exclude it."""
    task = attempt(errors, f"{where}.task", lambda: TASKS.get(entry["task"])())
    data = attempt(errors, f"{where}.data", data_reference, entry["data"])
    protocol = attempt(
        errors, f"{where}.protocol", protocols.load, entry["protocol"], dict(entry.get("overrides") or {})
    )
    if protocol and task and protocol.task != entry["task"]:
        fix = f"'{protocol.name}' is a protocol of {protocol.task}"
        errors.append(BenchError(f"not for the task '{entry['task']}'", where=f"{where}.protocol", fix=fix))
    if not (task and data and protocol):
        return []
    if not passes(wanted, task=entry["task"], data=data["name"], protocol=protocol.name):
        return []
    absent = _absent(data)
    if absent and not tolerate_absent:
        errors.append(BenchError(absent.what, where=f"{where}.data: {absent.where}", fix=absent.fix))
    return [Evaluation(entry, where, task, data, protocol, str(absent or ""), not_yet(data["root"]))]


def data_reference(reference: Any) -> dict[str, Any]:
    """Resolve a data reference and check its options against the reader's."""
    data = resolve(reference)
    options = {name: value for name, value in data.items() if name not in ("name", "type", "root", "cache")}
    reader, where = DATASETS.get(data["type"]), f"data set '{data['type']}'"
    if errors := argument_errors(reader, options, where, supplied=("root", "split")):
        raise ErrorList("unknown or missing options:", errors)
    return data


def _absent(data: dict[str, Any]) -> BenchError | None:
    """The error if a data set's folder or file does not exist; nothing is read or generated."""
    if generated(data["root"]):
        return None
    try:
        locate(data)
    except BenchError as error:
        what = f"the data set {data['name']} is not there"
        return BenchError(what, where=error.where, fix=error.fix)
    return None


def check_data(evaluation: Evaluation, data_sets: DataSets, seeds: list[int]) -> None:
    """Read the data and run the task's own check, for each split that the seeds make."""
    for seed in different_splits(evaluation.protocol.split, seeds):
        _check_split(evaluation, data_sets.open(plain(evaluation.data), evaluation.protocol.to_dict(), seed))


def _check_split(evaluation: Evaluation, manifest: Manifest) -> None:
    for annotation in evaluation.task.needs:
        if not manifest.has(annotation):
            raise BenchError(f"{manifest.name} has no {annotation}, which {evaluation.task.name} needs")
    evaluation.task.check(manifest, evaluation.protocol)
    if shots := shots_of(evaluation.entry):
        _check_shots(evaluation, manifest, max(shots))


def _check_shots(evaluation: Evaluation, manifest: Manifest, shots: int) -> None:
    """Raise BenchError if the task knows no shots, or a class has too few images for the largest number."""
    if not getattr(evaluation.task, "few_shot", False):
        what = f"the task '{evaluation.task.name}' cannot be run with a number of images per class"
        raise BenchError(what, where="shots", fix="leave out the shots")
    how = FewShot.model_validate(evaluation.protocol.few_shot)
    if errors := shortages(manifest.split("train"), shots, how):
        raise ErrorList(f"{shots} per class cannot be drawn:", errors, where=manifest.name)


def absent_file(row: dict[str, Any]) -> BenchError | None:
    """The error if a row names a weights file or folder that does not exist."""
    for name in ("path", "file"):
        place = row.get(name)
        if isinstance(place, str) and not Path(place).exists():
            what = f"the weights of {row['name']} are not there"
            fix = "put the file there; docs/protocols/README.md says which the papers' suites take"
            return BenchError(what, where=place, fix=fix)
    return None


def absent_weights(source: BackboneSource) -> BenchError | None:
    """The error if a source says that its weights must be obtained first; others of ``check`` are raised."""
    try:
        if (absent := getattr(source, "absent", lambda: None)()) is not None:
            return absent
        source.check()
    except NotThereError as error:
        return error
    return None


def make_source(row: dict[str, Any], check: bool = True) -> BackboneSource:
    """The source of a row's weights, from its config."""
    kind = BACKBONES.get(row["type"])
    arguments = {name: value for name, value in row.items() if name != "type"}
    if errors := argument_errors(kind, arguments, f"type '{row['type']}'"):
        raise ErrorList("unknown or missing arguments:", errors)
    source = kind(**arguments)
    if check:
        source.check()
    return source


def attempt(errors: list[BenchError], where: str, action: Any, *arguments: Any) -> Any:
    """Return the result of ``action``; a BenchError is added to ``errors`` with its place in the config."""
    try:
        return action(*arguments)
    except NotGeneratedError:
        raise  # no mistake of the config
    except BenchError as error:
        for problem in getattr(error, "errors", [error]):
            inner = f": {problem.where}" if problem.where is not None else ""
            errors.append(BenchError(problem.what, where=f"{where}{inner}", fix=problem.fix))
    return None
