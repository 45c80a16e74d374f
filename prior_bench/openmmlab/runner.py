"""Train a model with mmengine's Runner, select its weights, and test it once."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sized
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import torch.distributed as dist
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.evaluator import BaseMetric
from mmengine.logging import MessageHub, MMLogger
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmengine.visualization import Visualizer
from torch import nn
from torch.utils.data import DataLoader, Dataset

from prior_bench.api import Protocol, RunContext
from prior_bench.checkpoints.training_states import load_weights, read_state, require_optimizer
from prior_bench.errors import BenchError
from prior_bench.losses.gather import rank, world_size
from prior_bench.openmmlab.finite_outputs import finite_outputs
from prior_bench.openmmlab.hooks import (
    BEST,
    LATEST,
    FrozenStart,
    ProgressBar,
    Reseed,
    Validated,
    validation_history,
)
from prior_bench.openmmlab.map_cache import CachedMaps
from prior_bench.openmmlab.quiet import quiet
from prior_bench.openmmlab.recipe import optim_wrapper, rounds, schedule, validations
from prior_bench.openmmlab.rehearsed import ROUNDS, shortened, some_images
from prior_bench.openmmlab.sampler import RoundSampler
from prior_bench.openmmlab.shared import (
    SharedBatches,
    SharedCollector,
    SharedSteps,
    collated,
    shared_model,
)
from prior_bench.runtime import seed_everything
from prior_bench.schema.protocol import Stopping, TrainingOptimizer
from prior_bench.shares.evaluated import DealtBatches, of_first
from prior_bench.shares.share import only_here


class DeviceRunner(Runner):
    """A Runner that trains on a given device instead of any GPU that exists.

    Args:
        device: ``"cpu"`` or ``"cuda"``.
        kwargs: arguments of Runner.
    """

    def __init__(self, *, device: str, **kwargs: Any):
        self.wanted_device = device
        super().__init__(**kwargs)

    def wrap_model(self, model_wrapper_cfg: dict[str, Any] | None, model: nn.Module) -> nn.Module:
        """Move the model to the device."""
        return model.to(self.wanted_device)

    def resume(self, filename: str, *args: Any, **kwargs: Any) -> None:
        """Go on from a state, whose optimizer is checked too."""
        super().resume(filename, *args, **kwargs)
        require_optimizer(self.optim_wrapper.optimizer, filename)

    def load_checkpoint(self, filename: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Load all weights of a state as data, without printing."""
        checkpoint = read_state(filename, self.wanted_device)
        load_weights(self.model, checkpoint, filename)
        self._has_loaded = True
        return checkpoint


