"""The jobs that would be submitted, as text."""

from __future__ import annotations

from prior_bench.cluster.planned import PlannedJob
from prior_bench.cluster.submission import Survey
from prior_bench.schema.cluster import ClusterFile

KINDS = {"pretraining": "pre-training", "evaluation": "evaluation", "table": "tables"}


def dry_run_text(found: Survey, cluster: ClusterFile) -> str:
    """Return one line per job with what it waits for and its time, and the counts."""
    lines = [f"{KINDS[job.kind]:<12}  {job.title}: {_what(job, cluster)}" for job in found.jobs]
    if found.jobs:
        lines.append(f"{KINDS['table']:<12}  after all others")
    trainings = sum(job.kind == "pretraining" for job in found.jobs)
    evaluations = [job for job in found.jobs if job.kind == "evaluation"]
    cells = sum(len(job.keys) for job in evaluations)
    known = [job.seconds for job in evaluations if job.seconds is not None]
    if known:
        unknown = sum(len(job.keys) for job in evaluations if job.seconds is None)
        without = f", without {unknown} cells of unknown time" if unknown else ""
        lines.append(f"estimated time of evaluation, one job after another: {clock(sum(known))}{without}")
    lines.append(
        f"{found.done + found.queued + cells} cells: {found.done} done, {found.queued} queued or running, "
        f"{cells} in {len(evaluations)} new jobs; new pre-trainings: {trainings}"
    )
    return "\n".join(lines)


def clock(seconds: float) -> str:
    """Return hours and minutes, such as ``1:05 h``, or minutes for less than an hour."""
    minutes = max(1, round(seconds / 60))
    return f"{minutes // 60}:{minutes % 60:02d} h" if minutes >= 60 else f"{minutes} min"


def _what(job: PlannedJob, cluster: ClusterFile) -> str:
    if job.kind == "pretraining":
        nodes, gpus = job.shape or (1, 0)
        size = f"nodes x GPUs {nodes} x {gpus}" if gpus else f"nodes {nodes}, on CPUs"
        return f"{size}, at most {cluster.pretraining.time} before it is queued again"
    time = "" if job.seconds is None else f", about {clock(job.seconds)}"
    after = ", after its pre-training" if job.needs else ""
    return f"{len(job.keys)} {'cell' if len(job.keys) == 1 else 'cells'}{time}{after}"
