"""Submit what a suite lacks and what is not queued yet; the same call again submits nothing twice."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from prior_bench import paths
from prior_bench.cluster import sbatch
from prior_bench.cluster.costs import Costs
from prior_bench.cluster.followed import FollowedJob, follow, keys_of, numbered, without
from prior_bench.cluster.jobs_folder import JobsFolder
from prior_bench.cluster.planned import PlannedJob, plan_jobs
from prior_bench.cluster.queue import QueuedJob, cancel, queue
from prior_bench.cluster.stored_jobs import stored
from prior_bench.engine.execute import merged_plan, to_do
from prior_bench.schema.cluster import ClusterFile
from prior_bench.schema.cluster_jobs import StoredOptions, SubmittedJob
from prior_bench.store.store import Store
from prior_bench.suites.plan import Plan

NAMES = {"pretraining": "pretrain", "evaluation": "eval", "table": "table"}
"""Kinds of jobs in Slurm's lists."""


@dataclass(frozen=True)
class Survey:
    """What a suite lacks.

    Attributes:
        jobs: that would be submitted now, without the last one, which writes the tables.
        followed: all jobs that were submitted before.
        done: number of recorded cells.
        queued: number of cells that wait or run in a job, or that another process runs.
    """

    jobs: list[PlannedJob]
    followed: list[FollowedJob]
    done: int
    queued: int


def survey(
    plan: Plan, store: Store, cluster: ClusterFile, called: str, queued: dict[str, QueuedJob]
) -> Survey:
    """Compare a plan with the store and the queue.

    Args:
        plan: of the suite.
        store: of the suite.
        cluster: how large jobs are.
        called: how commands name the suite.
        queued: Slurm's queue.

    Raises:
        BenchError: the list of jobs is damaged, or a pre-training does not fit the cluster.
    """
    followed = follow(JobsFolder(store).jobs(), queued)
    missing, busy = to_do(plan, store), keys_of(followed, "evaluation")
    free = [run for run in missing if run.key not in busy and store.claims.owner(run.key) is None]
    trained, pretrained = keys_of(followed, "pretraining"), paths.results_root() / "pretrain"
    jobs = plan_jobs(plan, free, cluster, Costs(store, called), pretrained, trained)
    every = len({run.key for run in plan.runnable()})
    return Survey(jobs, followed, every - len(missing), len(missing) - len(free))


def submit_suite(
    plan: Plan, store: Store, cluster: ClusterFile, options: StoredOptions, say: Callable[[str], None] = print
) -> int:
    """Submit a suite's pre-trainings, evaluations that wait for them, and a job that writes the tables.

    Args:
        plan: of the suite, or of a part of it.
        store: of the suite.
        cluster: what jobs ask for.
        options: how jobs compute.
        say: takes a line per submission.

    Returns:
        The number of jobs, without that of the tables.

    Raises:
        BenchError: Slurm or submitit is missing, or Slurm refuses a job; earlier jobs stay submitted.
    """
    sbatch.require_slurm()
    folder = JobsFolder(store)
    with folder.alone():
        found = survey(plan, store, cluster, options.called, queue())
        with store.changing_plan():
            store.save_plan(merged_plan(plan, store))
        recorded = {run.key for run in plan.runnable()} - {run.key for run in to_do(plan, store)}
        renewed = {key for job in found.jobs for key in job.keys}
        listed = without(found.followed, recorded, renewed)
        submitter = _Submitter(plan, cluster, options, folder, listed, say)
        numbers = {key: one.job.number for key, one in keys_of(found.followed, "pretraining").items()}
        for jobs in _submissions(found.jobs, cluster.array_size):
            after = [numbers[jobs[0].needs]] if jobs[0].needs else []
            for job, number in zip(jobs, submitter.submit(jobs, after), strict=True):
                if job.kind == "pretraining":
                    numbers[job.keys[0]] = number
        if found.jobs:
            submitter.submit_table()
    return len(found.jobs)


