"""Optimiser and learning-rate schedule of a config."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.optim import OptimWrapper
from torch import nn

from prior_bench.errors import unknown_name
from prior_bench.pretraining.config import Optimizer, PretrainConfig
from prior_bench.pretraining.deferred_log import AmpKeepsNorm, KeepsNorm
from prior_bench.pretraining.gpu_speed import precision
from prior_bench.pretraining.schedule import Schedule, StagedLR
from prior_bench.runtime import fused


def parameter_groups(model: nn.Module, config: Optimizer) -> list[dict[str, Any]]:
    """Group the trainable parameters by weight decay and ``lr_scale``.

    Vectors and scalars (biases, normalisation, temperatures) have no weight decay.

    Raises:
        BenchError: no parameter's name starts with a key of ``lr_scale``.
    """
    for prefix in config.lr_scale:
        if not any(name.startswith(prefix) for name, _ in model.named_parameters()):
            known = [name for name, _ in model.named_children()]
            raise unknown_name("start of parameters", prefix, known, where="optimizer.lr_scale")
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            factors = [f for prefix, f in config.lr_scale.items() if name.startswith(prefix)]
            groups.setdefault((factors[0] if factors else 1.0, parameter.ndim > 1), []).append(parameter)
    return [
        {"params": parameters, "lr": config.lr * factor, "weight_decay": config.weight_decay * decayed}
        for (factor, decayed), parameters in groups.items()
    ]


def optim_wrapper(method: nn.Module, config: PretrainConfig, device: str) -> OptimWrapper:
    """Build the optimiser with gradient clipping and, on a GPU, mixed precision."""
    optimizer = config.optimizer
    made = getattr(torch.optim, optimizer.type)(
        parameter_groups(method, optimizer),
        lr=optimizer.lr,
        betas=tuple(optimizer.betas),
        **fused(optimizer.type, device),
    )
    clip = {"max_norm": config.clip_grad} if config.clip_grad else None
    if device.startswith("cuda") and config.precision != "float32":
        return AmpKeepsNorm(dtype=precision(config.precision), optimizer=made, clip_grad=clip)
    return KeepsNorm(made, clip_grad=clip)


def scheduler(schedule: Schedule, steps_per_epoch: int) -> dict[str, Any]:
    """Return the settings of mmengine's scheduler, which counts steps."""
    steps = schedule.ends[-1] * steps_per_epoch  # by default, mmengine uses the number of epochs
    return dict(type=StagedLR, schedule=schedule, steps_per_epoch=steps_per_epoch, end=steps)
