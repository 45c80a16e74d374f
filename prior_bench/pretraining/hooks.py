"""mmengine hooks of every pre-training run, for exact resuming, plain checkpoints and the history."""

from __future__ import annotations

import errno
import json
import logging
import os
import sys
import time
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.dist import all_reduce, get_rank, get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from torch import Tensor

from prior_bench.errors import BenchError
from prior_bench.io.atomic import write_json
from prior_bench.io.bounded import json_text
from prior_bench.io.room import free_bytes, no_room
from prior_bench.runtime import progress, seed_everything

LOG = logging.getLogger(__name__)


def method_of(runner: Any) -> Any:
    """Return the method that a runner trains, without mmengine's wrappers."""
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    return model.method


def plain_types(value: Any) -> Any:
    """Return the plain part of a nested value: str, numbers, None, and lists and dicts of these."""
    if hasattr(value, "item") and getattr(value, "size", None) == 1:
        return value.item()  # torch's weights-only loading rejects NumPy's floats
    if isinstance(value, list | tuple):
        return [plain_types(v) for v in value if _is_plain(v)]
    if isinstance(value, dict):
        return {str(k): plain_types(v) for k, v in value.items() if _is_plain(v)}
    return value if _is_plain(value) else None


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float | bool | None | list | tuple | dict) or hasattr(value, "item")


class PlainCheckpoint(Hook):
    """Hook that stores only plain data in checkpoints, so that torch's weights-only loading accepts them."""

    def before_save_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Remove the message hub's buffers and everything else that is not plain data."""
        info = plain_types(checkpoint["message_hub"]["runtime_info"])
        resumed = {k: v for k, v in checkpoint["message_hub"]["resumed_keys"].items() if k in info}
        checkpoint["message_hub"] = {"log_scalars": {}, "runtime_info": info, "resumed_keys": resumed}
        checkpoint["meta"] = plain_types(checkpoint["meta"])
        folder, needed = Path(runner.work_dir), _bytes_of(checkpoint)
        free = free_bytes(folder)
        if free is not None and free < needed:  # mmengine would leave half a file
            raise no_room(folder / f"epoch_{runner.epoch + 1}.pth", os.strerror(errno.ENOSPC), needed)


def _bytes_of(value: Any) -> int:
    """Return the bytes of all tensors in a nested value."""
    if isinstance(value, Mapping):
        return sum(map(_bytes_of, value.values()))
    if isinstance(value, list | tuple):
        return sum(map(_bytes_of, value))
    return value.numel() * value.element_size() if isinstance(value, Tensor) else 0


class ReseedEachEpoch(Hook):
    """Hook that makes an epoch depend only on (seed, epoch, process), so that resuming gives the same result.

    It is needed because mmengine does not save random states in its checkpoints.
    """

    priority = "VERY_HIGH"

    def __init__(self, seed: int):
        self.seed = seed

    def before_train_epoch(self, runner: Any) -> None:
        """Seed every generator and set the epoch of the batch sampler."""
        seed_everything((self.seed * 1_000_003 + runner.epoch) * 1_009 + get_rank())
        runner.train_dataloader.batch_sampler.set_epoch(runner.epoch)


class Stages(Hook):
    """Hook that sets the method's training stage and keeps its weights at the end of each stage.

    The optimiser's moments are reset at the start of a stage, because they belong to different losses.

    Args:
        ends: number of epochs after which each stage ends.
        keep: function that writes the weights at the end of a stage; its argument is the stage, from 1.
    """

    priority = "LOW"  # runs when the epoch's history is complete

    def __init__(self, ends: Sequence[int], keep: Callable[[int], Any]):
        self.ends, self.keep = list(ends), keep

    def before_train_epoch(self, runner: Any) -> None:
        """Set the stage; it depends only on the epoch, so that a resumed run is in the right stage."""
        method_of(runner).stage = self._stage(runner)
        if runner.epoch in self.ends:
            runner.optim_wrapper.optimizer.state.clear()

    def after_train_epoch(self, runner: Any) -> None:
        """Keep the weights of every stage except the last, whose weights are the result of the run."""
        if runner.epoch + 1 in self.ends[:-1] and is_main_process():
            self.keep(self._stage(runner))

    def _stage(self, runner: Any) -> int:
        return 1 + bisect_right(self.ends, runner.epoch)


