"""mmengine's Runner as pre-training uses it: quiet, on a given device, and with states that are data."""

from __future__ import annotations

import contextlib
import io
import logging
import sys
import warnings
from pathlib import Path
from typing import Any

import torch
from mmengine.logging import MMLogger
from mmengine.model import MMDistributedDataParallel, is_model_wrapper
from mmengine.runner import Runner
from torch import nn

from prior_bench.checkpoints.training_parts import require_parts
from prior_bench.checkpoints.training_states import (
    PARTS,
    load_weights,
    no_state,
    read_state,
    require_optimizer,
    require_schedulers,
)
from prior_bench.errors import BenchError
from prior_bench.losses.gather import rank, world_size
from prior_bench.pretraining.folder import epoch_of, step_of
from prior_bench.pretraining.synchronised import synchronised


class EpochRunner(Runner):
    """mmengine's Runner with less output and on the requested device instead of any available GPU."""

    def __init__(self, *args: Any, device: str, **kwargs: Any):
        self.device = device
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Setting .*NUM_THREADS environment variable")
            warnings.filterwarnings("ignore", "`broadcast_buffers` is deprecated")
            super().__init__(*args, **kwargs)

    def build_logger(
        self, log_level: int | str = "INFO", log_file: str | None = None, **kwargs: Any
    ) -> MMLogger:
        """Build a logger that writes to ``pretrain.log`` and prints only errors."""
        logger = super().build_logger(log_level, str(Path(self.work_dir) / "pretrain.log"), **kwargs)
        for handler in logger.handlers:
            if not isinstance(handler, logging.FileHandler):
                handler.setLevel(logging.ERROR)
            else:  # by default, logging prints a traceback and goes on
                handler.handleError = _raise_again  # type: ignore[method-assign]
        return logger

    def resume(self, filename: str, *args: Any, **kwargs: Any) -> None:
        """Load a state; print the epoch instead of the path that mmengine prints."""
        with contextlib.redirect_stdout(io.StringIO()):
            try:
                super().resume(filename, *args, **kwargs)
                require_optimizer(self.optim_wrapper.optimizer, filename)
            except BenchError:
                raise
            except (KeyError, TypeError, ValueError, AttributeError, RuntimeError, AssertionError) as error:
                raise no_state(filename, f"{type(error).__name__}: {error}") from error
        if rank() == 0:
            steps = step_of(Path(filename))
            within = f", step {steps} of {len(self.train_dataloader)}" if steps else ""
            print(f"continuing after epoch {self.epoch}{within}", file=sys.stderr)

    def load_checkpoint(self, filename: str, map_location: Any = "cpu", **kwargs: Any) -> dict[str, Any]:
        """Load a state as data, with all weights; mmengine's own would run a config in it."""
        state = read_state(filename, map_location)
        if state["meta"]["epoch"] != epoch_of(Path(filename)):
            raise no_state(filename, f"it is of epoch {state['meta']['epoch']}")
        if not isinstance(state.get("optimizer"), dict):
            raise no_state(filename, "it has no optimizer")
        require_schedulers(state.get("param_schedulers"), self.param_schedulers, filename)
        model = self.model.module if is_model_wrapper(self.model) else self.model
        self._require_position(state, model, Path(filename))
        self.call_hook("after_load_checkpoint", checkpoint=state)
        load_weights(model, state, filename)
        self._has_loaded = True
        return state

    def _require_position(self, state: dict[str, Any], model: nn.Module, path: Path) -> None:
        """Check that a state is of the steps that its name says, and what it holds if it is within an epoch.

        Args:
            state: the state.
            model: the model, without a wrapper.
            path: the file of the state.
        """
        steps, given = len(self.train_dataloader), state["meta"]
        if step_of(path) == 0:
            state.pop(PARTS, None)
            return
        if given["iter"] != given["epoch"] * steps + step_of(path) or step_of(path) >= steps:
            raise no_state(path, f"it is of step {given['iter']}, and an epoch has {steps} steps")
        require_parts(state, model, world_size(), path)

    def dump_config(self) -> None:
        """Do nothing, because ``run.json`` and the checkpoint contain the config."""

    def wrap_model(self, model_wrapper_cfg: dict | None, model: nn.Module) -> nn.Module:
        """Move the model to the device, and make it data-parallel if there are several processes."""
        on_gpu = self.device != "cpu"
        if on_gpu:
            model = model.to("cuda")  # the one of this process
        if not self.distributed:
            return model
        if on_gpu and self.cfg.get("sync_bn"):
            model = synchronised(model)
        return MMDistributedDataParallel(
            model,
            device_ids=[torch.cuda.current_device()] if on_gpu else None,
            broadcast_buffers=False,
            find_unused_parameters=self.cfg.get("find_unused_parameters", False),
        )


def _raise_again(record: logging.LogRecord) -> None:
    """Raise the exception that is being handled: the log cannot be written."""
    raise
