"""Pre-training of one config with one seed on mmengine's Runner."""

from __future__ import annotations

import contextlib
import logging
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmengine.hooks import Hook
from torch.utils.data import DataLoader

from prior_bench import runtime
from prior_bench.checkpoints.files import read_tensors
from prior_bench.checkpoints.native import save_method
from prior_bench.errors import BenchError
from prior_bench.io.room import writing_to
from prior_bench.losses.gather import rank, world_size
from prior_bench.pretraining import gpu_speed
from prior_bench.pretraining.batching import Collate, LengthGroupedBatches
from prior_bench.pretraining.beginning import COMPUTED, Beginning, begin
from prior_bench.pretraining.best_epoch import best_epoch, in_words, require_best
from prior_bench.pretraining.config import PretrainConfig
from prior_bench.pretraining.dataset import CACHE_MARGIN, PairDataset, Pairs
from prior_bench.pretraining.deferred_log import INTERVAL, DeferredInfo
from prior_bench.pretraining.folder import FINAL, HISTORY, STAGE, tidy
from prior_bench.pretraining.health import warnings_of
from prior_bench.pretraining.hooks import History, PlainCheckpoint, ReseedEachEpoch, Stages
from prior_bench.pretraining.identity import run_versions
from prior_bench.pretraining.logs import close_logs, log_backends
from prior_bench.pretraining.mid_epoch import Ended, ResumeWithinEpoch, SaveWithinEpoch
from prior_bench.pretraining.model import PretrainModel, build_method
from prior_bench.pretraining.monitoring import Monitor
from prior_bench.pretraining.optimisation import optim_wrapper, scheduler
from prior_bench.pretraining.processes import Processes, joined
from prior_bench.pretraining.runner import EpochRunner
from prior_bench.pretraining.stop_signals import Requests, end, ignore_requests, requested
from prior_bench.pretraining.validation import measurement
from prior_bench.schema.duration import seconds_of
from prior_bench.store.provenance import hardware, versions

LOG = logging.getLogger(__name__)


def pretrain(
    config: PretrainConfig | str | Callable[[], PretrainConfig],
    work_dir: str | Path | Callable[[], Path],
    seed: int = 0,
    device: str = "auto",
    resume: bool = True,
    workers: int = 0,
    threads: int | None = None,
    deterministic: bool = False,
    slurm: bool = False,
) -> Path:
    """Train, or resume an interrupted run, and return the checkpoint; a completed run is not repeated.

    If another process trains the same run, this function waits for it. Under ``torchrun`` and ``srun``, every
    process trains on its share of each batch. On a CPU, a run that was killed and resumed gives bit for bit
    the weights of an uninterrupted run.

    Args:
        config: a :class:`PretrainConfig`, the name or path of a config, or a function that returns one; all
            processes learn of what goes wrong in it.
        work_dir: folder of this run only, for the log, ``history.json`` and, during training, the states; or
            a function that returns it.
        seed: seed of the weights, the order and all random choices.
        device: ``"auto"``, ``"cpu"`` or ``"cuda"``.
        resume: whether to continue from the last state; False starts over.
        workers: number of data loading processes per training process.
        threads, deterministic: see :func:`prior_bench.pretrain`.
        slurm: whether the tasks of a Slurm step train together, as processes of torchrun always do.

    Returns:
        Path of ``model.safetensors``, see :mod:`prior_bench.checkpoints.native`. If training has several
        stages, the weights at the end of the earlier stages are next to it.

    Raises:
        BenchError: config or data cannot be used, ``work_dir`` contains another run, or processes differ.
        Requeued: training was asked to end by SIGUSR2; its state is saved.
    """
    device = runtime.pick_device(device)
    reproducible = runtime.deterministic(device, deterministic)
    with joined(device, slurm) as processes, reproducible, contextlib.ExitStack() as settings:
        begun = begin(processes, settings, config, work_dir, seed, device, resume)
        if not begun.complete:
            chosen, work_dir = begun.config, begun.work_dir
            method: Any = build_method(chosen, begun.pairs.corpus(), seed)
            size = sum(parameter.numel() for parameter in method.image_encoder.parameters())
            settings.enter_context(runtime.threads(threads or runtime.usual_threads(size)))
            settings.enter_context(gpu_speed.applied(chosen, method, device))
            _train(begun, method, processes, seed, device, workers)
        processes.after_first("the weights of the run")
    return begun.work_dir / FINAL


