"""Everything about a GPU that this project could not measure without one: ``python -m benchmarks.gpu``.

Operators against the CPU, an epoch of each method with mixed precision and in float32, gathering over GPUs,
speed of a step's parts, waits of the host, and peak memory, as Markdown tables for docs/speed.md. Nothing is
downloaded. ``--device cpu --small`` runs the same code on a CPU in about a minute.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch

from benchmarks.gpu_gathering import difference
from benchmarks.gpu_operators import differences
from benchmarks.gpu_training import Step, epoch_losses
from benchmarks.real_size import METHODS_OF_PAPERS

SAME = 1e-4
"""Largest relative difference that counts as rounding."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; return 1 if there is no such device or if something is wrong on it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--small", action="store_true", help="small models and data, about a minute on a CPU")
    parser.add_argument("--pairs", type=int, default=32, help="pairs of a step whose speed is measured")
    parser.add_argument("--repeats", type=int, default=10, help="timed steps")
    options = parser.parse_args(arguments)
    if options.device == "cuda" and not torch.cuda.is_available():
        print("no CUDA device is visible; --device cpu --small tries the same code", file=sys.stderr)
        return 1
    pairs, repeats = (8, 1) if options.small else (options.pairs, options.repeats)
    print(f"{_name(options.device)}, torch {torch.__version__}\n")
    wrong = _operators(options.device) + _gathering(options.device)
    _epochs(options.device, options.small)
    _steps(options.device, options.small, pairs, repeats)
    if wrong:
        print(f"wrong on this device: {', '.join(wrong)}", file=sys.stderr)
    return 1 if wrong else 0


def amp_precision(device: str) -> str:
    """Return the half precision that the hardware has: bfloat16 where it is supported."""
    return "bfloat16" if device == "cuda" and torch.cuda.is_bf16_supported() else "float16"


def _name(device: str) -> str:
    if device == "cpu":
        return "CPU (no number below is of a GPU)"
    return f"{torch.cuda.device_count()} x {torch.cuda.get_device_name()}"


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    print(f"| {' | '.join(head)} |\n|:--|{'--:|' * (len(head) - 1)}")
    for row in rows:
        print(f"| {' | '.join(str(cell) for cell in row)} |", flush=True)
    print()


def _operators(device: str) -> list[str]:
    found = differences(device)
    head = ("operator", "largest relative difference to the CPU")
    _table(head, ((name, f"{value:.1e}") for name, value in found.items()))
    return [name for name, value in found.items() if not value <= SAME]


def _gathering(device: str) -> list[str]:
    counts = [1, 2] if device == "cpu" else sorted({1, torch.cuda.device_count()})
    found = {count: difference(count, device) for count in counts}
    backend = "NCCL" if device == "cuda" else "gloo"
    head = (f"processes ({backend})", "largest difference to one process")
    _table(head, ((count, f"{value:.1e}") for count, value in found.items()))
    return [f"gathering over {count}" for count, value in found.items() if not value <= SAME]


def _epochs(device: str, small: bool) -> None:
    half, rows = amp_precision(device), []
    with tempfile.TemporaryDirectory() as folder:
        for name in METHODS_OF_PAPERS:
            amp, full = (epoch_losses(name, device, p, Path(folder), small) for p in (half, "float32"))
            rows += [(f"{name}, {key}", f"{amp[key]:.4f}", f"{full[key]:.4f}") for key in full]
    _table(("loss of the last epoch", half if device == "cuda" else "float32, again", "float32"), rows)


def _steps(device: str, small: bool, pairs: int, repeats: int) -> None:
    rows = []
    for name in METHODS_OF_PAPERS:
        step = Step(name, device, pairs, small, amp_precision(device))
        speeds, peak = step.speeds(repeats), step.peak()
        share = speeds["whole step"] / speeds["image encoder"]
        told = (f"{value:,.0f}" for value in speeds.values())
        waits = step.waits()  # last, because counting without a device spoils the method
        rows.append((name, *told, f"{share:.2f}", f"{peak:,.0f}", waits))
    head = (
        "images/s of",
        "image encoder",
        "text encoder",
        "whole step",
        "step / encoder",
        "peak, MiB",
        "waits",
    )
    _table(head, rows)


if __name__ == "__main__":
    sys.exit(main())
