"""GPU hours and storage of the papers' work, for docs/scaling.md: ``python -m benchmarks.plan``.

Operations are counted with torch's counter, on tensors without values, at the real input sizes. Numbers of
steps and images come from the protocols, the pre-training configs and the published sizes of the data sets.
What a GPU does per second is an **assumption**; ``--tflops`` replaces it by what was measured.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple
from unittest.mock import patch

import timm
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.real_size import (
    METHODS_OF_PAPERS,
    SENTENCES,
    WORDS,
    real_batch,
    real_config,
    real_method,
)
from prior_bench.data.cards import card
from prior_bench.prior import reconstruction
from prior_bench.registry import TASKS
from prior_bench.rehearsal.counts import MIMIC_IMAGES, MIMIC_PARTS
from prior_bench.suites import protocols
from prior_bench.suites.estimate import FORWARD, FROZEN
from prior_bench.suites.suite import fractions_of, load_suite, seeds_of

SUSTAINED = 50.0
"""**Assumed** TFLOP/s that a GPU sustains in half precision, loading included."""
GPUS = (1, 8, 64)
PAIRS = {"prior": 182_475}
"""Pairs that the authors state; other methods have at most one pair per training study."""
CACHED = 256 * 213
"""Bytes of a cached radiograph of 3,000 x 2,500 pixels at 256: one per pixel (docs/speed.md)."""
SUITES = (
    *("mgca_tables", "gloria_tasks", "lovt_rsna", "lovt_localised"),
    *("benchx_classification", "benchx_segmentation", "benchx_retrieval", "prior_tasks"),
)


class Released(NamedTuple):
    """The image encoder of a released model: timm's name and the side of its input in pixels."""

    model: str
    size: int


RELEASED = {
    "ConVIRT, ResNet-50": Released("resnet50", 224),
    "ConVIRT, ViT-B/16": Released("vit_base_patch16_224", 224),
    "GLoRIA": Released("resnet50", 224),
    "MGCA, ResNet-50": Released("resnet50", 224),
    "MGCA, ViT-B/16": Released("vit_base_patch16_224", 224),
    "PRIOR": Released("resnet50", 224),
    "BioViL": Released("resnet50", 480),
    "CheXzero": Released("vit_base_patch32_224", 224),
    "MedCLIP, Swin-T": Released("swin_tiny_patch4_window7_224", 224),
    "CXR-CLIP, Swin-T": Released("swin_tiny_patch4_window7_224", 224),
    "KAD": Released("resnet50", 512),
    "MRM": Released("vit_base_patch16_224", 224),
}


class Passes(NamedTuple):
    """Images that pass an encoder: forward alone, frozen under a trained head, and trained."""

    forward: float = 0.0
    frozen: float = 0.0
    trained: float = 0.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tflops", type=float, default=SUSTAINED, help=f"default {SUSTAINED:g}, assumed")
    options = parser.parse_args(arguments)
    print(page(options.tflops))


def page(tflops: float) -> str:
    """Return the tables as Markdown."""
    told = (
        f"Assumed: {tflops:g} TFLOP/s sustained by each GPU, no loss over several GPUs, and reports of "
        f"{SENTENCES} sentences of {WORDS} tokens."
    )
    return "\n\n".join([told, _pretraining(tflops), _evaluation(tflops), _storage()])


# --- pre-training ---------------------------------------------------------------------------------------


def operations_of_steps(name: str) -> dict[int, float]:
    """Return operations per pair, forward and backward, by stage (0 without stages)."""
    config, method = real_config(name), real_method(name).train()
    batch = real_batch(method, config, config.batch_size)
    method.to("meta")
    batch = batch._replace(images=batch.images.to("meta"), text=batch.text.to("meta"))
    stages = range(1, len(config.schedule.stages) + 1) if config.schedule.stages else [0]
    found = {}
    for stage in stages:
        if stage:
            method.stage = stage
        with FlopCounterMode(display=False) as counter, _without_values():
            losses = method.loss(batch)
            sum(value for key, value in losses.items() if key.startswith("loss")).backward()
        found[stage] = counter.get_total_flops() / config.batch_size
        method.zero_grad()
    return found


@contextmanager
def _without_values() -> Iterator[None]:
    """Let methods run on tensors without values."""
    no_autocast = patch.object(torch, "autocast", lambda *kind, **settings: nullcontext())
    with no_autocast, patch.object(reconstruction, "assign", _in_order):
        yield


def _in_order(cost: Tensor) -> Tensor:
    """Stand for the matching, which needs values and no counted operation."""
    return torch.zeros(cost.shape[:2], dtype=torch.int64, device=cost.device)


def _pretraining(tflops: float) -> str:
    rows = []
    for name in METHODS_OF_PAPERS:
        config, per_pair = real_config(name), operations_of_steps(name)
        pairs = PAIRS.get(name, MIMIC_PARTS["train"][1])
        ends = (0, *config.schedule.ends)
        epochs = [after - before for before, after in zip(ends, ends[1:], strict=False)]
        steps = pairs // config.batch_size * ends[-1]
        total = sum(pairs * n * per_pair[stage] for n, stage in zip(epochs, per_pair, strict=True))
        hours = total / (tflops * 1e12) / 3600
        each = ", ".join(f"{value / 1e9:,.0f}" for value in per_pair.values())
        walls = (f"{hours / gpus:,.1f}" for gpus in GPUS)
        rows.append((name, f"{pairs:,}", ends[-1], f"{steps:,}", each, *walls))
    walls = tuple(f"hours on {gpus}" for gpus in GPUS)
    return _table(("pre-training", "pairs", "epochs", "steps", "GFLOP/pair", *walls), rows)


