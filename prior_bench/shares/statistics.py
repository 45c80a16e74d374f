"""Batch statistics of the whole batch."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from prior_bench.shares.share import current


def with_shared_statistics(model: nn.Module, device: str) -> nn.Module:
    """Let the batch normalisations of a model, which is changed, take statistics over the whole batch.

    On a GPU, they are torch's SyncBatchNorm, by timm's converter, which keeps the activations of layers that
    normalise and activate. torch's refuses a CPU. Parameters, buffers and their names stay.
    """
    if device.startswith("cuda"):
        from timm.layers import convert_sync_batchnorm

        return convert_sync_batchnorm(model)
    for name, layer in list(model.named_children()):
        setattr(model, name, with_shared_statistics(layer, device))
    return SharedBatchNorm(model) if isinstance(model, _BatchNorm) else model


class SharedBatchNorm(_BatchNorm):
    """A batch normalisation over the shares of all processes, on a CPU.

    Args:
        layer: torch's, or timm's that also activates; its parameters and buffers are used.
    """

    def __init__(self, layer: Any):
        super().__init__(layer.num_features, layer.eps, layer.momentum, affine=False)
        self.affine, self.track_running_stats = layer.affine, layer.track_running_stats
        self.weight, self.bias = layer.weight, layer.bias
        for name in ("running_mean", "running_var", "num_batches_tracked"):
            setattr(self, name, getattr(layer, name))
        self.drop = getattr(layer, "drop", nn.Identity())
        self.act = getattr(layer, "act", nn.Identity())
        self.training = layer.training

    def _check_input_dim(self, input: Tensor) -> None:
        """Take inputs of any number of dimensions."""

    def forward(self, input: Tensor) -> Tensor:
        """Normalise [B, C, ...]; in the steps of a shared training by the statistics of all processes."""
        if current() is None or not self.training:
            return self.act(self.drop(super().forward(input)))
        return self.act(self.drop(self._normalised(input)))

    def _normalised(self, input: Tensor) -> Tensor:
        others = [axis for axis in range(input.dim()) if axis != 1]
        shape = [1, -1, *[1] * (input.dim() - 2)]
        number = input.new_tensor([input.numel() // self.num_features])
        told = _Sum.apply(torch.cat([input.sum(others), number]))
        count = told[-1].detach()
        if count <= 1:  # as torch refuses it in one process
            raise ValueError(f"Expected more than 1 value per channel when training, got {int(count)}")
        mean = told[:-1] / count
        centred = input - mean.view(shape)
        variance = _Sum.apply(centred.square().sum(others)) / count
        self._keep(mean.detach(), variance.detach(), float(count))
        found = centred * (variance + self.eps).rsqrt().view(shape)
        if not self.affine:
            return found
        return found * self.weight.view(shape) + self.bias.view(shape)

    @torch.no_grad()
    def _keep(self, mean: Tensor, variance: Tensor, count: float) -> None:
        """Add statistics to the running ones, which have the unbiased variance."""
        if not self.track_running_stats or self.running_mean is None or self.running_var is None:
            return
        assert self.num_batches_tracked is not None, "torch counts batches where it keeps statistics"
        self.num_batches_tracked.add_(1)
        share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance * (count / max(count - 1, 1)), share)


class _Sum(torch.autograd.Function):
    """The sum over all processes; each uses it for its rows, so that its gradient is a sum, too."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        values = values.clone()
        dist.all_reduce(values)
        return values

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        gradient = gradients[0].clone(memory_format=torch.contiguous_format)
        dist.all_reduce(gradient)
        return gradient
