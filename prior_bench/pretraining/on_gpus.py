"""Pre-train, or do something else, in one process per GPU, as torchrun does."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from prior_bench.errors import BenchError, Requeued
from prior_bench.pretraining.config import PretrainConfig
from prior_bench.pretraining.folder import FINAL
from prior_bench.pretraining.processes import SaidElsewhere
from prior_bench.pretraining.trainer import pretrain
from prior_bench.runtime import bound, own_modules

HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
"""Signals whose handlers torch replaces and leaves so."""
PASSED_ON = (signal.SIGUSR1, signal.SIGUSR2)
"""Signals that :mod:`prior_bench.pretraining.stop_signals` knows and torch does not pass on."""
LATER = 3.0
"""Seconds after which a process ends that stops because of another one."""
REPORTS = ("multiprocessing", "agent.server")
"""Parts of torch that log what is said in one message here."""


def pretrain_on(
    gpus: Sequence[str], config: PretrainConfig, work_dir: Path, seed: int, device: str, **how: Any
) -> Path:
    """Train as :func:`prior_bench.pretraining.trainer.pretrain` does, in one new process per GPU.

    Args:
        gpus: as ``CUDA_VISIBLE_DEVICES`` names them. Without any, this process trains.
        config, work_dir, seed, device: see there.
        how: further arguments.

    Raises:
        BenchError: a process failed or was killed.
        Requeued: the state was saved on SIGUSR2.
    """
    if not gpus:
        return pretrain(config, work_dir, seed, device, **how)
    passed: list[int] = []
    try:
        with _passed_on(passed):
            in_processes(gpus, work_dir.name, _train, config, work_dir, seed, device, how)
    except ChildFailedError as error:
        if signal.SIGUSR2 in passed:  # the processes have saved their state, and ended
            raise Requeued from error
        raise _why_failed(error, work_dir, gpus) from error
    return work_dir / FINAL


def in_processes(
    gpus: Sequence[str], name: str, do: Callable[..., Any], *arguments: Any
) -> Mapping[int, Any]:
    """Call a function in one new process per GPU, as torchrun starts them; return what each has returned.

    Args:
        gpus: as ``CUDA_VISIBLE_DEVICES`` names them.
        name: of what is done, for torch.
        do: function of a module. It calls :func:`begin_process` first.
        arguments: for it; they are pickled.

    Raises:
        ChildFailedError: a process failed or was killed; the others were ended.
    """
    settings = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=len(gpus),
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        run_id=name,
        max_restarts=0,
        start_method="spawn",
    )
    try:
        with bound(list(gpus)), own_modules(), _quietly():
            return elastic_launch(settings, do)(*arguments)
    except SignalException as error:
        signal.raise_signal(error.sigval)  # now with the handler of before
        raise KeyboardInterrupt from error


def begin_process() -> None:
    """Let a process of :func:`in_processes` end with its parent, and load data as others do."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the system sends it when the parent is killed
    multiprocessing.set_start_method(None, force=True)  # data loaders take the platform's way


def _train(config: PretrainConfig, work_dir: Path, seed: int, device: str, how: dict[str, Any]) -> None:
    begin_process()
    try:
        pretrain(config, work_dir, seed, device, **how)
    except SaidElsewhere:
        time.sleep(LATER)  # torch tells of the first failure alone, and ends the other processes
        raise
    except Requeued:  # torch takes an interruption for the parent's, and waits for a result
        sys.exit(os.EX_TEMPFAIL)


def _why_failed(error: ChildFailedError, work_dir: Path, gpus: Sequence[str]) -> BenchError:
    message, where = what_failed(error, gpus)
    if not where:
        return BenchError(message)
    fix = "where memory ran out, take a smaller batch or more GPUs; then run the same command again"
    return BenchError(f"pre-training failed in {where}: {message}", where=work_dir, fix=fix)


def what_failed(error: ChildFailedError, gpus: Sequence[str]) -> tuple[str, str]:
    """Return what the process says that failed first, and which one it is; "" if its message says enough."""
    failure = error.get_first_failure()[1]
    message = failure.message if isinstance(failure.message, str) else str(failure.message.get("message"))
    kind, _, said = message.partition(": ")
    ours: list[type[BenchError]] = [BenchError, *BenchError.__subclasses__()]
    if kind in [one.__name__ for one in ours]:
        return said, ""
    return message, f"process {failure.local_rank} of {len(gpus)} (GPU {gpus[failure.local_rank]})"


@contextmanager
def _quietly() -> Iterator[None]:
    """Restore the handlers of signals after the block; inside, torch's own reports of failures are off."""
    before = {number: signal.getsignal(number) for number in HANDLED}
    loggers = [logging.getLogger(f"torch.distributed.elastic.{name}.api") for name in REPORTS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _passed_on(passed: list[int]) -> Iterator[None]:
    """Pass signals on to the processes that are started inside the block, and add them to a list."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers
        return

    def pass_on(number: int, frame: FrameType | None) -> None:
        passed.append(number)
        for process in multiprocessing.active_children():
            if process.pid is not None:
                os.kill(process.pid, number)

    before = {number: signal.signal(number, pass_on) for number in PASSED_ON}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