# --- evaluation -----------------------------------------------------------------------------------------


def operations_of_image(row: Released) -> tuple[float, float]:
    """Return operations per image: of the forward pass, and of forward and backward."""
    dynamic = {"img_size": row.size} if row.model.startswith(("vit", "swin")) else {}
    with torch.device("meta"):
        model: nn.Module = timm.create_model(row.model, num_classes=0, **dynamic)
        images = torch.empty(1, 3, row.size, row.size)
    with FlopCounterMode(display=False) as forward:
        output = model(images)
    with FlopCounterMode(display=False) as backward:
        output.sum().backward()
    return forward.get_total_flops(), forward.get_total_flops() + backward.get_total_flops()


def passes_of(suite: str) -> tuple[dict[int | None, Passes], int, int]:
    """Return what passes one row's encoder in a suite, by the size that protocols state.

    Where they state none, which is None, the size is the row's own.

    Returns:
        The passes, the number of cells of a row, and how many of them have no published size.
    """
    made = load_suite(suite)
    found: dict[int | None, Passes] = {}
    cells = unknown = 0
    for entry in made.evaluations:
        protocol = protocols.load(entry["protocol"], entry.get("overrides"))
        estimate = getattr(TASKS.get(entry["task"])(), "estimate", None)
        known = card(_name(entry["data"]))
        sizes = (
            known.published.get(protocol.split.get("rule", "default"), {}).get("images") if known else None
        )
        fractions, seeds = fractions_of(entry), len(seeds_of(made, entry))
        cells += seeds * len(fractions)
        works = (
            [estimate(protocol, sizes, f) for f in fractions]
            if estimate and sizes and len(sizes) == 3
            else []
        )
        if not works or None in works:
            unknown += seeds * len(fractions)
            continue
        before = found.get(size := _stated_size(protocol), Passes())
        once = max(work.features for work in works)  # features are cached for all fractions
        found[size] = Passes(
            before.forward + seeds * (once + sum(work.forward for work in works)),
            before.frozen + seeds * sum(work.frozen for work in works),
            before.trained + seeds * sum(work.trained for work in works),
        )
    return found, cells, unknown


def _name(data: Any) -> str:
    return str(data["type"] if isinstance(data, dict) else data).partition("@")[0]


def _stated_size(protocol: Any) -> int | None:
    enlarge = protocol.options.get("enlarge")
    return enlarge if isinstance(enlarge, int) else (protocol.transform.get("input") or {}).get("size")


def _evaluation(tflops: float) -> str:
    counted = {name: operations_of_image(row) for name, row in RELEASED.items()}
    rows, sums = [], [0, 0, 0.0]
    for suite in SUITES:
        passes, cells, unknown = passes_of(suite)
        total = sum(_operations(passes, row, *counted[name]) for name, row in RELEASED.items())
        hours = total / (tflops * 1e12) / 3600
        sums = [sums[0] + cells, sums[1] + unknown, sums[2] + hours]
        rows.append(_suite_row(suite, cells, unknown, hours))
    rows.append(_suite_row("**all**", *sums))
    walls = tuple(f"hours on {gpus}" for gpus in GPUS)
    head = (f"suite, {len(RELEASED)} models", "cells", "not counted", *walls)
    return _table(head, rows)


def _operations(passes: dict[int | None, Passes], row: Released, forward: float, trained: float) -> float:
    total = 0.0
    for size, images in passes.items():
        area = ((size or row.size) / row.size) ** 2
        frozen = (
            images.frozen * FORWARD / FROZEN
        )  # what stands above a frozen encoder, as estimate.py assumes
        total += area * ((images.forward + frozen) * forward + images.trained * trained)
    return total


def _suite_row(suite: str, cells: int, unknown: int, hours: float) -> tuple[object, ...]:
    walls = (f"{hours / gpus:,.1f}" for gpus in GPUS)
    return suite, f"{len(RELEASED) * cells:,}", f"{len(RELEASED) * unknown:,}", *walls


# --- storage --------------------------------------------------------------------------------------------


def _storage() -> str:
    rows = []
    for name in METHODS_OF_PAPERS:
        weights = sum(t.numel() * t.element_size() for t in real_method(name).state_dict().values())
        rows.append((f"{name}: weights", f"{weights / 1e9:.2f}"))
        rows.append((f"{name}: states while it trains (two, with moments)", f"{2 * 3 * weights / 1e9:.1f}"))
    rows.append((f"MIMIC-CXR, {MIMIC_IMAGES:,} images cached at 256", f"{MIMIC_IMAGES * CACHED / 1e9:.0f}"))
    return _table(("files", "GB"), rows)


def _table(head: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    head = list(head)
    lines = [f"| {' | '.join(map(str, head))} |", f"|:--|{'--:|' * (len(head) - 1)}"]
    return "\n".join([*lines, *(f"| {' | '.join(map(str, row))} |" for row in rows)])


if __name__ == "__main__":
    main()
