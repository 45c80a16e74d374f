"""From a suite to its runs: every cell resolved, checked and given the key its record is stored under.

All problems are gathered and raised together: first those that reading the config can show, then those
that the data sets show. No backbone is loaded and nothing is run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from prior_bench.api import BackboneSource, RehearsalSize, RunSpec
from prior_bench.errors import BenchError, ErrorList, NotGeneratedError
from prior_bench.io.plain import plain
from prior_bench.store.cells import describe
from prior_bench.suites.data_sets import DataSets
from prior_bench.suites.filters import fields_of, passes, read_filters
from prior_bench.suites.keys import rehearsal_key, run_key, run_versions
from prior_bench.suites.leakage import find_leaks
from prior_bench.suites.resolve import (
    Evaluation,
    absent_file,
    absent_weights,
    attempt,
    can_be_resolved,
    check_data,
    make_source,
    resolve_evaluation,
)
from prior_bench.suites.sizes import wrong_size
from prior_bench.suites.stored import VectorCheck, lacking_pixels
from prior_bench.suites.suite import Suite, entry_errors, fractions_of, is_named, seeds_of, shots_of

NO_TEXT = "no text encoder"
"""Reason of a cell whose task compares images with texts and whose backbone has no text tower."""

NO_VECTORS = "embeddings not there"
"""Reason of a cell for whose images or texts no vectors are stored; only in a plan that tolerates it."""


@dataclass(frozen=True)
class PlannedRun:
    """One cell of a plan.

    Attributes:
        spec: what to run.
        key: hash of all that determines the outcome; empty where it cannot be run, and where data are
            generated first (:func:`prior_bench.data.generated.nothing_generated`).
        reason: why the cell cannot be run; empty where it can.
        identity: of the backbone's weights; runs with the same one share a loaded backbone.
        leaks: what is known of its test patients having been trained on, as clauses.
        versions: declared ones of everything that the run uses.
        gpus: of the protocol; the spec leaves it out, because it determines nothing.
    """

    spec: RunSpec
    key: str = ""
    reason: str = ""
    identity: str = ""
    leaks: tuple[str, ...] = ()
    versions: dict[str, int] = field(default_factory=dict)
    gpus: int = 1

    @property
    def label(self) -> str:
        """The cell in words."""
        return describe(self.spec.to_dict())


@dataclass
class Plan:
    """A suite with all its cells.

    Attributes:
        suite: where it came from.
        runs: cells in the order of the config: by backbone, seed, evaluation, fraction, shots.
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
class _Weights:
    """The weights of a row at one seed.

    Attributes:
        source: where they come from.
        identity: of the weights; empty where it is not known.
        reason: why they cannot be obtained; empty if they can.
        not_yet: whether the identity is known only when the data to train on are generated.
    """

    source: BackboneSource
    identity: str = ""
    reason: str = ""
    not_yet: bool = False


