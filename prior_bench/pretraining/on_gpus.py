"""Pre-train in one process per GPU, as torchrun does."""

from __future__ import annotations

import logging
import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from prior_bench.errors import BenchError
from prior_bench.pretraining.config import PretrainConfig
from prior_bench.pretraining.folder import FINAL
from prior_bench.pretraining.trainer import pretrain
from prior_bench.runtime import bound

HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
"""Signals whose handlers torch replaces and leaves so."""
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
    """
    if not gpus:
        return pretrain(config, work_dir, seed, device, **how)
    settings = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=len(gpus),
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        run_id=work_dir.name,
        max_restarts=0,
        start_method="spawn",
    )
    try:
        with bound(list(gpus)), _quietly():
            elastic_launch(settings, _train)(config, work_dir, seed, device, how)
    except ChildFailedError as error:
        raise _why_failed(error, work_dir, gpus) from error
    except SignalException as error:
        signal.raise_signal(error.sigval)  # now with the handler of before
        raise KeyboardInterrupt from error
    return work_dir / FINAL


def _train(config: PretrainConfig, work_dir: Path, seed: int, device: str, how: dict[str, Any]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the system sends it when the parent is killed
    multiprocessing.set_start_method(None, force=True)  # data loaders take the platform's way
    pretrain(config, work_dir, seed, device, **how)


def _why_failed(error: ChildFailedError, work_dir: Path, gpus: Sequence[str]) -> BenchError:
    failure = error.get_first_failure()[1]
    message = failure.message if isinstance(failure.message, str) else str(failure.message.get("message"))
    kind, _, said = message.partition(": ")
    if kind == BenchError.__name__:
        return BenchError(said)
    where = f"process {failure.local_rank} of {len(gpus)} (GPU {gpus[failure.local_rank]})"
    fix = "where memory ran out, take a smaller batch or more GPUs; then run the same command again"
    return BenchError(f"pre-training failed in {where}: {message}", where=work_dir, fix=fix)


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
