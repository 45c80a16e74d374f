"""Training on a device: an epoch of each method, speed of its parts, waits of the host and memory."""

from __future__ import annotations

import csv
import json
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.measuring import peak_memory
from benchmarks.real_size import real_batch, real_config, real_method
from benchmarks.waits import waits_of
from prior_bench.api import PretrainBatch
from prior_bench.pretraining.config import PretrainConfig, load_config
from prior_bench.pretraining.deferred_log import KeepsNorm
from prior_bench.pretraining.model import PretrainModel, build_method
from prior_bench.pretraining.optimisation import optim_wrapper
from prior_bench.pretraining.trainer import pretrain

FINDINGS = ("edema", "effusion", "consolidation", "pneumothorax", "a nodule", "a fracture", "a device")
MEGA = 2**20


def epoch_losses(name: str, device: str, precision: str, folder: Path, small: bool) -> dict[str, float]:
    """Train a method for an epoch (PRIOR: one of each stage) and return its losses at the end."""
    changes: dict[str, Any] = {"validation": None, "precision": precision}
    if name == "prior":
        changes["schedule.stages"] = [dict(epochs=1)] * 3
    else:
        changes |= {"schedule.epochs": 1, "schedule.warmup_epochs": 0}
    if small:
        changes |= {"data.dataset": str(small_pairs(folder)), "batch_size": 8, "data.cache": None}
        if name == "prior":
            changes["method.prototypes"] = 8
    made = pretrain(load_config(f"{name}_sample", changes), folder / f"{name}-{precision}", device=device)
    epoch = json.loads((made.parent / "history.json").read_text())[-1]
    return {key: value for key, value in epoch.items() if key.startswith("loss")}


def small_pairs(folder: Path) -> Path:
    """Write 32 images of noise with reports of two sentences; return the CSV file."""
    path = folder / "pairs.csv"
    if path.exists():
        return path
    draw, rows = np.random.default_rng(0), []
    for i in range(32):
        Image.fromarray(draw.integers(0, 255, (72, 72), dtype=np.uint8)).save(folder / f"{i}.png")
        one, other = FINDINGS[i % 7], FINDINGS[(i // 7 + 1) % 7]
        rows.append((f"{i}.png", f"p{i}", f"s{i}", "train", f"There is {one}. No {other} in view {i}."))
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([("image", "patient_id", "study_id", "split", "report"), *rows])
    return path


class Step:
    """A training step of a method: as in its paper, or as on the sample benchmark.

    Args:
        name: the method.
        device: where it is trained.
        pairs: pairs of a batch.
        small: whether to take the sample benchmark's size.
        precision: precision of the forward pass on a GPU.
    """

    def __init__(self, name: str, device: str, pairs: int, small: bool, precision: str):
        self.device, self.pairs = device, pairs
        config = load_config(f"{name}_sample") if small else real_config(name)
        self.config: PretrainConfig = replace(config, precision=precision)
        self.method = build_method(self.config, _corpus(), 0) if small else real_method(name)
        if hasattr(self.method, "stage"):
            self.method.stage = 3
        self.batch = self._batch(small)
        self.wrapper = optim_wrapper(self.method, self.config, device)

    def _batch(self, small: bool) -> PretrainBatch:
        if not small:
            return real_batch(self.method, self.config, self.pairs)
        size = self.method.image_encoder.input.size
        texts = (_corpus() * self.pairs)[: self.pairs]
        images = torch.randn(self.pairs, 1, size, size)
        return PretrainBatch(images, self.method.text_encoder.tokenizer(texts))

    def model(self) -> PretrainModel:
        """Return the model on the device, in training mode."""
        return PretrainModel(self.method).train().to(self.device)

    def speeds(self, repeats: int) -> dict[str, float]:
        """Return images per second: of the image encoder, the text encoder, and the whole step."""
        model = self.model()
        images, text = model.data_preprocessor(self.batch, True)

        def encode_images() -> None:
            with self.wrapper.optim_context(model):
                features = self.method.image_encoder(images)
            features[0].float().sum().backward()

        def encode_texts() -> None:
            with self.wrapper.optim_context(model):
                tokens = self.method.text_encoder(text).tokens
            tokens.float().sum().backward()

        parts: dict[str, Callable[[], object]] = {
            "image encoder": encode_images,
            "text encoder": encode_texts,
            "whole step": lambda: model.train_step(self.batch, self.wrapper),
        }
        return {part: self.pairs / self._seconds(run, repeats) for part, run in parts.items()}

    def _seconds(self, run: Callable[[], object], repeats: int) -> float:
        run()  # the first call allocates and chooses algorithms
        self._finish()
        start = time.perf_counter()
        for _ in range(repeats):
            run()
        self._finish()
        return (time.perf_counter() - start) / repeats

    def _finish(self) -> None:
        if self.device != "cpu":
            torch.cuda.synchronize()

    def peak(self) -> float:
        """Return the peak memory of a step in MiB; on a CPU, of the tensors that it makes."""
        model = self.model()
        if self.device == "cpu":
            return peak_memory(lambda: model.train_step(self.batch, self.wrapper)) / MEGA
        torch.cuda.reset_peak_memory_stats()
        model.train_step(self.batch, self.wrapper)
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated() / MEGA

    def waits(self) -> int:
        """Return how often the host waits in a step: as CUDA says, or as counted without a device."""
        if self.device == "cpu":
            assert isinstance(self.wrapper, KeepsNorm)
            return sum(
                waits_of(self.method, self.batch, self.config.optimizer, self.config.clip_grad).values()
            )
        model = self.model()
        model.train_step(self.batch, self.wrapper)
        torch.cuda.set_sync_debug_mode("warn")
        try:
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                model.train_step(self.batch, self.wrapper)
        finally:
            torch.cuda.set_sync_debug_mode("default")
        return sum("synchroniz" in str(one.message) for one in said)


def _corpus() -> list[tuple[str, ...]]:
    return [(f"There is {one}.", f"No {other}.") for one in FINDINGS for other in FINDINGS if one != other]
