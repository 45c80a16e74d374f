"""Dropout that is drawn for the whole batch, so that a row's does not depend on the number of processes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from prior_bench.errors import BenchError
from prior_bench.shares.share import current, drawn_for_all, require_no_other_draws


def with_shared_draws(model: nn.Module) -> None:
    """Let the dropout layers of a model draw for the whole batch in the steps of a shared training."""
    from timm.layers import DropPath

    for layer in model.modules():
        if isinstance(layer, nn.Dropout | nn.Dropout1d | nn.Dropout2d | nn.Dropout3d | DropPath):
            layer.forward = _shared(layer.forward)  # type: ignore[method-assign]


def _shared(forward: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    def whole_draw(input: Tensor) -> Tensor:
        share = current()
        if share is None or share.size == 0:
            return forward(input)
        per_row, rest = divmod(len(input), share.size)  # windows and patches may be rows of their own
        if rest:
            what = f"a dropout layer gets {len(input)} rows for {share.size} images"
            raise BenchError(what, fix="train it in one process (gpus=1), or without this dropout")
        require_no_other_draws()
        ones = input.new_ones(share.rows * per_row, *input.shape[1:])
        if input.dim() == 4 and not input.is_contiguous():  # numbers are drawn in the order of the memory
            if input.is_contiguous(memory_format=torch.channels_last):
                ones = ones.contiguous(memory_format=torch.channels_last)
        factors = forward(ones)
        drawn_for_all()
        return input * factors[share.own.start * per_row : share.own.stop * per_row]

    return whole_draw
