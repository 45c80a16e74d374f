"""The processes that train together: how they meet, wait for each other, and find out that they differ."""

from __future__ import annotations

import itertools
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist

from prior_bench.errors import BenchError
from prior_bench.pretraining.launch import Launch, device_index, launched
from prior_bench.pretraining.meeting import ANSWER, alive, gone, meet

READING = timedelta(hours=1)
"""How long processes wait for one that still reads its data set."""
START = timedelta(minutes=15)
"""How long processes wait for each other at the start; a shared disk may need minutes to load torch."""
TRAINING = timedelta(minutes=30)
"""How long a step waits for another process, e.g. for one that validates."""

GONE = re.compile("connection (closed|reset|was)|broken pipe|timed out|socket (closed|error)", re.IGNORECASE)
"""What gloo says where another process is gone."""

_groups = itertools.count()
"""Numbers of the groups that this process has joined; a launcher's store keeps the keys of earlier ones."""


class SaidElsewhere(BenchError):
    """The error of a process that stops because of another one, which says what is wrong."""


@dataclass
class Processes:
    """All processes of a training; of one that trains alone, everything is trivial.

    Attributes:
        rank, count: number of this process, and number of all processes.
        store: store of words that all processes see; None for one process.
        words: group for exchanges of a few words.
        steps: group for exchanges between training steps, over the CPU.
    """

    rank: int = 0
    count: int = 1
    store: Any = None
    words: Any = None
    steps: Any = None

    def __post_init__(self):
        self._meetings = itertools.count()

    def gather(self, value: Any, *, training: bool = False) -> list[Any]:
        """Return the values of all processes, in the order of their ranks.

        Args:
            value: what this process has to say.
            training: whether others may still be in a step or in a validation, and are waited for.

        Raises:
            BenchError: a process does not answer.
        """
        if self.count == 1:
            return [value]
        values: list[Any] = [None] * self.count
        try:
            dist.all_gather_object(values, value, group=self.steps if training else self.words)
        except RuntimeError as error:
            raise gone(error) from error
        return values

    def together(self, what: str, do: Callable[[], Any], limit: timedelta | None = None) -> list[Any]:
        """Do something in every process; return what each has, once all are done.

        Args:
            what: what is done, for the line that says who is waited for.
            do: function without arguments.
            limit: longest time to wait for others; None waits for the first one as long as it takes.

        Raises:
            BenchError: a process could not do it. It and the first process say why; all processes stop.
        """
        if self.count == 1:
            return [do()]
        found, error = None, None
        try:
            found = do()
        except BenchError as own:
            error = own
        self.meet(what, limit)
        told = self.gather((found, error and (error.what, str(error.where or ""), error.fix)))
        for rank, (_, problem) in enumerate(told):
            if problem:
                if error is not None and rank == self.rank:
                    raise error
                what_is_wrong, where, fix = problem
                if self.rank:
                    who = f"process {rank} cannot train; {'it and process 0 say' if rank else 'it says'} why"
                    raise SaidElsewhere(who)
                raise BenchError(
                    f"process {rank} of {self.count}: {what_is_wrong}", where=where or None, fix=fix
                )
        return [value for value, _ in told]

    def meet(self, what: str, limit: timedelta | None = None) -> None:
        """Wait until all processes are here; say from time to time who is waited for.

        Unlike a barrier, it waits for hours if it must: until another training of the same run has ended.
        """
        if self.count > 1:
            meet(self.store, f"meeting {next(self._meetings)}", self.rank, self.count, what, limit)

    def after_first(self, what: str) -> None:
        """Let the others wait until the first process has come here; it waits for nobody."""
        if self.count > 1:
            name = f"meeting {next(self._meetings)}"
            meet(self.store, name, self.rank, self.count, what, None, [] if self.rank == 0 else [0])


def is_of_another(error: RuntimeError) -> bool:
    """Return whether torch says that another process is gone; it has no class for such errors."""
    return isinstance(error, dist.DistError) or bool(GONE.search(str(error)))


@contextmanager
def joined(device: str, slurm: bool = True) -> Iterator[Processes]:
    """Join the processes that torchrun or srun started, if any, and leave them at the end.

    mmengine cannot do this without a GPU.

    Args:
        device: ``cpu`` or ``cuda``; with several processes, each takes a GPU of its own.
        slurm: whether the tasks of a Slurm step train together.

    Raises:
        BenchError: the others cannot be reached, or one of them ends.
    """
    launch = launched(slurm=slurm)
    if dist.is_initialized():  # by the caller
        store = dist.PrefixStore(f"words {next(_groups)}", dist.distributed_c10d._get_default_store())
        with alive(store, dist.get_rank()):
            yield _processes(store, dist.get_rank(), dist.get_world_size())
        return
    if launch is None:
        if device.startswith("cuda:"):
            torch.cuda.set_device(device)
        yield Processes()
        return
    if device != "cpu":
        torch.cuda.set_device(device_index(launch.local_rank, torch.cuda.device_count()))
    store = dist.PrefixStore(f"prior-bench {next(_groups)}", _store(launch))
    with alive(store, launch.rank), _group(launch, store, device) as processes:
        yield processes


@contextmanager
def _group(launch: Launch, store: Any, device: str) -> Iterator[Processes]:
    meet(store, "start", launch.rank, launch.processes, "the start of all processes", START)
    try:
        dist.init_process_group(
            "gloo" if device == "cpu" else "nccl",
            store=dist.PrefixStore("group", store),
            rank=launch.rank,
            world_size=launch.processes,
            timeout=TRAINING,
        )
    except (RuntimeError, ValueError) as error:
        raise gone(error) from error
    try:
        yield _processes(store, launch.rank, launch.processes)
    except RuntimeError as error:
        if is_of_another(error):
            raise gone(error) from error
        raise
    finally:
        dist.destroy_process_group()


def _processes(store: Any, rank: int, count: int) -> Processes:
    if count == 1:
        return Processes()
    steps = None if dist.get_backend() == "gloo" else dist.new_group(backend="gloo", timeout=TRAINING)
    return Processes(rank, count, store, dist.new_group(backend="gloo", timeout=ANSWER), steps)


def _store(launch: Launch) -> Any:
    """Return the store of torchrun's agent, or one in the first process of a Slurm step."""
    try:
        if launch.launcher == "torchrun":
            return next(dist.rendezvous("env://", timeout=START))[0]
        address = reachable(launch.address)
        return dist.TCPStore(
            address, launch.port, launch.processes, launch.rank == 0, timeout=START, wait_for_workers=False
        )
    except (RuntimeError, OSError) as error:
        place = f"{launch.address}:{launch.port}"
        reason = " ".join(str(error).split())[:200]
        fix = "name another address or port: MASTER_ADDR, MASTER_PORT"
        raise BenchError(f"the first process cannot be reached: {reason}", where=place, fix=fix) from error


def reachable(host: str) -> str:
    """Return a name or address of a host that this machine knows; Slurm may know one that DNS does not."""
    try:
        socket.getaddrinfo(host, None)
        return host
    except OSError:
        pass
    try:
        told = subprocess.run(["scontrol", "show", "node", host], capture_output=True, text=True, timeout=30)  # nosec B603 B607
    except (OSError, subprocess.SubprocessError):
        return host
    words = dict(word.partition("=")[::2] for word in told.stdout.split())
    return words.get("NodeAddr") or host