def first_epoch(runner: Any, stage: int) -> int:
    """Return the first epoch (from 0) of a stage (from 1).

    Raises:
        BenchError: training has no such stage.
    """
    ends = next((hook.ends for hook in runner.hooks if isinstance(hook, Stages)), [])
    if not 1 <= stage <= len(ends):
        raise BenchError(
            f"training has {len(ends) or 'no'} stages, and a hook needs stage {stage}",
            where="schedule.stages",
            fix="name the stages, or leave the hook out",
        )
    return ([0] + ends)[stage - 1]


class History(Hook):
    """Hook that averages the losses of each epoch and shows them as progress bar, line and file.

    Args:
        path: JSON file, a list with one dict per epoch.
        batch_size: batch size over all processes, for the speed.
        label: start of each line, because several runs may write to the same terminal.
    """

    priority = "NORMAL"

    def __init__(self, path: Path, batch_size: int, label: str = ""):
        self.path, self.batch_size, self.label = Path(path), batch_size, label
        self.epochs: list[dict[str, float]] = []
        self._sums: dict[str, Any] = {}

    def before_train(self, runner: Any) -> None:
        """Read the history of the completed epochs.

        Raises:
            BenchError: it is no history of them.
        """
        if runner.epoch and self.path.is_file():
            self.epochs = _history(self.path, runner.epoch)

    def before_train_epoch(self, runner: Any) -> None:
        """Start the epoch's sums and its progress bar."""
        self._sums, self._start = {}, time.monotonic()
        steps = len(runner.train_dataloader)
        self._bar = progress(range(steps), f"epoch {runner.epoch + 1}/{runner.max_epochs}", steps)

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        """Add the scalars of a step, without waiting for the device."""
        for name, value in (outputs or {}).items():
            self._sums[name] = self._sums.get(name, 0) + value.detach()
        self._bar.update()

    def within_epoch(self) -> dict[str, Any]:
        """Return the sums of the losses of the present epoch and its seconds until now."""
        sums = {name: value.detach().cpu().clone() for name, value in self._sums.items()}
        return {"sums": sums, "seconds": time.monotonic() - self._start}

    def restore(self, sums: dict[str, Tensor], seconds: float, steps: int) -> None:
        """Go on within an epoch with what :meth:`within_epoch` returned."""
        self._sums, self._start = dict(sums), time.monotonic() - seconds
        self._bar.update(steps)

    def add(self, values: dict[str, float]) -> None:
        """Add values to the last completed epoch."""
        self.epochs[-1] |= values
        write_json(self.path, self.epochs)

    def after_train_epoch(self, runner: Any) -> None:
        """Complete the epoch: average over steps and processes, write the file, and print one line."""
        self._bar.close()
        steps, seconds = len(runner.train_dataloader), time.monotonic() - self._start
        means = {}
        for name, total in self._sums.items():
            mean = total.float() / steps
            if get_world_size() > 1:
                all_reduce(mean, op="mean")
            means[name] = mean.item()
        lr = runner.optim_wrapper.get_lr()["lr"][0]
        self.epochs.append({"epoch": runner.epoch + 1, **means, "lr": lr, "seconds": round(seconds, 2)})
        if is_main_process():
            write_json(self.path, self.epochs)
            losses = "  ".join(f"{name} {value:.4f}" for name, value in means.items())
            speed = steps * self.batch_size / max(seconds, 1e-9)
            done = f"{self.label} epoch {runner.epoch + 1}/{runner.max_epochs}".strip()
            print(f"{done}  {losses}  {seconds:.1f} s  {speed:.0f} pairs/s", file=sys.stderr)
            LOG.info("epoch %d of %d: %s, %.1f s", runner.epoch + 1, runner.max_epochs, losses, seconds)


def _history(path: Path, count: int) -> list[dict[str, float]]:
    """Read the values of the first ``count`` epochs."""
    try:
        found = json.loads(json_text(path))
    except (BenchError, ValueError, RecursionError):
        found = None
    epochs = found[:count] if isinstance(found, list) else []
    plain = all(isinstance(e, dict) and all(isinstance(v, int | float) for v in e.values()) for e in epochs)
    if not plain or [epoch.get("epoch") for epoch in epochs] != list(range(1, count + 1)):
        raise BenchError(
            f"is no history of {count} epochs of this run", where=path, fix="start over: --no-resume"
        )
    return epochs
