"""The papers' losses and ours on the same tensors and weights: first equal, then timed.

A case is a loss on both sides. What a side returns are its value and its gradients, by name; these are
compared before anything is timed. Products are multiplications of matrix products and convolutions.
"""

import math
import statistics
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from benchmarks.measuring import in_turns, median_ratio, operators, peak_memory, products

TOLERANCE = 1e-6
"""Largest |official - ours| / |official| in float64, as Euclidean norms, of the loss and of each gradient. In
float32, gradients through ReLUs and batch norms of stage 3 differ by up to 1e-2, by rounding alone."""
FLOAT32_TOLERANCE = 1e-4
"""The same in float32, for the loss alone."""
SMALL = 1e-3
"""A gradient counts as at least this share of the largest one: some are 0 but for rounding."""
HEADER = (
    "loss",
    "size",
    "official, ms",
    "ours, ms",
    "official / ours",
    "operators, official",
    "operators, ours",
    "products, official, G",
    "products, ours, G",
    "peak, official, MiB",
    "peak, ours, MiB",
)
LOSS = "the loss"

Outcome = dict[str, Tensor]
"""The loss, and the gradients of inputs and weights by their names."""


@dataclass(frozen=True)
class LossCase:
    """One loss, on both sides; each call is a forward and a backward pass.

    Attributes:
        name: of the loss.
        size: in words.
        official, ours: what is timed.
        checked: ours with the random numbers of the official side; None where there are none, so that
            ``ours`` is checked itself. It is called after ``official``.
    """

    name: str
    size: str
    official: Callable[[], Outcome]
    ours: Callable[[], Outcome]
    checked: Callable[[], Outcome] | None = None


def outcome(loss: Tensor, leaves: dict[str, Tensor]) -> Outcome:
    """Return the loss and the gradients of those leaves on which it depends."""
    gradients = torch.autograd.grad(loss, list(leaves.values()), allow_unused=True)
    found = zip(leaves, gradients, strict=True)
    return {LOSS: loss.detach(), **{name: gradient for name, gradient in found if gradient is not None}}


def compared(cases: Callable[[], Iterable[LossCase]], repeats: int) -> list[tuple[str, ...]]:
    """Check the cases in float64, then measure them in float32; return rows of :func:`table`.

    Args:
        cases: makes them with tensors of torch's default type.
        repeats: timed runs of each side.
    """
    torch.set_default_dtype(torch.float64)
    try:
        for case in cases():
            check(case, TOLERANCE)
            print(f"{case.name}: equal", file=sys.stderr, flush=True)
    finally:
        torch.set_default_dtype(torch.float32)
    return [measured(case, repeats) for case in cases()]


def check(case: LossCase, tolerance: float, loss_alone: bool = False) -> None:
    """Compare both sides.

    Args:
        case: whose both sides run once.
        tolerance: for relative differences, see :data:`TOLERANCE`.
        loss_alone: whether gradients may differ by more.

    Raises:
        SystemExit: a difference is larger, or a gradient is missing on one side.
    """
    official, ours = case.official(), (case.checked or case.ours)()
    if alone := sorted(official.keys() ^ ours.keys()):
        side = "the official side" if alone[0] in official else "ours"
        raise SystemExit(f"{case.name}: only {side} has a gradient of {alone[0]}; it was not timed")
    norms = {name: float(value.double().norm()) for name, value in official.items() if name != LOSS}
    least = {name: SMALL * max(norms.values()) for name in norms} | {LOSS: 0.0}
    for name in [LOSS] if loss_alone else official:
        found = _difference(official[name], ours[name], least[name])
        if found > tolerance:
            what = name if name == LOSS else f"the gradient of {name}"
            raise SystemExit(
                f"{case.name}: {what} differs between the official side and ours by {found:.1e} "
                f"(relative; at most {tolerance:.0e} is rounding); it was not timed"
            )


def _difference(official: Tensor, ours: Tensor, least: float) -> float:
    """Relative to the official norm, or ``least``; infinite for values that are not numbers."""
    if official.shape != ours.shape:
        return math.inf
    size = max(float(official.double().norm()), least)
    found = float((official.double() - ours.double()).norm())
    return math.inf if math.isnan(found) else found / size if found else 0.0


def measured(case: LossCase, repeats: int) -> tuple[str, ...]:
    """Check a case's loss and measure it; return its cells, see :data:`HEADER`."""
    check(case, FLOAT32_TOLERANCE, loss_alone=True)
    ways = {"official": case.official, "ours": case.ours}
    counts = [_counted(way) for way in ways.values()]
    times = in_turns(ways, repeats)
    return (
        case.name,
        case.size,
        *(f"{statistics.median(found) * 1e3:,.1f}" for found in times.values()),
        f"{median_ratio(times['official'], times['ours']):.2f}",
        *(f"{count['operators']:,}" for count in counts),
        *(f"{count['products'] / 1e9:,.2f}" for count in counts),
        *(f"{count['bytes'] / 2**20:,.0f}" for count in counts),
    )


def _counted(way: Callable[[], Outcome]) -> dict[str, int]:
    """Operators, multiplications and bytes at the peak of one call."""
    found = {}

    def dispatched() -> None:
        found["operators"] = operators(way)

    def multiplied() -> None:
        found["products"] = products(dispatched)

    found["bytes"] = peak_memory(multiplied)
    return found


def table(rows: Iterable[tuple[str, ...]]) -> str:
    """Return a Markdown table of rows of :func:`measured`."""
    lines = [HEADER, (":--", ":--", *["--:"] * (len(HEADER) - 2)), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
