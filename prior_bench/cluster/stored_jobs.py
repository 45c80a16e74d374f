"""What a job does, as data: from a plan to the files of jobs, and in a job back to a plan.

A job's plan has its own cells alone. It reads the data sets of these cells, and no other: not those that
weights were pre-trained on, whose fingerprint it takes from the file. So a job of a large suite reads little.
"""

from __future__ import annotations

from typing import Any

from prior_bench.api import BackboneSource, RunSpec
from prior_bench.cluster.planned import PlannedJob
from prior_bench.schema.cluster_jobs import StoredJob, StoredOptions, StoredRun, StoredTraining
from prior_bench.schema.records import StoredSpec
from prior_bench.store.changed_source import task_source
from prior_bench.suites.data_sets import DataSets
from prior_bench.suites.plan import Plan, PlannedRun
from prior_bench.suites.resolve import make_source
from prior_bench.suites.suite import Suite


def stored(job: PlannedJob, plan: Plan, options: StoredOptions) -> StoredJob:
    """Return a job as data."""
    runs = [_run(run, plan) for run in job.runs] if job.kind == "evaluation" else []
    trainings = [training for run in job.runs[:1] for training in _trainings(run, plan)]
    return StoredJob(kind=job.kind, title=job.title, suite=options, runs=runs, trainings=trainings)


def plan_of(job: StoredJob) -> Plan:
    """Return the plan of a job: its cells as they were planned. Nothing is read yet."""
    rows: dict[str, dict[str, Any]] = {training.row["name"]: training.row for training in job.trainings}
    runs = []
    for run in job.runs:
        spec = RunSpec(**run.spec.model_dump(exclude_unset=True))
        rows[spec.backbone["name"]] = spec.backbone
        leaks, versions = tuple(run.leaks), dict(run.versions)
        runs.append(PlannedRun(spec, run.key, "", run.identity, leaks, versions))
    options = job.suite
    suite = Suite(
        options.name,
        list(rows.values()),
        [],
        allow_leakage=options.allow_leakage,
        threads=options.threads,
        deterministic=options.deterministic,
        called=options.called,
    )
    sources = {name: _source(row, job) for name, row in rows.items()}
    return Plan(suite, runs, sources, DataSets(), partial=True)


def _source(row: dict[str, Any], job: StoredJob) -> BackboneSource:
    source: Any = make_source(row)
    if job.kind == "evaluation" and hasattr(source, "assume"):
        for training in job.trainings:
            source.assume(training.fingerprint)
    return source


def _run(run: PlannedRun, plan: Plan) -> StoredRun:
    spec = run.spec
    return StoredRun(
        spec=StoredSpec.model_validate(spec.to_dict()),
        key=run.key,
        identity=run.identity,
        fingerprint=plan.data_sets.fingerprint(spec.data, spec.protocol, spec.seed),
        source=task_source(spec.task),
        leaks=list(run.leaks),
        versions=run.versions,
    )


def _trainings(run: PlannedRun, plan: Plan) -> list[StoredTraining]:
    source: Any = plan.sources[run.spec.backbone["name"]]
    if not hasattr(source, "is_made"):
        return []
    return [
        StoredTraining(
            row=run.spec.backbone,
            seed=run.spec.seed,
            identity=run.identity,
            **source.made_from(),
        )
    ]
