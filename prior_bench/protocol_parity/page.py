"""The section of a paper's page that lists how well each ingredient of its protocols is known."""

from __future__ import annotations

from collections import defaultdict

from tabulate import tabulate

from prior_bench.errors import unknown_name
from prior_bench.protocol_parity.ingredients import ingredients_of
from prior_bench.protocol_parity.statements import (
    MEANING,
    Statement,
    Status,
    stated_protocols,
    statements_of,
)
from prior_bench.suites import protocols

TITLE = "## Ingredients"


def section(paper: str) -> str:
    """Return the section as Markdown: a table for each task, and the notes.

    Args:
        paper: folder of the protocols, e.g. ``"mgca"``.

    Raises:
        BenchError: no protocol of this paper has statements.
    """
    tasks: dict[str, list[str]] = defaultdict(list)
    stated = stated_protocols()
    for name in stated:
        if name.startswith(f"{paper}/"):
            tasks[protocols.load(name).task].append(name)
    if not tasks:
        raise unknown_name("paper", paper, sorted({name.partition("/")[0] for name in stated}))
    used = [one.status for names in tasks.values() for name in names for one in statements_of(name).values()]
    lines = [TITLE, "", "How well each part of the protocols is known:", ""]
    lines += [f"- **{status}**: {meaning}" for status, meaning in MEANING.items() if status in used]
    lines += ["", _count(used), ""]
    for task, names in tasks.items():
        lines += _task(task, names)
    return "\n".join(lines)


def _count(used: list[Status]) -> str:
    verified = used.count(Status.VERIFIED)
    return f"Verified: {verified} of {len(used)} ({verified / len(used):.0%})."


def _task(task: str, names: list[str]) -> list[str]:
    listed = ingredients_of(task)
    stated = {name: statements_of(name) for name in names}
    notes: dict[str, int] = {}
    rows = [
        [part, listed[part].meaning, *(_cell(stated[name].get(part), notes) for name in names)]
        for part in listed
    ]
    heads = ["ingredient", "what belongs to it", *(f"`{name.partition('/')[2]}`" for name in names)]
    table = tabulate(rows, heads, tablefmt="github", disable_numparse=True)
    return [f"### {task.replace('_', '-').capitalize()}", "", table, "", *_listed(notes)]


def _cell(statement: Statement | None, notes: dict[str, int]) -> str:
    if statement is None:
        return str(Status.UNKNOWN)
    commit = f" {statement.commit[:7]}" if statement.commit else ""
    mark = f" [{notes.setdefault(statement.note, len(notes) + 1)}]" if statement.note else ""
    return f"{statement.status}{commit}{mark}"


def _listed(notes: dict[str, int]) -> list[str]:
    return [f"{number}. {note}" for note, number in notes.items()] + [""] * bool(notes)
