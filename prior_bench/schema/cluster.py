"""The schema of cluster files (``configs/cluster``): what jobs of ``prior-bench submit`` ask Slurm for."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from prior_bench.schema.base import Count, Index, Positive, Said, Several, Strict, Text

MINUTES = {"min": 1, "h": 60, "d": 24 * 60}
LENGTH = re.compile(r"([1-9][0-9]{0,5}) ?(min|h|d)")
ONE_LINE = re.compile(r"[^\n\r\0]+")


def minutes_of(length: str) -> int:
    """Return the minutes of a length of time, e.g. 1440 for ``1d``.

    Raises:
        ValueError: it is none.
    """
    found = LENGTH.fullmatch(length.strip())
    if not found:
        raise ValueError(f"{length!r} is no length of time")
    return int(found[1]) * MINUTES[found[2]]


def _length(value: str) -> str:
    try:
        minutes_of(value)
    except ValueError as error:
        allowed = {"allowed": "a whole number with min, h or d, such as '90min'"}
        raise PydanticCustomError("allowed", "a length of time", allowed) from error
    return value


def _one_line(value: str) -> str:
    if not ONE_LINE.fullmatch(value):  # it becomes a line of a script
        raise PydanticCustomError("allowed", "one line", {"allowed": "one line of text"})
    return value


JobTime = Annotated[str, AfterValidator(_length)]
"""A whole number with its unit: min, h or d."""
Line = Annotated[str, AfterValidator(_one_line)]
"""One line of text that is not empty."""
Partitions = Annotated[Line | Several[Line], Said("a name or a list of names")]


class JobSection(Strict):
    """What a kind of job asks for; keys that are left out have the value of the cluster."""

    partition: Partitions | None = None
    """Partition, or several of which Slurm takes the first that is free."""
    account: Line | None = None
    """Account that is charged."""
    qos: Line | None = None
    """Quality of service."""
    constraint: Line | None = None
    """Features of nodes, as for ``sbatch --constraint``."""


class PretrainingJobs(JobSection):
    """Jobs that pre-train; each is one pre-training."""

    nodes: Count = 1
    """Number of nodes."""
    gpus_per_node: Index = 1
    """GPUs on each node, each with a process; 0 for one process per node on a CPU."""
    cpus: Count = 8
    """CPUs of each process."""
    memory: Line | None = None
    """Memory of each node, such as ``64G``; default: what Slurm gives."""
    time: JobTime = "24h"
    """Time limit of a job; one that reaches it saves its state and is queued again."""
    workers: Index = 0
    """Data loading processes of each process."""


class EvaluationJobs(JobSection):
    """Jobs that evaluate; each runs some cells of one backbone on one GPU."""

    gpus: Annotated[int, Field(ge=0, le=1)] = 1
    """GPUs of a job: 1, or 0 to evaluate on a CPU."""
    cpus: Count = 8
    """CPUs of a job."""
    memory: Line | None = None
    """Memory of a job, such as ``32G``; default: what Slurm gives."""
    time: JobTime = "4h"
    """Time limit of a job; one that reaches it is queued again and runs the cells that are left."""
    minutes_per_job: Positive = 20
    """Cells are put together to jobs of about this length where it is known how long they take."""
    cells_per_job: Count = 4
    """Number of cells of a job where it is not known."""
    workers: Index = 0
    """Data loading processes of a job."""


class TableJob(JobSection):
    """The job at the end, which writes the tables and the report; it needs no GPU."""

    cpus: Count = 2
    """CPUs of the job."""
    memory: Line | None = None
    """Memory of the job; default: what Slurm gives."""
    time: JobTime = "1h"
    """Time limit of the job."""


class ClusterFile(Strict):
    """A cluster and how its jobs are made. Nothing of it is in a key of a result."""

    partition: Partitions | None = None
    """Partition of all jobs; default: that of the cluster."""
    account: Line | None = None
    """Account of all jobs."""
    qos: Line | None = None
    """Quality of service of all jobs."""
    constraint: Line | None = None
    """Features of the nodes of all jobs."""
    gpu_type: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]*$")] = ""
    """Type of GPU, such as ``a100``, where Slurm must be told."""
    options: dict[Text, Line | int | bool] = {}
    """Further options of ``sbatch`` for all jobs, e.g. ``{"exclude": "n07"}``; true if without value."""
    setup: Several[Line] = ()
    """Lines of the job's script before the command: modules to load, an environment to activate."""
    python: Line | None = None
    """Command that starts Python in a job, e.g. in a container; default: the Python that submits."""
    warning_seconds: Annotated[int, Field(ge=10, le=3600)] = 120
    """Seconds before the time limit at which a job is told to save its state (``sbatch --signal``)."""
    requeues: Index = 20
    """How often a job is queued again after a time limit or a pre-emption; then it fails."""
    at_once: Count = 256
    """Number of jobs of an array that run at once."""
    array_size: Count = 1000
    """Number of jobs of an array (Slurm's ``MaxArraySize`` is 1001 by default)."""
    pretraining: PretrainingJobs = PretrainingJobs()
    """Jobs that pre-train."""
    evaluation: EvaluationJobs = EvaluationJobs()
    """Jobs that evaluate."""
    table: TableJob = TableJob()
    """Job that writes tables and report."""
