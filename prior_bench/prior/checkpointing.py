"""Activation checkpointing, which saves memory at the cost of a second forward pass."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


def run(module: nn.Module, *inputs: Any, recompute: bool) -> Any:
    """Return ``module(*inputs)``; with ``recompute``, keep only the inputs and run it again for the gradient.

    The second forward pass draws the same random numbers and does not update batch statistics. Therefore,
    losses, gradients and buffers are the same as without ``recompute``.
    """
    if not recompute:
        return module(*inputs)

    def contexts():
        return nullcontext(), _batch_statistics_kept(module)

    return checkpoint(module, *inputs, use_reentrant=False, context_fn=contexts)


@contextmanager
def _batch_statistics_kept(module: nn.Module) -> Iterator[None]:
    norms = [part for part in module.modules() if isinstance(part, _BatchNorm)]
    before = [(norm.momentum, norm.num_batches_tracked) for norm in norms]
    for norm in norms:
        norm.momentum, norm.num_batches_tracked = 0.0, None
    try:
        yield
    finally:
        for norm, (momentum, count) in zip(norms, before, strict=True):
            norm.momentum, norm.num_batches_tracked = momentum, count
