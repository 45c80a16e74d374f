"""A training that several processes share: loaders, hooks, gradients and collected predictions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.utils.data import Sampler

from prior_bench.errors import BenchError
from prior_bench.losses.gather import rank, world_size
from prior_bench.openmmlab.sampler import Draw, RoundSampler
from prior_bench.shares.draws import with_shared_draws
from prior_bench.shares.evaluated import DealtBatches, in_order, of_first
from prior_bench.shares.gradients import add_up, trained
from prior_bench.shares.replicas import digest_of
from prior_bench.shares.rows import whole_list
from prior_bench.shares.share import BatchShare, begin_step, current, end_step
from prior_bench.shares.statistics import with_shared_statistics


class SharedBatches(Sampler[list[Draw]]):
    """This process's share of each batch that a sampler's draws make; it may be empty.

    Args:
        sampler: the draws, the same in all processes.
        batch_size: number of images per step, in all processes together.

    Raises:
        BenchError: a batch has fewer images than there are processes.
    """

    def __init__(self, sampler: RoundSampler, batch_size: int):
        self.sampler, self.batch_size = sampler, batch_size
        if (rows := self.rows(0)) < world_size():
            what = f"a step has {rows} images, which {world_size()} processes cannot share"
            raise BenchError(what, where="gpus", fix=f"take at most {rows}")

    def __len__(self) -> int:
        return -(-len(self.sampler) // self.batch_size)

    def rows(self, step: int) -> int:
        """Return the number of images of a step of a round, in all processes together."""
        return min(self.batch_size, len(self.sampler) - step * self.batch_size)

    def __iter__(self) -> Iterator[list[Draw]]:
        draws = iter(self.sampler)
        for step in range(len(self)):
            batch = [next(draws) for _ in range(self.rows(step))]
            yield batch[BatchShare(len(batch), rank(), world_size()).own]


class SharedSteps(Hook):
    """Hook that says at each step which rows this process has, and checks that weights stay the same.

    Args:
        batches: the shares.
    """

    def __init__(self, batches: SharedBatches):
        self.batches = batches

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Begin a shared step."""
        begin_step(self.batches.rows(batch_idx))

    def after_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """End the step."""
        end_step()

    def after_train_epoch(self, runner: Runner) -> None:
        """Compare the weights before anything is validated or saved."""
        mine = digest_of(runner.model, runner.optim_wrapper.optimizer)
        if of_first(mine) != mine:
            what = f"weights of process {rank()} are not those of process 0 after round {runner.epoch + 1}"
            raise BenchError(what, fix="report it (prior-bench bugreport), and train in one process (gpus=1)")


class _AddsUp(OptimWrapper):
    def backward(self, loss: Tensor, **kwargs: Any) -> None:
        super().backward(loss, **kwargs)
        add_up(trained(self.optimizer))


@OPTIM_WRAPPERS.register_module()
class SharedOptimWrapper(_AddsUp):
    """An OptimWrapper that clips and steps with the gradient of the whole batch."""


@OPTIM_WRAPPERS.register_module()
class SharedAmpOptimWrapper(_AddsUp, AmpOptimWrapper):
    """An AmpOptimWrapper that unscales, clips and steps with the gradient of the whole batch."""


class SharedCollector(BaseMetric):
    """A collector that gets the predictions of all processes, each image once and in order.

    All processes compute the metrics, so that each has the collector's results. The first one's values count.

    Args:
        collector: it takes the predictions.
        batches: those that this process evaluates.
    """

    default_prefix = ""

    def __init__(self, collector: BaseMetric, batches: DealtBatches):
        super().__init__()
        self.collector, self.batches = collector, batches

    def process(self, data_batch: dict[str, Any], data_samples: Sequence[dict[str, Any]]) -> None:
        """Pass on a batch of predictions."""
        self.collector.process(data_batch, data_samples)

    def evaluate(self, size: int) -> dict[str, float]:
        """Compute the metrics of all images."""
        results = in_order(self.batches.places(), self.collector.results, self.batches.evaluated)
        self.collector.results = []
        return of_first(self.collector.compute_metrics(results))

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Compute the metrics of all images."""
        return self.collector.compute_metrics(results)


def shared_model(model: nn.Module, device: str) -> nn.Module:
    """Let batch statistics and dropout of a model, which is changed, be those of the whole batch."""
    with_shared_draws(model)
    return with_shared_statistics(model, device)


def collated(collate: Callable[[Sequence[Any]], Any]) -> Callable[[Sequence[Any]], Any]:
    """Return a collate function that takes an empty share, too, and gives None for it."""
    return _Collate(collate)


class _Collate:
    """A class, so that loading processes can be started with it."""

    def __init__(self, collate: Callable[[Sequence[Any]], Any]):
        self.collate = collate

    def __call__(self, samples: Sequence[Any]) -> Any:
        return self.collate(samples) if samples else None


def whole_samples(samples: Sequence[Any], device: torch.device) -> list[Any]:
    """Return the data samples of the whole batch, on a device; outside of a shared step, those given."""
    if current() is None:
        return list(samples)
    return [sample.to(device) for sample in whole_list([sample.cpu() for sample in samples])]
