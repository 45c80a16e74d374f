"""Check the statements of the papers' protocols against fixtures of the official code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from prior_bench.errors import BenchError
from prior_bench.protocol_parity.ingredients import Ingredient, ingredients_of
from prior_bench.protocol_parity.official import OfficialRun, OfficialValues, official_runs
from prior_bench.protocol_parity.statements import Statement, Status, stated_protocols, statements_of
from prior_bench.protocol_parity.values import differing
from prior_bench.suites import protocols


@dataclass(frozen=True)
class IngredientOutcome:
    """What the check of one ingredient found.

    Attributes:
        statement: what the documents say.
        failed: whether that is wrong.
        text: what was found.
        compared: number of compared quantities.
    """

    statement: Statement
    failed: bool
    text: str
    compared: int = 0


def check_protocols(folder: Path, only: str = "*") -> Iterator[IngredientOutcome]:
    """Check all ingredients of all protocols that have statements or fixtures.

    Args:
        folder: folder of fixtures, ``<paper>/<name>.json``.
        only: pattern of the protocols' names.

    Raises:
        BenchError: a fixture or a file of statements is damaged.
    """
    runs = official_runs(folder)
    names = {*stated_protocols(), *(name for run in runs for name in run.protocols)}
    for name in sorted(name for name in names if fnmatch(name, only)):
        yield from _check_protocol(name, [run for run in runs if name in run.protocols])


def _check_protocol(name: str, runs: list[OfficialRun]) -> Iterator[IngredientOutcome]:
    listed = ingredients_of(protocols.load(name).task)
    stated = statements_of(name)
    measured = {part: run for run in runs for part in run.ingredients}
    for part in [*listed, *sorted({*stated, *measured} - set(listed))]:
        statement = stated.get(part, Statement(name, part, Status.UNKNOWN))
        if part not in listed:
            yield IngredientOutcome(statement, True, "its task does not list this ingredient")
        elif part not in stated:
            yield IngredientOutcome(statement, True, "no statement says how well it is known")
        else:
            yield _check(statement, listed[part], measured.get(part))


def _check(statement: Statement, ingredient: Ingredient, run: OfficialRun | None) -> IngredientOutcome:
    claims = statement.status in (Status.VERIFIED, Status.DEVIATES)
    if run is None:
        if statement.status is Status.VERIFIED:
            return IngredientOutcome(statement, True, "no fixture of the official code")
        return IngredientOutcome(statement, False, "not run")
    if not claims:
        return IngredientOutcome(statement, True, f"the official code was run: {run.path.name}")
    if not statement.commit or not run.commit.startswith(statement.commit):
        return IngredientOutcome(statement, True, f"the fixture is of commit {run.commit[:7]}")
    if ingredient.compute is None:
        return IngredientOutcome(statement, True, "nothing computes it")
    return _compare(statement, ingredient, run.ingredients[statement.ingredient])


def _compare(statement: Statement, ingredient: Ingredient, measured: OfficialValues) -> IngredientOutcome:
    assert ingredient.compute is not None
    count = len(measured.expected)
    if not count:
        return IngredientOutcome(statement, True, "the fixture holds no quantity")
    try:
        ours = ingredient.compute(protocols.load(statement.protocol), measured.given)
    except BenchError as error:
        return IngredientOutcome(statement, True, str(error))
    except Exception as error:  # one ingredient must not hide the others
        return IngredientOutcome(statement, True, f"stopped: {type(error).__name__}: {error}")
    off = differing(ours, measured.expected, measured.tolerance)
    if statement.status is Status.VERIFIED:
        failed = bool(off)
    else:
        named = statement.exceptions or ("*",)
        unnamed = [name for name in off if not any(fnmatch(name, pattern) for pattern in named)]
        stale = [pattern for pattern in named if not any(fnmatch(name, pattern) for name in off)]
        failed = bool(unnamed or stale)
        if stale and not unnamed:
            return IngredientOutcome(statement, True, f"no longer deviates: {', '.join(stale)}", count)
    text = "; ".join(f"{name}: {problem}" for name, problem in off.items())
    return IngredientOutcome(statement, failed, text or "equal", count)
