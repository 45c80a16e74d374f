"""Pre-train in one process per GPU, where a suite gives several GPUs to a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prior_bench.errors import BenchError
from prior_bench.pretraining.config import PretrainConfig
from prior_bench.pretraining.folder import FINAL
from prior_bench.pretraining.trainer import pretrain
from prior_bench.runtime import bound


def pretrain_on(
    gpus: Sequence[str], config: PretrainConfig, work_dir: Path, seed: int, device: str, **how: Any
) -> Path:
    """Train as :func:`prior_bench.pretraining.trainer.pretrain` does, on several GPUs if there are.

    Args:
        gpus: as ``CUDA_VISIBLE_DEVICES`` names them. With one or none, this process trains.
        config, work_dir, seed, device: see there.
        how: further arguments.

    Raises:
        BenchError: a process failed; what it says is on stderr.
    """
    if len(gpus) < 2:
        return pretrain(config, work_dir, seed, device, **how)
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

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
    arguments = (config, work_dir, seed, device, how)
    try:
        with bound(list(gpus)):
            elastic_launch(settings, _train)(*arguments)
    except ChildFailedError as error:
        what = f"pre-training failed in one of its {len(gpus)} processes: {error.format_msg()}"
        raise BenchError(what, where=work_dir) from error
    return work_dir / FINAL


def _train(config: PretrainConfig, work_dir: Path, seed: int, device: str, how: dict[str, Any]) -> None:
    pretrain(config, work_dir, seed, device, **how)
