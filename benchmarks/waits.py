"""How often a training step makes the host wait for the device, counted without a device.

The step runs on tensors that say they are on a GPU and have no values (torch's FakeTensorMode). Tensors of
the host stay real. An operator waits if it needs a value of a device tensor (``item``, ``nonzero``, selection
by a boolean mask), or if it copies between host and device without ``non_blocking``.

The backward pass cannot run on such tensors where there is no GPU. It is counted on the CPU, where it waits
for nothing that the forward pass did not select.
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode, unset_fake_temporarily
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from transformers import masking_utils

from prior_bench.api import PretrainBatch
from prior_bench.pretraining.config import Optimizer
from prior_bench.pretraining.deferred_log import DeferredInfo, KeepsNorm
from prior_bench.pretraining.model import PretrainModel
from prior_bench.pretraining.optimisation import parameter_groups

PLACES = (
    *("/prior_bench/", "/baselines/", "/transformers/", "/timm/", "/mmengine/"),
    *("/torch/optim/", "/torch/nn/"),
)
"""Where the place of a wait is looked for, innermost first."""
BY_SIZE = ("nonzero", "masked_select", "_unique2", "unique_dim", "unique_consecutive", "bincount")
"""Operators whose result has a size that only the device knows."""
INDEXING = ("index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index")


class CountWaits(TorchDispatchMode):
    """Counts the waits inside the block, by place and kind.

    Attributes:
        found: number of waits by ``file:function kind``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()

    @property
    def count(self) -> int:
        """Number of waits."""
        return sum(self.found.values())

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = function.name().partition("::")[2].partition(".")[0]
        leaves = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        target = kwargs.get("device")
        to_device = target is not None and torch.device(target).type == "cuda"
        if not to_device and not any(isinstance(leaf, FakeTensor) for leaf in leaves):
            with unset_fake_temporarily():
                return function(*args, **kwargs)
        on_device = [leaf for leaf in leaves if leaf.device.type == "cuda"]
        if name in ("_to_copy", "copy_") and _crosses(leaves, target) and not _unblocked(name, args, kwargs):
            self.note("copy")
        if not on_device or not _selects(name, leaves):
            return function(*args, **kwargs)
        self.note(name)
        return _some_result(name, args)

    def note(self, kind: str) -> None:
        """Count a wait of the code that is running."""
        for frame in reversed(traceback.extract_stack()):
            place = next((part for part in PLACES if part in frame.filename), None)
            if place:
                file = frame.filename.rpartition(place)[2]
                self.found[f"{place[1:]}{file}:{frame.name} {kind}"] += 1
                return
        self.found[f"elsewhere {kind}"] += 1


def _selects(name: str, leaves: list[Tensor]) -> bool:
    """Whether an operator needs values of its tensors on the host."""
    by_mask = name in INDEXING and any(leaf.dtype in (torch.bool, torch.uint8) for leaf in leaves[1:])
    return by_mask or name in BY_SIZE or name in ("_local_scalar_dense", "equal", "is_nonzero")


def _crosses(leaves: list[Tensor], target: Any) -> bool:
    kinds = {leaf.device.type for leaf in leaves}
    if target is not None:
        kinds.add(torch.device(target).type)
    return len(kinds) > 1


def _unblocked(name: str, args: Any, kwargs: Any) -> bool:
    return bool(kwargs.get("non_blocking") or (name == "copy_" and len(args) > 2 and args[2]))


def _some_result(name: str, args: Any) -> Any:
    """Return what has the type of an operator's result; its size is the largest possible."""
    first = args[0]
    if name == "_local_scalar_dense":
        return True if first.dtype == torch.bool else 1.0 if first.is_floating_point() else 1
    if name in ("equal", "is_nonzero"):
        return True
    if name == "nonzero":
        return first.new_empty((first.numel(), first.dim()), dtype=torch.int64)
    if name == "index":
        masks = [leaf for leaf in args[1] if leaf is not None]
        return first.flatten(0, masks[0].dim() - 1)
    if name.startswith("unique") or name == "_unique2":
        places = first.new_empty(first.shape, dtype=torch.int64)
        return first.flatten(), places, places
    return first


class _NoArrays(TorchFunctionMode):
    """Returns zeros where an array of a tensor without values is wanted."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(function, "__name__", "") == "numpy" and isinstance(args[0], FakeTensor):
            return np.zeros(tuple(args[0].shape))
        return function(*args, **(kwargs or {}))


@contextmanager
def counting() -> Iterator[CountWaits]:
    """Count waits in the block, in which ``"cuda"`` is a device without values."""
    counter = CountWaits()
    # transformers would leave out a question of which it knows that a tensor without values has no answer
    asks = patch.object(masking_utils, "is_tracing", lambda tensor=None: False)
    with asks, FakeTensorMode(allow_non_fake_inputs=True), counter, _NoArrays():
        yield counter


class _Selections(TorchDispatchMode):
    """Notes operators that would need values on the host, whatever their device."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        leaves = [leaf for leaf in tree_leaves((args, kwargs or {})) if isinstance(leaf, Tensor)]
        name = function.name().partition("::")[2].partition(".")[0]
        if _selects(name, leaves):
            self.found[name] += 1
        return function(*args, **(kwargs or {}))


@contextmanager
def selections() -> Iterator[Counter[str]]:
    """Count, on real tensors, the operators of the block that would wait on a GPU, by name."""
    with _Selections() as mode:
        yield mode.found


def waits_of(
    method: Any, batch: PretrainBatch, optimizer: Optimizer, clip_grad: float | None
) -> dict[str, int]:
    """Count the waits of one training step, as mmengine's loop runs it, by place.

    Not counted are the backward pass (:func:`selections`), the scaler of float16, which needs one wait in a
    step, and lines of the log, each of which needs one.

    Args:
        method: the method; it is left on a device without values.
        batch: a batch on the host.
        optimizer: settings of the optimiser.
        clip_grad: largest norm of the gradient, or None.
    """
    stage = getattr(method, "stage", None)
    model = PretrainModel(method).train()
    with counting() as counter:
        model.to("cuda")
        if stage is not None:
            method.stage = stage  # as hooks do; a value cannot be read from the device
        made = getattr(torch.optim, optimizer.type)(parameter_groups(method, optimizer), lr=optimizer.lr)
        clip = {"max_norm": clip_grad} if clip_grad else None
        wrapper = _WithoutBackward(made, clip_grad=clip)
        runner = SimpleNamespace(optim_wrapper=wrapper, train_dataloader=range(9), message_hub=None)
        counter.found.clear()
        values = model.train_step(batch, wrapper)
        DeferredInfo().after_train_iter(runner, 0, outputs=values)
    return dict(counter.found)


class _WithoutBackward(KeepsNorm):
    """Optimiser whose gradients have no values."""

    def backward(self, loss: Tensor, **kwargs: Any) -> None:
        for group in self.optimizer.param_groups:
            for parameter in group["params"]:
                parameter.grad = torch.empty_like(parameter)
        self._inner_count += 1
