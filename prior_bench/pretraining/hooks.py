"""mmengine hooks of every pre-training run: exact resuming, plain checkpoints, history."""

from __future__ import annotations

import json
import sys
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mmengine.dist import all_reduce, get_rank, get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper

from prior_bench.errors import BenchError
from prior_bench.io.atomic import write_json
from prior_bench.runtime import progress, seed_everything


def method_of(runner: Any) -> Any:
    """The method that a runner trains, taken out of mmengine's wrappers."""
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    return model.method


def plain_types(value: Any) -> Any:
    """The part of a nested value that is plain: str, numbers, None, and lists and dicts of these."""
    if hasattr(value, "item") and getattr(value, "size", None) == 1:
        return value.item()  # NumPy's floats pass for Python's, but not in torch's weights-only loading
    if isinstance(value, list | tuple):
        return [plain_types(v) for v in value if _is_plain(v)]
    if isinstance(value, dict):
        return {str(k): plain_types(v) for k, v in value.items() if _is_plain(v)}
    return value if _is_plain(value) else None


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float | bool | None | list | tuple | dict) or hasattr(value, "item")


class PlainCheckpoint(Hook):
    """Keeps what is no plain data out of checkpoints, so that torch's weights-only loading takes them."""

    def before_save_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Replace the message hub's buffers, and anything else that is no plain data."""
        info = plain_types(checkpoint["message_hub"]["runtime_info"])
        resumed = {k: v for k, v in checkpoint["message_hub"]["resumed_keys"].items() if k in info}
        checkpoint["message_hub"] = {"log_scalars": {}, "runtime_info": info, "resumed_keys": resumed}
        checkpoint["meta"] = plain_types(checkpoint["meta"])


class ReseedEachEpoch(Hook):
    """Makes an epoch depend on (seed, epoch, process) alone, so that a resumed run equals an undisturbed one.

    mmengine does not keep random states in its checkpoints.
    """

    priority = "VERY_HIGH"

    def __init__(self, seed: int):
        self.seed = seed

    def before_train_epoch(self, runner: Any) -> None:
        """Seed every generator and tell the batch sampler its epoch."""
        seed_everything((self.seed * 1_000_003 + runner.epoch) * 1_009 + get_rank())
        runner.train_dataloader.batch_sampler.set_epoch(runner.epoch)


class Stages(Hook):
    """Tells the method which stage of its training it is in, and keeps its weights at the end of each.

    The optimiser forgets its moments where a stage begins: they belong to other losses.

    Args:
        ends: the epoch after which each stage is over.
        keep: writes the weights at the end of a stage, given its number from 1.
    """

    priority = "LOW"  # the history of the epoch is complete

    def __init__(self, ends: Sequence[int], keep: Callable[[int], Any]):
        self.ends, self.keep = list(ends), keep

    def before_train_epoch(self, runner: Any) -> None:
        """Enter the stage; the epoch alone says which, so that a resumed run is in the right one."""
        method_of(runner).stage = self._stage(runner)
        if runner.epoch in self.ends:
            runner.optim_wrapper.optimizer.state.clear()

    def after_train_epoch(self, runner: Any) -> None:
        """Keep the weights of every stage but the last, which are the run's own."""
        if runner.epoch + 1 in self.ends[:-1] and is_main_process():
            self.keep(self._stage(runner))

    def _stage(self, runner: Any) -> int:
        return 1 + bisect_right(self.ends, runner.epoch)


def first_epoch(runner: Any, stage: int) -> int:
    """The epoch, from 0, with which a stage, from 1, begins.

    Raises:
        BenchError: training does not have so many stages.
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
    """Mean losses of each epoch: a bar while it runs, a line when it is over, and a file for curves.

    Args:
        path: JSON file, a list with one dict per epoch.
        batch_size: over all processes, for the speed.
        label: begins the lines, as several runs may write to one terminal.
    """

    priority = "NORMAL"

    def __init__(self, path: Path, batch_size: int, label: str = ""):
        self.path, self.batch_size, self.label = Path(path), batch_size, label
        self.epochs: list[dict[str, float]] = []
        self._sums: dict[str, Any] = {}

    def before_train(self, runner: Any) -> None:
        """Take up the history of the epochs already done."""
        if runner.epoch and self.path.is_file():
            self.epochs = json.loads(self.path.read_text())[: runner.epoch]

    def before_train_epoch(self, runner: Any) -> None:
        """Start the epoch's sums and its bar."""
        self._sums, self._start = {}, time.monotonic()
        steps = len(runner.train_dataloader)
        self._bar = progress(range(steps), f"epoch {runner.epoch + 1}/{runner.max_epochs}", steps)

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        """Add a step's scalars, without waiting for the device."""
        for name, value in (outputs or {}).items():
            self._sums[name] = self._sums.get(name, 0) + value.detach()
        self._bar.update()

    def add(self, values: dict[str, float]) -> None:
        """Add values to the epoch that was closed last."""
        self.epochs[-1] |= values
        write_json(self.path, self.epochs)

    def after_train_epoch(self, runner: Any) -> None:
        """Close the epoch: average over steps and processes, write, and print one line."""
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
