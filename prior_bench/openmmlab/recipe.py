"""What a protocol says about training, as configs of mmengine: optimiser, learning rates, rounds."""

from __future__ import annotations

from typing import Any

from prior_bench.runtime import fused
from prior_bench.schema.protocol import Stopping, TrainingOptimizer

NEARLY_ZERO = 1e-12
"""First factor of a warm-up from zero; mmengine multiplies each rate by a ratio, and cannot leave zero."""


VALID_LOSS = "valid_loss"
"""Name of the validation loss among the metrics of a validation."""
NEVER = 1_000_000_000
"""Last step of a schedule without an end; mmengine would end it with training, maybe within the warm-up."""


def optim_wrapper(optimizer: TrainingOptimizer, device: str, shared: bool = False) -> dict[str, Any]:
    """Return the config of the optimiser, its groups, clipping and precision.

    Args:
        optimizer, device: what is wanted, and where.
        shared: whether several processes share each batch.
    """
    # mmengine's AMP asserts a GPU, and bf16 on a CPU is slower than float32
    amp = optimizer.amp and device.startswith("cuda")
    named = ("type", "lr", "weight_decay", "betas")
    inner = {key: value for key in named if (value := getattr(optimizer, key)) is not None}
    if optimizer.frozen_lr is not None:
        inner["lr"] = optimizer.frozen_lr
    inner |= fused(optimizer.type, device)
    wrapper: dict[str, Any] = dict(type="AmpOptimWrapper" if amp else "OptimWrapper", optimizer=inner)
    if shared:
        wrapper["type"] = f"Shared{wrapper['type']}"
    if optimizer.backbone_lr_scale is not None:
        scale = dict(backbone=dict(lr_mult=optimizer.backbone_lr_scale))
        wrapper["paramwise_cfg"] = dict(custom_keys=scale)
    if optimizer.clip is not None:
        wrapper["clip_grad"] = dict(max_norm=optimizer.clip)
    return wrapper


def schedule(optimizer: TrainingOptimizer, iterations: int, monitor: str) -> list[dict[str, Any]]:
    """Return the config of a linear warm-up over ``warmup`` iterations, followed by ``schedule``.

    The schedule is ``constant``, ``cosine`` (to zero at the end or after ``total`` iterations),
    ``cosine_wave`` (the same, but it rises again after ``total``, and its warm-up begins at zero), ``linear``
    (to zero at the end), or ``plateau`` (multiplied by ``factor`` (0.5) after more than ``patience`` (3)
    validations in a row without a better ``monitor``, or without a lower loss: ``plateau_on``). After
    ``frozen_steps``, the rate changes from ``frozen_lr`` to ``lr``.
    """
    if optimizer.frozen_lr is not None:
        change = optimizer.lr / optimizer.frozen_lr
        return [dict(type="MultiStepLR", milestones=[optimizer.frozen_steps], gamma=change, by_epoch=False)]
    total = iterations if optimizer.total is None else optimizer.total
    if optimizer.schedule == "cosine_wave":
        return _wave(optimizer.warmup, total)
    warmup = min(optimizer.warmup, iterations - 1)
    parts: list[dict[str, Any]] = []
    if warmup > 0:
        start = dict(start_factor=optimizer.warmup_start)
        parts.append(dict(type="LinearLR", **start, by_epoch=False, begin=0, end=warmup))
    if optimizer.schedule == "cosine":
        parts.append(
            dict(type="CosineAnnealingLR", T_max=total - warmup, by_epoch=False, begin=warmup, end=total)
        )
    elif optimizer.schedule == "linear":
        parts.append(dict(type="PolyLR", power=1.0, by_epoch=False, begin=warmup, end=iterations))
    elif optimizer.schedule == "plateau":
        how = dict(factor=optimizer.factor, patience=optimizer.patience)
        if optimizer.plateau_on == "valid_loss":
            watched = dict(monitor=VALID_LOSS, rule="less")
        else:
            watched = dict(monitor=monitor, rule="greater")
        parts.append(dict(type="ReduceOnPlateauLR", **watched, **how))
    return parts


def _wave(warmup: int, total: int) -> list[dict[str, Any]]:
    """Rate of step k: peak x k / warmup, then peak x (1 + cos(pi (k - warmup) / (total - warmup))) / 2."""
    cosine = dict(type="CosineAnnealingLR", T_max=total - warmup, by_epoch=False, begin=warmup, end=NEVER)
    if not warmup:
        return [cosine]
    # mmengine reaches the end factor one step before ``end``
    rise = dict(type="LinearLR", start_factor=NEARLY_ZERO, by_epoch=False, begin=0, end=warmup + 1)
    return [rise, cosine]


def rounds(stopping: Stopping) -> tuple[int, int | None]:
    """Return the number of rounds and the iterations of each; None for a round of one epoch."""
    if stopping.iterations is not None and stopping.interval is not None:
        return -(-stopping.iterations // stopping.interval), stopping.interval
    return stopping.epochs or 0, None


def validations(stopping: Stopping) -> tuple[int, int]:
    """Return the first round that ends with a validation, and the rounds between two validations.

    The last round always ends with one.
    """
    if stopping.epochs is None:
        return 1, 1
    return min(stopping.first or stopping.interval or 1, stopping.epochs), stopping.interval or 1
