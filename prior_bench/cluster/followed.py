"""The jobs that were submitted, together with what Slurm's queue says of them now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from prior_bench.cluster.queue import QueuedJob
from prior_bench.cluster.sbatch import COMMENT
from prior_bench.schema.cluster_jobs import SubmittedJob


@dataclass(frozen=True)
class FollowedJob:
    """A job that was submitted.

    Attributes:
        job: as it is listed.
        queued: what the queue says; None if it has ended.
    """

    job: SubmittedJob
    queued: QueuedJob | None

    @property
    def cancellable(self) -> bool:
        """Whether it is in the queue, and its comment there says that this entry is of it.

        A list that came with a store, or is older than the numbers of the cluster, may name other jobs.
        """
        return self.queued is not None and self.queued.comment == COMMENT + self.job.token


def follow(jobs: list[SubmittedJob], queue: Mapping[str, QueuedJob]) -> list[FollowedJob]:
    """Look up jobs in the queue.

    A job whose number was not noted, because the process that submitted it was killed, is found by its
    comment; one that is not found was not submitted, and is left out.
    """
    by_comment = {(queued.comment, _index(queued.number)): queued for queued in queue.values()}
    found = []
    for job in jobs:
        queued = queue.get(job.number) if job.number else by_comment.get((COMMENT + job.token, job.index))
        if queued is not None and not job.number:
            job = job.model_copy(update={"number": queued.number})
        if queued is not None and job.cancelled and queued.state == "COMPLETING":
            queued = None  # it is being ended
        if job.number:
            found.append(FollowedJob(job, queued))
    return found


def keys_of(followed: list[FollowedJob], kind: str) -> dict[str, FollowedJob]:
    """Return the jobs of a kind that wait or run, by the keys of their cells or weights."""
    alive = [one for one in followed if one.queued is not None and one.job.kind == kind]
    return {key: one for one in alive for key in one.job.keys}


def without(followed: list[FollowedJob], done: set[str], renewed: set[str]) -> list[SubmittedJob]:
    """Return the jobs that the list keeps: those that wait or run, and the keys that others have not done.

    Args:
        followed: all jobs.
        done: keys of recorded cells and of weights that exist.
        renewed: keys that are submitted again.
    """
    kept = []
    for one in followed:
        job = one.job
        if one.queued is None:
            keys = [key for key in job.keys if key not in done and key not in renewed]
            job = job.model_copy(update={"keys": keys})
        if job.keys:
            kept.append(job)
    return kept


def _index(number: str) -> int:
    task = number.partition("_")[2]
    return int(task) if task.isdecimal() else 0


def numbered(jobs: list[SubmittedJob], numbers: list[str]) -> list[SubmittedJob]:
    """Return jobs with Slurm's numbers."""
    return [job.model_copy(update={"number": n}) for job, n in zip(jobs, numbers, strict=True)]