def train_and_test(
    build: Callable[[], nn.Module],
    data: Mapping[str, Dataset],
    collectors: dict[str, BaseMetric],
    protocol: Protocol,
    context: RunContext,
) -> list[dict[str, float]]:
    """Train, validate after each round or some, and test the weights that the protocol selects, once.

    An interrupted call in ``context.work_dir`` is resumed, with the same outcome.

    Processes of one torch process group train and evaluate together, with the same outcome but for rounding
    (:mod:`prior_bench.shares`): each has a share of every batch, and whole batches in evaluation. The first
    one saves weights. All need the same folder, and return the same.

    Args:
        build: function that makes the model; it is called after seeding.
        data: data sets for ``train``, ``valid`` and ``test``.
        collectors: the metrics of ``valid`` and ``test``; afterwards they contain the results.
        protocol: uses ``optimizer``, ``batch_size`` and ``stopping``: ``epochs``, or ``iterations`` with
            ``interval`` (iterations between validations); ``first`` and ``interval`` of the epochs that end
            with a validation; ``last_batch``; ``patience`` in validations, or None; ``monitor``, a metric of
            ``valid``; ``tested``, ``"best"`` or ``"last"`` weights.
        context: seed, device, workers and work dir; and ``rehearsal``, with which a share of the steps is
            done and a share of the images evaluated (:mod:`prior_bench.openmmlab.rehearsed`).

    Returns:
        One dict per validation: ``epoch``, ``iteration``, ``loss`` (mean since the previous one) and metrics.
    """
    seed_everything(context.seed)
    stopping, optimizer = (
        Stopping.model_validate(protocol.stopping),
        TrainingOptimizer.model_validate(protocol.optimizer),
    )
    count, iterations = rounds(stopping)
    first, interval = validations(stopping)
    name = f"{protocol.task}-{uuid.uuid4().hex}"  # mmengine shares loggers and hubs between equal names
    latest = context.work_dir / LATEST
    shared, resumes = world_size() > 1, _resumes(latest)
    if shared and context.rehearsal is not None:
        raise BenchError("a rehearsal measures one process", where="gpus", fix="rehearse with gpus=1")
    with quiet(), _forgotten(name), only_here():
        model = shared_model(build(), context.device) if shared else build()
        samples = len(cast(Sized, data["train"]))
        batch_size, last_batch, clocks = protocol.batch_size, stopping.last_batch, []
        sampler = RoundSampler(samples, batch_size, context.seed, iterations, last_batch=last_batch)
        if (rehearsal := context.rehearsal) is not None:
            steps = count * -(-len(sampler) // batch_size)
            sizes = {part: len(cast(Sized, data[part])) for part in collectors}
            often = len({*range(first, count + 1, interval), count})
            clock, batch_size, iterations = shortened(rehearsal, protocol, samples, steps, often, sizes)
            count, first, interval, clocks = ROUNDS, 1, 1, [clock]
            sampler = RoundSampler(samples, batch_size, context.seed, iterations, last_batch=last_batch)
            data, collectors = some_images(rehearsal, data, collectors)
        batches: dict[str, dict[str, Any]] = {
            part: dict(
                batch_size=batch_size,
                sampler=sampler if part == "train" else None,
                drop_last=part == "valid" and _drops(stopping, dataset, protocol.batch_size),
            )
            for part, dataset in data.items()
        }
        if shared:
            batches = {part: _shared(data[part], **how) for part, how in batches.items()}
            collectors = {
                part: SharedCollector(one, batches[part]["batch_sampler"]) for part, one in collectors.items()
            }
        loaders = {
            part: DataLoader(
                dataset,
                **batches[part],
                num_workers=0 if isinstance(dataset, CachedMaps) else context.workers,
                collate_fn=collated(pseudo_collate) if shared else pseudo_collate,
                pin_memory=context.device.startswith("cuda"),
            )
            for part, dataset in data.items()
        }
        runner = DeviceRunner(
            device=context.device,
            model=model,
            work_dir=str(context.work_dir),
            train_dataloader=loaders["train"],
            val_dataloader=loaders["valid"],
            test_dataloader=loaders["test"],
            train_cfg=dict(by_epoch=True, max_epochs=count, val_begin=first, val_interval=interval),
            val_cfg=dict(),
            test_cfg=dict(),
            val_evaluator=[collectors["valid"]],
            test_evaluator=[collectors["test"]],
            optim_wrapper=build_optim_wrapper(model, optim_wrapper(optimizer, context.device, shared)),
            param_scheduler=schedule(optimizer, count * len(loaders["train"]), stopping.monitor),
            default_hooks=dict(checkpoint=None, logger=None),
            custom_hooks=[
                Reseed(context.seed),
                Validated(stopping.monitor, stopping.patience, stopping.min_delta),
                *([FrozenStart(optimizer.frozen_steps)] if optimizer.frozen_steps else []),
                ProgressBar(f"{protocol.task} training"),
                *([SharedSteps(batches["train"]["batch_sampler"])] if shared else []),
                *clocks,
            ],
            resume=resumes,
            load_from=str(latest) if resumes else None,
            randomness=dict(seed=context.seed),
            experiment_name=name,
            log_level="ERROR",
            cfg=Config(),
        )
        runner.train()
        history = validation_history(runner)
        if shared:
            dist.barrier()  # the first process may still be saving
        tested = {"best": BEST, "last": LATEST}[stopping.tested]
        runner.load_checkpoint(str(context.work_dir / tested))
        with finite_outputs(getattr(runner.model, "bbox_head", None), protocol.name):
            runner.test()
    return history


def _resumes(latest: Path) -> bool:
    """Whether there is a state to go on from; the first process decides for all."""
    there = latest.is_file()
    if world_size() == 1:
        return there
    if (wanted := of_first(there)) and not there:
        fix = "give all processes one folder that every machine sees: PRIOR_BENCH_RESULTS"
        raise BenchError("the state that the first process has is not there", where=latest, fix=fix)
    return bool(wanted)


def _shared(
    dataset: Dataset, batch_size: int, sampler: RoundSampler | None, drop_last: bool
) -> dict[str, SharedBatches | DealtBatches]:
    """Return the batches of this process: a share of each in training, or some of them in evaluation."""
    if sampler is not None:
        return {"batch_sampler": SharedBatches(sampler, batch_size)}
    return {
        "batch_sampler": DealtBatches(len(cast(Sized, dataset)), batch_size, drop_last, rank(), world_size())
    }


def _drops(stopping: Stopping, dataset: Dataset, batch_size: int) -> bool:
    """Whether a validation leaves out its last, incomplete batch; not if there is no other."""
    return stopping.last_batch == "dropped" and len(cast(Sized, dataset)) >= batch_size


@contextmanager
def _forgotten(name: str) -> Iterator[None]:
    """Remove the run's logger, hub, visualizer and scope from mmengine's global tables after the block."""
    try:
        yield
    finally:
        for table in (MMLogger, MessageHub, Visualizer, DefaultScope):
            # mmengine appends the time to the name
            for key in [key for key in table._instance_dict if key.startswith(name)]:
                entry = table._instance_dict.pop(key)
                for handler in entry.handlers if isinstance(entry, MMLogger) else ():
                    handler.close()
