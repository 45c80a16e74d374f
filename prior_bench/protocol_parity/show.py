"""Format outcomes of the papers' protocols as plain lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from prior_bench.escaping.signs import one_line
from prior_bench.protocol_parity.check import IngredientOutcome
from prior_bench.protocol_parity.statements import Status


def line(outcome: IngredientOutcome) -> str:
    """Return one line: verdict, protocol, ingredient, what is stated, what was found."""
    stated = outcome.statement
    verdict = "FAIL" if outcome.failed else "PASS" if outcome.compared else "-"
    at = f" ({stated.commit[:7]})" if stated.commit else ""
    counted = f", {outcome.compared} quantities" if outcome.compared else ""
    found = one_line(outcome.text)  # names of quantities, which a fixture chooses
    part = one_line(stated.ingredient)
    return f"{verdict:4}  {stated.protocol}  {part}: {stated.status}{at}{counted}; {found}"


def summary(outcomes: Sequence[IngredientOutcome]) -> list[str]:
    """Return one line a paper and one for all: how many ingredients are verified, deviate, or fail."""
    papers: dict[str, list[IngredientOutcome]] = defaultdict(list)
    for outcome in outcomes:
        papers[outcome.statement.protocol.partition("/")[0]].append(outcome)
    return [*(_counts(paper, rows) for paper, rows in papers.items()), _counts("all", outcomes)]


def _counts(name: str, outcomes: Sequence[IngredientOutcome]) -> str:
    total = len(outcomes)
    parts = [
        f"{sum(outcome.statement.status is status for outcome in outcomes)} {status}" for status in Status
    ]
    verified = sum(outcome.statement.status is Status.VERIFIED for outcome in outcomes)
    failed = sum(outcome.failed for outcome in outcomes)
    share = f"{verified / total:.0%}" if total else "nothing"
    return f"{name}: {total} ingredients, {share} verified ({', '.join(parts)}); {failed} failed"