def cancel_suite(store: Store) -> int:
    """Cancel the jobs of a suite that wait or run, and no others; return their number.

    Raises:
        BenchError: Slurm cannot be asked, or refuses.
    """
    folder = JobsFolder(store)
    if not folder.jobs():
        return 0
    with folder.alone():
        followed = follow(folder.jobs(), queue())
        alive = {one.job.number for one in followed if one.cancellable}
        cancel(sorted(alive))
        jobs = [one.job for one in followed]
        folder.save(
            [job.model_copy(update={"cancelled": True}) if job.number in alive else job for job in jobs]
        )
    return len(alive)


def _submissions(jobs: list[PlannedJob], most: int) -> Iterator[list[PlannedJob]]:
    """Yield the jobs of each call of ``sbatch``: a pre-training, or evaluations that wait for the same."""
    arrays: dict[str, list[PlannedJob]] = {}
    for job in jobs:
        if job.kind == "pretraining":
            yield [job]
        else:
            arrays.setdefault(job.needs, []).append(job)
    for array in arrays.values():
        for first in range(0, len(array), most):
            yield array[first : first + most]


class _Submitter:
    """Submits jobs, and lists them before Slurm knows of them, so that none is ever lost."""

    def __init__(
        self,
        plan: Plan,
        cluster: ClusterFile,
        options: StoredOptions,
        folder: JobsFolder,
        listed: list[SubmittedJob],
        say: Callable[[str], None],
    ):
        self.plan, self.cluster, self.options, self.folder = plan, cluster, options, folder
        self.listed, self.say = listed, say

    def submit(self, jobs: list[PlannedJob], after: list[str]) -> list[str]:
        """Submit jobs that ask for the same; return their numbers."""
        kind, token = jobs[0].kind, secrets.token_hex(8)
        workers = 0 if kind == "table" else getattr(self.cluster, kind).workers
        options = self.options.model_copy(update={"workers": workers})
        files = [self.folder.add(stored(job, self.plan, options)) for job in jobs]
        now = datetime.now(UTC).isoformat(timespec="seconds")
        entries = [
            SubmittedJob(
                token=token,
                index=index,
                kind=kind,
                title=job.title,
                keys=list(job.keys),
                file=file,
                submitted=now,
            )
            for index, (job, file) in enumerate(zip(jobs, files, strict=True))
        ]
        self.folder.save([*self.listed, *entries])
        places, name = [self.folder.path(file) for file in files], self._name(jobs)
        shape, folder = jobs[0].shape, self.folder.submitit(token)
        numbers = sbatch.submit(places, kind, name, token, self.cluster, folder, shape=shape, after=after)
        self.listed += numbered(entries, numbers)
        self.folder.save(self.listed)
        self.say(f"{_numbers(numbers)}: {name}" + (f", after {', '.join(after)}" if after else ""))
        return numbers

    def submit_table(self) -> None:
        """Submit the job that writes the tables after all others, in place of an earlier one."""
        earlier = [job for job in self.listed if job.kind == "table"]
        cancel([one.job.number for one in follow(earlier, queue()) if one.cancellable])
        self.listed = [job for job in self.listed if job.kind != "table"]
        alive = follow(self.listed, queue())
        after = [one.job.number.partition("_")[0] for one in alive if one.queued is not None]
        name = self.options.name
        self.submit([PlannedJob("table", f"tables of {name}", (name,))], list(dict.fromkeys(after)))

    def _name(self, jobs: list[PlannedJob]) -> str:
        title = jobs[0].title if len({job.title for job in jobs}) == 1 else "several backbones"
        kind, suite = NAMES[jobs[0].kind], self.options.name
        return f"{suite} {kind}" if kind == "table" else f"{suite} {kind} {title}"


def _numbers(numbers: list[str]) -> str:
    if len(numbers) == 1:
        return f"job {numbers[0]}"
    return f"jobs {numbers[0]} to {numbers[-1].partition('_')[2]}"
