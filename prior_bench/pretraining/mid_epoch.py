"""States within an epoch: saved by time and on request, and resumed at the very batch.

On a CPU, a training that goes on from such a state is bit for bit the undisturbed one. A state has, beside
what the state of an epoch has, each process's random states, buffers and sums of losses. The order of the
data follows from the epoch, and augmentation from (seed, epoch, sample), so that a position is a number.
Hooks of a config must depend on the epoch or the step alone; what they remember themselves is not saved.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper

from prior_bench.checkpoints.training_states import PARTS
from prior_bench.io.atomic import whole_file
from prior_bench.pretraining.agreement import require_replicas
from prior_bench.pretraining.folder import mid_epoch_name, remove_mid_epoch
from prior_bench.pretraining.hooks import History
from prior_bench.pretraining.processes import Processes
from prior_bench.pretraining.stop_signals import REQUEUE, SAVE, Requests

LOOK_EVERY = 1.0
"""Seconds between two looks of several processes at each other's requests; each costs a short exchange."""


class Ended(BaseException):
    """Raised in all processes when the state is saved and training shall end; ``wish`` says how."""

    def __init__(self, wish: int):
        self.wish = wish


class ResumeWithinEpoch(Hook):
    """Hook that goes on from a state within an epoch.

    Hooks that start an epoch run again, and may change weights, moments and random states. Therefore, all of
    them are restored just before the first step, before any other hook sees it.

    Args:
        processes: all processes.
        history: hook that holds the sums of losses.
    """

    priority = "HIGHEST"

    def __init__(self, processes: Processes, history: History):
        self.processes, self.history = processes, history
        self._state: dict[str, Any] | None = None
        self._resumed = False

    def after_load_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Keep a state until the first step."""
        self._resumed = True
        self._state = dict(checkpoint) if PARTS in checkpoint else None

    def before_train_epoch(self, runner: Any) -> None:
        """Let the sampler leave out what has been trained on."""
        if self._state is not None:
            steps = len(runner.train_dataloader)
            runner.train_dataloader.batch_sampler.skip(runner.iter - runner.epoch * steps)

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        """Restore everything, once; check that all processes start from the same weights."""
        if self._state is not None:
            state, self._state = self._state, None
            model = plain_model(runner)
            model.load_state_dict(state["state_dict"])
            runner.optim_wrapper.load_state_dict(state["optimizer"])
            steps = runner.iter - runner.epoch * len(runner.train_dataloader)
            restore_part(state[PARTS][self.processes.rank], model, self.history, steps)
        if self._resumed or runner.iter == 0:
            self._resumed = False
            when = f"before step {runner.iter + 1}"
            require_replicas(self.processes, plain_model(runner), runner.optim_wrapper.optimizer, when)


class SaveWithinEpoch(Hook):
    """Hook that saves states within an epoch, and ends training on request.

    Args:
        processes: all processes.
        history: hook that holds the sums of losses.
        every: seconds between two states; None saves on request alone.
        requests: what signals ask for.
    """

    priority = "LOWEST"  # a step is complete when all hooks have seen it

    def __init__(self, processes: Processes, history: History, every: float | None, requests: Requests):
        self.processes, self.history, self.every, self.requests = processes, history, every, requests
        self._parts: list[dict[str, Any]] | None = None
        self._look, self._looked, self._saved = 0, (0, 0.0), 0.0

    def before_train(self, runner: Any) -> None:
        """Start the clock."""
        self._saved = time.monotonic()
        self._look, self._looked = runner.iter + 1, (runner.iter, self._saved)

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        """Save if it is time or somebody asks; the end of an epoch has a state of its own."""
        done = runner.iter + 1
        if done < self._look or done % len(runner.train_dataloader) == 0:
            return
        wish = self._agreed(done)
        if wish:
            self._save(runner, done)
        if wish >= REQUEUE:
            self._say(runner, done)
            raise Ended(wish)

    def after_train_epoch(self, runner: Any) -> None:
        """Remove what the epoch's state replaces; end on request, unless training is complete anyway."""
        if self.processes.rank == 0:
            remove_mid_epoch(Path(runner.work_dir), before=runner.epoch + 1)
        wish = self._agreed(runner.iter)
        self._saved = time.monotonic()
        if wish >= REQUEUE and runner.epoch + 1 < runner.max_epochs:
            self._say(runner, runner.iter)
            raise Ended(wish)

    def before_save_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Add what only a state within an epoch needs."""
        if self._parts is not None:
            checkpoint[PARTS] = self._parts

    def _agreed(self, done: int) -> int:
        """Return what is asked for in any process, and choose the next step at which to look."""
        now = time.monotonic()
        due = self.every is not None and now - self._saved >= self.every
        wish = max(self.requests.wish, SAVE if due and self.processes.rank == 0 else 0)
        self._look = done + 1
        if self.processes.count > 1:
            before, since = self._looked
            pause = LOOK_EVERY if self.every is None else min(LOOK_EVERY, self.every)
            steps = int(pause * max(done - before, 1) / max(now - since, 1e-6))
            words = torch.tensor([wish, max(1, steps) if self.processes.rank == 0 else 0])
            dist.all_reduce(words, op=dist.ReduceOp.MAX, group=self.processes.steps)
            wish, steps = words.tolist()
            self._look, self._looked = done + steps, (done, time.monotonic())
        if wish:
            self.requests.wish = 0
        return wish

    def _save(self, runner: Any, done: int) -> None:
        """Write the state of all processes in one file, atomically; remove the one before."""
        model = plain_model(runner)
        require_replicas(self.processes, model, when=f"after step {done}")
        parts = self.processes.gather(own_part(model, self.history), training=True)
        if self.processes.rank == 0:
            folder, steps = Path(runner.work_dir), len(runner.train_dataloader)
            path = folder / mid_epoch_name(runner.epoch, done - runner.epoch * steps)
            self._parts = parts
            try:
                with whole_file(path, durable=True) as fresh:
                    runner.save_checkpoint(str(folder), fresh.name, by_epoch=False)
            finally:
                self._parts = None
            remove_mid_epoch(folder, keep=path)
        self._saved = time.monotonic()

    def _say(self, runner: Any, done: int) -> None:
        if self.processes.rank == 0:
            total = runner.max_epochs * len(runner.train_dataloader)
            label = f"{self.history.label} " if self.history.label else ""
            print(f"{label}stopped after step {done} of {total}; its state is saved", file=sys.stderr)


def plain_model(runner: Any) -> torch.nn.Module:
    """Return the model of a runner, without mmengine's wrapper."""
    return runner.model.module if is_model_wrapper(runner.model) else runner.model


