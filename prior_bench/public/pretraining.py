"""``prior_bench.pretrain``: train a method's encoders on image-report pairs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prior_bench import paths
from prior_bench.backbones.pretrained import Pretrained
from prior_bench.pretraining.trainer import pretrain as train


def pretrain(
    config: str | Path,
    *,
    seed: int = 0,
    device: str = "auto",
    workers: int = 0,
    folder: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    resume: bool = True,
) -> Path:
    """Pre-train a method. An interrupted run is resumed; a finished one is not changed.

    Args:
        config: name of a shipped config (``prior_bench.available("pretraining")``) or a ``.py`` file.
        seed: seed of the weights, the order and all random choices.
        device: ``"auto"``, ``"cpu"`` or ``"cuda"``.
        workers: number of data loading processes.
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
    source = Pretrained(str(config), str(config), dict(overrides or {}))
    source.check()
    place = source.work_dir(seed, paths.results_root() / "pretrain") if folder is None else Path(folder)
    return train(source.config, place, seed, device, resume=resume, workers=workers)
