"""Read the state of an interrupted training, which somebody else may have made, before mmengine is given it.

mmengine runs the text under ``meta.config`` as a Python config, removes the files whose epochs are under
``keep_ckpt_ids``, and goes on with random weights where a state has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from prior_bench.checkpoints.inert import stand_ins
from prior_bench.checkpoints.torch_records import check_records
from prior_bench.checkpoints.values import require_finite
from prior_bench.errors import BenchError

FIX = "start over (prior-bench pretrain: --no-resume), or delete the file"
PARTS = "processes"
"""Key of what each process needs to go on within an epoch; the state of a whole epoch has none."""
KEPT = "keep_ckpt_ids"
"""Key of the epochs whose states mmengine keeps; it removes the files of others."""


def read_state(path: str | Path, device: Any = "cpu") -> dict[str, Any]:
    """Read a state; of its description, only the numbers of epochs and iterations are left.

    Raises:
        BenchError: it is damaged, contains more than plain data, or is no state.
    """
    path = Path(path)
    try:
        with stand_ins(set()):
            check_records(path)
        state = torch.load(path, map_location=device, weights_only=True)
    except BenchError:
        raise
    except Exception as error:  # torch raises nearly any exception for a damaged file
        raise no_state(path, "damaged, or more than tensors and plain data") from error
    if not isinstance(state, dict):
        raise no_state(path, "it holds no dict")
    meta, hub = state.get("meta"), state.get("message_hub")
    if not isinstance(meta, dict) or not all(is_count(meta.get(name)) for name in ("epoch", "iter")):
        raise no_state(path, "it does not say its epoch and iteration")
    if not isinstance(hub, dict) or not all(
        isinstance(hub.get(part), dict) for part in ("runtime_info", "resumed_keys")
    ):
        raise no_state(path, "it has no message hub")
    kept = hub["runtime_info"].get(KEPT, [])
    if not isinstance(kept, list) or not all(map(is_count, kept)):
        raise no_state(path, f"{KEPT} are no epochs")
    state["meta"] = {name: meta[name] for name in ("epoch", "iter")}
    state["message_hub"] = {**hub, "log_scalars": {}}
    return state


def load_weights(model: nn.Module, state: Mapping[str, Any], path: str | Path) -> None:
    """Give a model the weights of a state, which must be all of its weights.

    Raises:
        BenchError: weights are missing, of another shape, or not finite.
    """
    weights = state.get("state_dict")
    if not isinstance(weights, dict) or not all(isinstance(value, Tensor) for value in weights.values()):
        raise no_state(path, "it has no weights")
    require_finite(weights, path)
    try:
        model.load_state_dict(weights)
    except (RuntimeError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise no_state(path, f"other weights than the model's: {reason[:200]}") from error


def require_schedulers(told: Any, schedulers: Any, path: str | Path) -> None:
    """Raise BenchError unless a state has the values of the schedulers of this training."""
    if not isinstance(schedulers, list):
        return
    if not isinstance(told, list) or len(told) != len(schedulers):
        raise no_state(path, "it has not the schedulers of this training")
    for values, scheduler in zip(told, schedulers, strict=True):
        own = scheduler.state_dict()
        if not isinstance(values, dict) or {k: _kind(v) for k, v in values.items()} != {
            k: _kind(v) for k, v in own.items()
        }:
            raise no_state(path, f"other values than those of {type(scheduler).__name__}")


def require_optimizer(optimizer: Optimizer, path: str | Path) -> None:
    """Check what an optimizer was given from a state; torch itself finds out at the next step, or never.

    Raises:
        BenchError: moments have another shape than their parameters or are not finite, or a setting is of
            another type.
    """
    for group in optimizer.param_groups:
        for name, own in optimizer.defaults.items():
            if _kind(group.get(name)) is not _kind(own):
                raise no_state(path, f"the optimizer's {name} is {str(group.get(name))[:40]!r}")
        for parameter in group["params"]:
            for name, value in optimizer.state.get(parameter, {}).items():
                if isinstance(value, Tensor) and value.dim() and value.shape != parameter.shape:
                    what = f"has the shape {tuple(value.shape)}, its parameter {tuple(parameter.shape)}"
                    raise no_state(path, f"the optimizer's {name} {what}")
                if isinstance(value, Tensor) and not torch.isfinite(value).all():
                    raise no_state(path, f"the optimizer's {name} contains NaN or infinity")
                if not isinstance(value, Tensor | int | float | None):
                    raise no_state(path, f"the optimizer's {name} is no number")


def no_state(path: str | Path, why: str) -> BenchError:
    """Return the error of a file from which training cannot be resumed."""
    return BenchError(f"is no state that training can be resumed from: {why}", where=path, fix=FIX)


def is_count(value: Any) -> bool:
    """Return whether a value is a whole number, from 0, of a reasonable size."""
    return type(value) is int and 0 <= value < 1 << 53


def _kind(value: Any) -> type:
    return float if isinstance(value, int | float) else type(value)