def expand(
    suite: Suite,
    *,
    only: Iterable[str] = (),
    tolerate_absent: bool = False,
    given: Mapping[str, BackboneSource] | None = None,
) -> Plan:
    """Resolve and check a suite, and list its runs.

    Args:
        suite: what to run.
        only: filters ``FIELD=VALUE`` (fields: backbone, task, data, protocol, fraction, shots, seed);
            values of one field are alternatives, fields narrow each other down.
        tolerate_absent: give the cells of a data set, or of weights, that are not there a reason instead of
            raising.
        given: sources of rows, by name, that are there already and are not made from the row's config.

    Raises:
        ErrorList: everything that is wrong with the suite.
    """
    data_sets = DataSets()
    wanted = read_filters(only)
    errors = entry_errors(suite, given or {})
    flawed = {str(error.where).partition(".")[0] for error in errors}
    sources, without_file = dict(given or {}), {}
    for i, row in enumerate(suite.backbones):
        if is_named(row, sources):
            continue
        if f"backbones[{i}]" not in flawed and passes(wanted, backbone=row["name"]):
            where = f"backbones[{i}]"
            source = attempt(errors, where, make_source, row, not tolerate_absent)
            if tolerate_absent and source is not None:
                absent = absent_file(row) or attempt(errors, where, absent_weights, source)
                if absent is not None:
                    without_file[row["name"]] = absent
            sources[row["name"]] = source
    evaluations = []
    for i, entry in enumerate(suite.evaluations):
        if can_be_resolved(entry):
            where = f"evaluations[{i}]"
            evaluations += resolve_evaluation(entry, where, wanted, tolerate_absent, errors)
    _raise(errors, suite)
    for evaluation in evaluations:
        if not (evaluation.absent or evaluation.not_yet):
            seeds = seeds_of(suite, evaluation.entry)
            attempt(errors, evaluation.where, check_data, evaluation, data_sets, seeds)
    _raise(errors, suite)

    runs: list[PlannedRun] = []
    problems: list[BenchError] = list(without_file.values())
    vectors = VectorCheck(data_sets)
    for row in suite.backbones:
        if (source := sources.get(row["name"])) is None:
            continue
        for seed in sorted({s for e in evaluations for s in seeds_of(suite, e.entry)}):
            weights = _Weights(source, reason="weights not there" if row["name"] in without_file else "")
            if not weights.reason:
                unknown: list[BenchError] = []
                try:
                    found = attempt(unknown, f"backbone '{row['name']}'", source.identity, seed)
                    weights.identity = found or ""
                except NotGeneratedError:
                    weights.not_yet = True
                if unknown and tolerate_absent:
                    weights.reason = "pre-training data not there"
                    problems += unknown
                else:
                    errors += unknown
            for evaluation in evaluations:
                known = weights.identity or weights.reason or weights.not_yet
                if seed in seeds_of(suite, evaluation.entry) and known:
                    planned = _cells(evaluation, row, weights, seed, data_sets, suite.rehearsal)
                    cells = [cell for cell in planned if passes(wanted, **fields_of(cell.spec))]
                    runnable = any(not cell.reason for cell in cells) and not evaluation.not_yet
                    if runnable and (lost := vectors.missing(source, evaluation, seed)) is not None:
                        (problems if tolerate_absent else errors).append(lost)
                        cells = [PlannedRun(c.spec, reason=c.reason or NO_VECTORS) for c in cells]
                    runs += cells
    runs = find_leaks(runs, sources, data_sets, suite.allow_leakage, errors)
    _raise(errors, suite)
    if not runs:
        raise BenchError("nothing to run", where=suite.where, fix="loosen --only" if wanted else "")
    lacking = list(dict.fromkeys([*(e.absent for e in evaluations if e.absent), *map(str, problems)]))
    return Plan(suite, runs, sources, data_sets, lacking, partial=bool(wanted))


def _cells(
    evaluation: Evaluation,
    row: dict[str, Any],
    weights: _Weights,
    seed: int,
    data_sets: DataSets,
    rehearsal: RehearsalSize | None,
) -> Iterable[PlannedRun]:
    for_rows = evaluation.entry.get("backbones", [row["name"]])
    if row["name"] not in ([for_rows] if isinstance(for_rows, str) else for_rows):
        return
    entry = evaluation.entry
    amounts = [(fraction, None) for fraction in fractions_of(entry)]
    for fraction, shots in [*amounts, *((1.0, shots) for shots in shots_of(entry))]:
        spec = RunSpec(
            backbone=plain(row),
            task=evaluation.entry["task"],
            data=plain(evaluation.data),
            protocol=plain(replace(evaluation.protocol, gpus=1).to_dict()),
            fraction=fraction,
            seed=seed,
            shots=shots,
        )
        if weights.reason:
            yield PlannedRun(spec, reason=weights.reason)
        elif lacking := lacking_pixels(weights.source, evaluation.task, evaluation.protocol):
            yield PlannedRun(spec, reason=lacking)
        elif evaluation.task.needs_text and not weights.source.has_text:
            yield PlannedRun(spec, reason=getattr(weights.source, "text_problem", "") or NO_TEXT)
        elif lacking := _lacking(evaluation, weights.source):
            yield PlannedRun(spec, reason=lacking)
        elif unfit := wrong_size(weights.source, evaluation.protocol):
            yield PlannedRun(spec, reason=unfit)
        elif evaluation.absent:
            yield PlannedRun(spec, reason="data not there")
        elif evaluation.not_yet or weights.not_yet:
            yield PlannedRun(spec)
        else:
            fingerprint = data_sets.fingerprint(spec.data, spec.protocol, spec.seed)
            versions = run_versions(spec)
            key = run_key(spec, weights.identity, fingerprint, versions)
            key = key if rehearsal is None else rehearsal_key(key, rehearsal)
            gpus = evaluation.protocol.gpus if rehearsal is None else 1
            yield PlannedRun(spec, key, identity=weights.identity, versions=versions, gpus=gpus)


def _lacking(evaluation: Evaluation, source: BackboneSource) -> str:
    """What the task needs and the source's method does not have; empty where nothing is known to lack."""
    lacks = getattr(evaluation.task, "lacks", None)
    method = getattr(source, "method_class", None)
    return lacks(method, evaluation.protocol) if lacks is not None and method is not None else ""


def _raise(errors: list[BenchError], suite: Suite) -> None:
    if errors:
        unique = list({str(error): error for error in errors}.values())
        raise ErrorList(f"{len(unique)} problem(s), nothing was run:", unique, where=suite.where)
