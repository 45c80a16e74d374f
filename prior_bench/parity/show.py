"""Format outcomes of parity checks as plain lines."""

from __future__ import annotations

import torch

from prior_bench.escaping.signs import one_line
from prior_bench.parity.compare import DTYPES, Error, FixtureOutcome


def lines(outcome: FixtureOutcome, brief: bool = False) -> list[str]:
    """Return a header for the fixture and one line per quantity (``brief``: only for those that fail)."""
    if outcome.problem:
        verdict = "UNKNOWN" if outcome.unknown else "FAIL"
        return [one_line(f"{outcome.fixture}: {verdict}, {outcome.problem}")]
    worst = ", ".join(f"{kind} {_worst(outcome, kind)}" for kind in ("out", "grad") if _has(outcome, kind))
    verdict = "FAIL" if outcome.failed else "PASS"
    text = [f"{one_line(outcome.fixture)}: {verdict}, {len(outcome.errors)} quantities; worst {worst}"]
    for name, row in outcome.errors.items():
        passed = all(error.passed for error in row.values())
        if not (brief and passed):
            cells = "  ".join(_cell(row.get(dtype), dtype) for dtype in DTYPES)
            text.append(f"  {'PASS' if passed else 'FAIL'}  {cells}  {one_line(name)}")
    return text


def summary(outcomes: list[FixtureOutcome]) -> str:
    """Return one line that summarises all fixtures."""
    unknown = sum(outcome.unknown for outcome in outcomes)
    failed = sum(outcome.failed for outcome in outcomes)
    quantities = sum(len(outcome.errors) for outcome in outcomes)
    return (
        f"{len(outcomes)} fixtures, {quantities} quantities: {len(outcomes) - failed - unknown} passed, "
        f"{failed} failed, {unknown} without a checker"
    )


def _cell(error: Error | None, dtype: torch.dtype) -> str:
    name = str(dtype).removeprefix("torch.")
    return f"{name} {error.value:8.1e} (<= {error.tolerance:.0e})" if error else f"{name} {'not stored':18}"


def _has(outcome: FixtureOutcome, kind: str) -> bool:
    return any(name.startswith(f"{kind}.") for name in outcome.errors)


def _worst(outcome: FixtureOutcome, kind: str) -> str:
    rows = [row for name, row in outcome.errors.items() if name.startswith(f"{kind}.")]
    values = [max((row[d].value for row in rows if d in row), default=None) for d in DTYPES]
    return " / ".join("-" if value is None else f"{value:.1e}" for value in values)
