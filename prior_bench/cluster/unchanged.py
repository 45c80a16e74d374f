"""Is everything as it was when the suite was submitted? A job that waited for days refuses if it is not.

Keys are derived again from what is there now. Source code is compared too, although no key contains it: the
cells of a suite shall not come from several states of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prior_bench.errors import BenchError, ErrorList
from prior_bench.schema.cluster_jobs import StoredJob, StoredRun, StoredTraining
from prior_bench.store.changed_source import task_source
from prior_bench.suites.keys import run_key, run_versions
from prior_bench.suites.plan import Plan, PlannedRun

AGAIN = "submit the suite again: prior-bench submit {suite}"


def require_unchanged(job: StoredJob, plan: Plan) -> None:
    """Derive the keys of a job's cells and weights again.

    Args:
        job: as it was submitted.
        plan: of :func:`prior_bench.cluster.stored_jobs.plan_of`.

    Raises:
        ErrorList: what has changed since then.
    """
    found: dict[str, str] = {}
    for training in job.trainings:
        found |= _of_training(training, plan, job.kind == "pretraining")
    for noted, run in zip(job.runs, plan.runs, strict=True):
        found |= _of_run(noted, run, plan)
    if found:
        fix = AGAIN.format(suite=job.suite.called)
        errors = [BenchError(what, where=where, fix=fix) for where, what in found.items()]
        raise ErrorList("changed since the suite was submitted, so that nothing was run:", errors)


def _of_training(noted: StoredTraining, plan: Plan, trains: bool) -> dict[str, str]:
    """What has changed of a pre-training, by place; source code counts only where it ``trains``."""
    source: Any = plan.sources[noted.row["name"]]
    today = source.made_from()
    found = _versions(noted.versions, today["versions"])
    if trains and today["fingerprint"] != noted.fingerprint:
        found["data"] = _text("content", noted.fingerprint, today["fingerprint"])
    if trains and today["source"] != noted.source:
        found["source code of its method"] = _text("it", noted.source, today["source"])
    if not found and (identity := source.identity(noted.seed)) != noted.identity:
        found["config"] = _text("identity", noted.identity, identity)
    where = f"pre-training of '{noted.row['name']}'"
    return {f"{where}: {part}": what for part, what in found.items()}


def _of_run(noted: StoredRun, run: PlannedRun, plan: Plan) -> dict[str, str]:
    """What has changed of a cell, by place."""
    spec = run.spec
    versions = run_versions(spec)
    found = _versions(noted.versions, versions)
    fingerprint = plan.data_sets.fingerprint(spec.data, spec.protocol, spec.seed)
    if fingerprint != noted.fingerprint:
        found[f"data set '{spec.data['name']}'"] = _text("content", noted.fingerprint, fingerprint)
    identity = plan.sources[spec.backbone["name"]].identity(spec.seed)
    if identity != noted.identity:
        found[f"backbone '{spec.backbone['name']}'"] = _text("identity", noted.identity, identity)
    if (code := task_source(spec.task)) != noted.source:
        found[f"source code of the task '{spec.task}'"] = _text("it", noted.source, code)
    if not found and (key := run_key(spec, identity, fingerprint, versions)) != noted.key:
        found[run.label] = _text("key", noted.key, key)
    return found


def _versions(noted: Mapping[str, int], today: Mapping[str, int]) -> dict[str, str]:
    names = dict.fromkeys([*noted, *today])
    changed = [name for name in names if noted.get(name, 1) != today.get(name, 1)]
    return {
        f"declared version of {name}": _text("it", noted.get(name, 1), today.get(name, 1)) for name in changed
    }


def _text(what: str, before: object, now: object) -> str:
    return f"{what} was {before}, and is {now} now"
