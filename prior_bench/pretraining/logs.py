"""Logs of a pre-training run: the log file, TensorBoard and Weights & Biases."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from prior_bench.errors import BenchError
from prior_bench.pretraining.config import PretrainConfig


def close_logs(logger: logging.Logger) -> None:
    """Close the log files of a completed run."""
    for handler in list(logger.handlers):
        if isinstance(handler, logging.FileHandler):
            logger.removeHandler(handler)  # later messages would open the file again
            handler.close()


def check_logs(config: PretrainConfig) -> None:
    """Raise BenchError if a log of the config needs a package that is not installed."""
    from importlib.util import find_spec

    if "wandb" in config.log and find_spec("wandb") is None:
        raise BenchError("wandb is not installed", where="log", fix="pip install 'prior-bench[wandb]'")


def log_backends(config: PretrainConfig, work_dir: Path) -> list[dict[str, Any]]:
    """Return mmengine's settings of the logs that the config names."""
    kinds: dict[str, dict[str, Any]] = {
        "tensorboard": {"type": "TensorboardVisBackend", "save_dir": str(work_dir / "tensorboard")},
        "wandb": {
            "type": "WandbVisBackend",
            "save_dir": str(work_dir / "wandb"),
            "init_kwargs": {"project": "prior-bench", "name": f"{config.name}-{work_dir.name}"},
        },
    }
    return [kinds[log] for log in config.log]
