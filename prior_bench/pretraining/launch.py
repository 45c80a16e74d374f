"""Who started this process: alone, with torchrun, or as one of the tasks of a Slurm step (``srun -n N``)."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import NamedTuple

from prior_bench.errors import BenchError

FIRST_PORT, PORTS = 20_000, 12_000
"""Ports for Slurm steps; they are below those that Linux gives to outgoing connections."""
SPECIAL_STEPS = 0xFFFFFFF0
"""Numbers of Slurm steps from here on stand for the batch script, an interactive shell and the like."""
TORCHRUN = ("RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
ALONE = (
    "start it with torchrun, or with srun -n N inside a job; alone: env -u WORLD_SIZE, or srun -n 1 "
    "(docs/scaling.md)"
)


class Launch(NamedTuple):
    """One of several processes that train together.

    Attributes:
        launcher: ``torchrun`` or ``slurm``.
        rank, processes: number of this process, from 0, and number of all processes.
        local_rank: number of this process on its machine, from 0.
        address, port: where the first process listens.
    """

    launcher: str
    rank: int
    processes: int
    local_rank: int
    address: str
    port: int


def launched(environment: Mapping[str, str] | None = None, slurm: bool = True) -> Launch | None:
    """Return this process's place among several, as its environment tells; None if it trains alone.

    The variables of torchrun count before those of Slurm, because torchrun may run inside a Slurm step. A
    batch script is not a task of a step, even if its job has several tasks.

    Args:
        environment: environment variables; by default those of this process.
        slurm: whether the tasks of a Slurm step train together; each could also run a suite of its own.

    Raises:
        BenchError: variables are missing, or are not what they should be.
    """
    environment = os.environ if environment is None else environment
    if "WORLD_SIZE" in environment:
        return _of_torchrun(environment)
    return _of_slurm(environment) if slurm else None


def is_first() -> bool:
    """Return whether this process speaks for all: it is alone, or the first of several."""
    launch = launched()
    return launch is None or launch.rank == 0


def device_index(local_rank: int, visible: int) -> int:
    """Return the GPU of a process: the launcher may show it all GPUs of its machine, or its own alone.

    Args:
        local_rank: number of the process on its machine.
        visible: number of GPUs that it sees, at least 1.
    """
    return local_rank % visible


def first_host(nodes: str) -> str:
    """Return the first host of Slurm's node list: ``n07`` for ``n[07-09,12],m1``.

    Raises:
        BenchError: the list is empty.
    """
    first = re.split(r",(?![^\[]*\])", nodes)[0].strip()
    if not first:
        raise BenchError("names no host", where="SLURM_STEP_NODELIST", fix=ALONE)
    return re.sub(r"\[([^\],-]+)[^\]]*\]", r"\1", first)


def _of_torchrun(environment: Mapping[str, str]) -> Launch | None:
    processes = _number(environment, "WORLD_SIZE")
    if processes <= 1:
        return None
    if missing := [name for name in TORCHRUN if not environment.get(name)]:
        what = f"is {processes}, but {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set"
        raise BenchError(what, where="WORLD_SIZE", fix=ALONE)
    rank, local, port = (_number(environment, name) for name in ("RANK", "LOCAL_RANK", "MASTER_PORT"))
    return _checked(Launch("torchrun", rank, processes, local, environment["MASTER_ADDR"], port), "RANK")


def _of_slurm(environment: Mapping[str, str]) -> Launch | None:
    step = environment.get("SLURM_STEP_ID") or environment.get("SLURM_STEPID") or ""
    if not step.isdigit() or int(step) >= SPECIAL_STEPS or "SLURM_PROCID" not in environment:
        return None  # a batch script has the number of tasks, too
    tasks = "SLURM_STEP_NUM_TASKS" if "SLURM_STEP_NUM_TASKS" in environment else "SLURM_NTASKS"
    processes = _number(environment, tasks) if tasks in environment else 1
    if processes <= 1:
        return None
    rank, local = _number(environment, "SLURM_PROCID"), _number(environment, "SLURM_LOCALID")
    job = environment.get("SLURM_JOB_ID") or environment.get("SLURM_JOBID") or "0"
    # an array's tasks have jobs of their own, and two steps of a job differ in their number
    port = FIRST_PORT + (int(job) * 31 + int(step)) % PORTS if job.isdigit() else FIRST_PORT
    if environment.get("MASTER_PORT"):
        port = _number(environment, "MASTER_PORT")
    address = environment.get("MASTER_ADDR") or _address(environment)
    return _checked(Launch("slurm", rank, processes, local, address, port), "SLURM_PROCID")


def _address(environment: Mapping[str, str]) -> str:
    """Return the address of the step's first host; on a single host, no name needs to be known."""
    nodes = environment.get("SLURM_STEP_NUM_NODES") or environment.get("SLURM_NNODES")
    if nodes == "1":
        return "127.0.0.1"
    lists = ("SLURM_STEP_NODELIST", "SLURM_NODELIST", "SLURM_JOB_NODELIST")
    return first_host(next((environment[name] for name in lists if environment.get(name)), ""))


def _checked(launch: Launch, where: str) -> Launch:
    if launch.rank >= launch.processes:
        raise BenchError(f"is {launch.rank}, of {launch.processes} processes", where=where, fix=ALONE)
    return launch


def _number(environment: Mapping[str, str], name: str) -> int:
    value = environment.get(name, "")
    if not value.isdigit():
        raise BenchError(f"is {value!r} and should be a whole number", where=name, fix=ALONE)
    return int(value)
