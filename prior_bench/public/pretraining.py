"""``prior_bench.pretrain``: train a method's encoders on image-report pairs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prior_bench import paths
from prior_bench.backbones.pretrained import Pretrained
from prior_bench.errors import BenchError
from prior_bench.pretraining.launch import launched
from prior_bench.pretraining.on_gpus import pretrain_on
from prior_bench.pretraining.trainer import pretrain as train
from prior_bench.public.planning import data_reference
from prior_bench.runtime import named_gpus
from prior_bench.schema.overrides import DELETE


def pretrain(
    config: str | Path,
    *,
    data: str | Path | Mapping[str, Any] | None = None,
    reader: Mapping[str, Any] | None = None,
    seed: int = 0,
    device: str = "auto",
    workers: int = 0,
    gpus: str | None = None,
    threads: int | None = None,
    deterministic: bool = False,
    folder: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    resume: bool = True,
) -> Path:
    """Pre-train a method. An interrupted run is resumed; a finished one is not changed.

    Processes that torchrun started, and the tasks of a Slurm step, train together (docs/scaling.md).

    Args:
        config: name of a shipped config (``prior_bench.available("pretraining")``) or a ``.py`` file.
        data: image-report pairs in place of the config's: a reference such as ``"my_pairs.csv"`` or
            ``"mimic_cxr@DIR"``, or a dict with ``type`` and the reader's options.
        reader: options of the reader of ``data``, e.g. ``{"missing": "skip"}``.
        seed: seed of the weights, the order and all random choices.
        device: ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.
        workers: number of data loading processes.
        gpus: ``"all"``, or numbers of GPUs as torch counts them, e.g. ``"0,1"``: each gets a process. By
            default, this process trains alone.
        threads: number of threads; by default 1 for a small model, otherwise those that torch takes. Numbers
            on a CPU depend on it.
        deterministic: whether to use deterministic algorithms on a GPU as well.
        folder: folder of this run; by default a folder under the results root that no other run shares.
        overrides: config values to change, e.g. ``{"schedule.epochs": 2}``.
        resume: whether to resume an interrupted run, or to start from the beginning.

    Returns:
        The path of the checkpoint, for :func:`prior_bench.evaluate` and :func:`prior_bench.load_backbone`.

    Raises:
        BenchError: the config or its data cannot be used, or training diverged.

    Example:
        >>> import prior_bench as pb
        >>> path = pb.pretrain("convirt_sample", overrides={"schedule.epochs": 1})
        >>> pb.evaluate(path, task="zero_shot", data="sample:chexpert_5x200").metrics
    """
    changes = {**_dataset(data, reader), **(overrides or {})}
    source = Pretrained(str(config), str(config), changes)
    if launched() is None:  # several processes check together, so that all learn of what is wrong in one
        source.check()

    def place() -> Path:  # it needs the data, which may be missing in one of several processes
        if folder is not None:
            return Path(folder)
        return source.work_dir(seed, paths.results_root() / "pretrain")

    if gpus is not None:
        how = {"resume": resume, "workers": workers, "threads": threads, "deterministic": deterministic}
        return pretrain_on(_named(gpus, device), source.config, place(), seed, device, **how)
    return train(
        lambda: source.config,
        place,
        seed,
        device,
        resume=resume,
        workers=workers,
        threads=threads,
        deterministic=deterministic,
        slurm=True,
    )


def _named(gpus: str, device: str) -> list[str]:
    """The names of GPUs, where each is to get a process of this run."""
    if launched() is not None:
        fix = "leave it out: each process has its GPU from the program that started it"
        raise BenchError("is for a run that neither torchrun nor srun has started", where="--gpus", fix=fix)
    if device.startswith("cuda:"):
        fix = "leave out one of them"
        raise BenchError(f"cannot be used together with --device {device}", where="--gpus", fix=fix)
    return named_gpus(gpus)


def _dataset(data: str | Path | Mapping[str, Any] | None, reader: Mapping[str, Any] | None) -> dict[str, Any]:
    """The change of a config that puts other data in place of its own."""
    if data is None:
        if reader:
            fix = "name the data, or set data.dataset in the config"
            raise BenchError("options of the reader need the data that it reads", where="reader", fix=fix)
        return {}
    reference = data_reference(data, (), reader)
    is_plain = isinstance(data, (str, Path)) and not reader
    return {"data.dataset": str(data) if is_plain else {**reference, DELETE: True}}