def _train(begun: Beginning, method: Any, processes: Processes, seed: int, device: str, workers: int) -> None:
    """Train from where the run goes on to its end, and save the weights."""
    config, pairs, work_dir = begun.config, begun.pairs, begun.work_dir
    history = History(work_dir / HISTORY, config.batch_size, f"{config.name} seed {seed}".strip())

    def save(name: str) -> None:
        provenance = _provenance(begun, seed, history) | {"hardware": hardware(device)}
        save_method(work_dir / name, method, config.method, provenance)

    measure = measurement(config, method, begun.manifest, pairs, device)
    monitor = Monitor(config, history, work_dir, measure, save)
    every, requests = config.save_every, Requests()
    hooks = [
        *(history, monitor, *_stage_hooks(config, method, save), *map(dict, config.hooks)),
        ResumeWithinEpoch(processes, history),
        SaveWithinEpoch(processes, history, None if every is None else seconds_of(every), requests),
    ]
    with writing_to(work_dir):
        runner = _runner(begun, method, seed, device, workers, hooks)
    if processes.rank == 0:
        print(extent := _extent(config, pairs, len(runner.train_dataloader)), file=sys.stderr)
        LOG.info("pre-training started in %s: %s", work_dir, extent)
    try:
        with writing_to(work_dir), requested(requests):  # log and states, which mmengine writes
            runner.train()
    except Ended as ended:
        LOG.info("pre-training in %s stops on request; its state is saved", work_dir)
        end(ended.wish)
    finally:
        close_logs(runner.logger)
    if processes.rank == 0:
        if chosen := best_epoch(history.epochs, config):
            method.load_state_dict(read_tensors(require_best(work_dir, chosen)))
        save(FINAL)
        tidy(work_dir)
        LOG.info("pre-training finished: %s", work_dir / FINAL)


def _runner(
    begun: Beginning, method: Any, seed: int, device: str, workers: int, hooks: list[Hook | dict[str, Any]]
) -> EpochRunner:
    config, work_dir, state = begun.config, begun.work_dir, begun.state
    loader = _loader(config, method, begun.pairs, seed, device, workers)
    # mmengine shares hub, logger and visualizer between runs with the same name.
    name = f"{config.name or 'pretrain'}-{uuid.uuid4().hex[:8]}"
    return EpochRunner(
        device=device,
        model=PretrainModel(method),
        work_dir=str(work_dir),
        train_dataloader=loader,
        train_cfg={"by_epoch": True, "max_epochs": config.schedule.ends[-1]},
        optim_wrapper=optim_wrapper(method, config, device),
        param_scheduler=scheduler(config.schedule, len(loader)),
        default_hooks={
            "sampler_seed": None,  # ReseedEachEpoch sets the epoch of the sampler
            "runtime_info": DeferredInfo(),
            "logger": {"type": "LoggerHook", "interval": INTERVAL},
            "checkpoint": {
                "type": "CheckpointHook",
                "interval": 1,
                "max_keep_ckpts": config.keep_checkpoints,
            },
        },
        custom_hooks=[ReseedEachEpoch(seed), PlainCheckpoint(), *hooks],
        launcher="pytorch" if world_size() > 1 else "none",
        randomness={"seed": seed},
        visualizer={"type": "Visualizer", "name": name, "vis_backends": log_backends(config, work_dir)},
        default_scope="mmengine",
        experiment_name=name,
        load_from=str(state) if state else None,
        resume=state is not None,
        cfg={
            "sync_bn": config.sync_batch_norm,
            "find_unused_parameters": config.find_unused_parameters,
        },
    )


def _extent(config: PretrainConfig, pairs: Pairs, steps: int) -> str:
    """Describe the length of a run in one line."""
    epochs, count = config.schedule.ends[-1], len(pairs.pairs)
    return (
        f"{config.name}: {count:,} pairs of {pairs.name}, {epochs} epochs of {steps:,} updates, "
        f"{epochs * steps:,} in all"
    )


def _stage_hooks(config: PretrainConfig, method: Any, save: Callable[[str], None]) -> list[Hook]:
    if not config.schedule.stages:
        return []
    if not hasattr(method, "stage"):
        raise BenchError(f"'{config.method['type']}' is not trained in stages", where="schedule.stages")
    return [Stages(config.schedule.ends, lambda stage: save(STAGE.format(stage)))]


def _loader(
    config: PretrainConfig, method: Any, pairs: Pairs, seed: int, device: str, workers: int
) -> DataLoader:
    from prior_bench.data.images.transforms import train_transform

    spec = method.image_encoder.input
    cache = round(CACHE_MARGIN * spec.size) if config.data.cache == "memory" else None
    transform = train_transform(spec, dict(config.data.transform))
    window = config.data.shard_window
    dataset = PairDataset(pairs, transform, config.data.text, seed, cache, window)
    batches = LengthGroupedBatches(dataset, config.batch_size, seed, rank(), world_size(), window)
    return DataLoader(
        dataset,
        batch_sampler=batches,
        collate_fn=Collate(method.text_encoder.tokenizer),
        num_workers=workers,
        pin_memory=device != "cpu",
        persistent_workers=workers > 0 and device != "cpu",  # an epoch begins without starting them anew
        worker_init_fn=ignore_requests,
    )


def _provenance(begun: Beginning, seed: int, history: History) -> dict[str, Any]:
    config, pairs = begun.config, begun.pairs
    epochs = [{k: v for k, v in epoch.items() if not k.endswith("seconds")} for epoch in history.epochs]
    chosen = best_epoch(history.epochs, config)
    return {
        "identity": begun.run["identity"],
        "config": config.to_dict(),
        "seed": seed,
        COMPUTED: begun.run[COMPUTED],
        "data": {
            "name": pairs.name,
            "fingerprint": pairs.fingerprint,
            "synthetic": pairs.synthetic,
            "pairs": len(pairs.pairs),
        },
        "versions": versions(),
        "declared_versions": run_versions(config),
        "seen_splits": list(config.seen_splits),
        **({"chosen": in_words(chosen, config)} if chosen else {}),
        "warnings": [str(warning) for warning in warnings_of(history.epochs, config.schedule)],
        "history": epochs,
    }