def own_part(model: torch.nn.Module, history: History) -> dict[str, Any]:
    """Return what this process alone knows, as tensors and plain types."""
    version, words, gauss = random.getstate()
    twister: Any = np.random.get_state(legacy=True)
    name, keys, position, has_gauss, cached = twister
    cuda = torch.cuda.get_rng_state() if torch.cuda.is_initialized() else None
    return {
        "torch": torch.get_rng_state(),
        "cuda": cuda,
        "python": [version, torch.tensor(words, dtype=torch.int64), gauss],
        "numpy": [
            str(name),
            torch.from_numpy(keys.astype(np.int64)),
            int(position),
            int(has_gauss),
            float(cached),
        ],
        "buffers": {key: value.detach().cpu().clone() for key, value in model.named_buffers()},
        **history.within_epoch(),
    }


def restore_part(part: dict[str, Any], model: torch.nn.Module, history: History, steps: int) -> None:
    """Restore what :func:`own_part` returned, after so many steps of the epoch."""
    with torch.no_grad():
        for key, value in model.named_buffers():
            value.copy_(part["buffers"][key])
    history.restore(part["sums"], part["seconds"], steps)
    version, words, gauss = part["python"]
    random.setstate((version, tuple(words.tolist()), gauss))
    name, keys, position, has_gauss, cached = part["numpy"]
    np.random.set_state((name, keys.cpu().numpy().astype(np.uint32), position, has_gauss, cached))
    if part["cuda"] is not None and torch.cuda.is_initialized():
        torch.cuda.set_rng_state(part["cuda"].cpu())
    torch.set_rng_state(part["torch"].cpu())
