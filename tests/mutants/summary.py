"""The outcome of a mutation run as Markdown and JSON."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

from mutation import Mutant

KILLED = ("failed", "stopped", "timeout")
"""Outcomes of a run of the tests that tell the mutant from the module."""


def read_reasons(path: Path) -> list[dict[str, str]]:
    """Why survivors may survive: entries with ``why`` and, where they are given, ``module`` and ``inside``
    (both must be equal), ``before`` and ``after`` (must occur in the changed line)."""
    return tomllib.loads(path.read_text()).get("survivor", []) if path.is_file() else []


def reason(mutant: Mutant, reasons: list[dict[str, str]]) -> str:
    """Why a mutant survives; empty where nobody has said so."""
    for entry in reasons:
        same = all(
            entry.get(key, getattr(mutant, key)) == getattr(mutant, key) for key in ("module", "inside")
        )
        if same and all(entry.get(key, "") in getattr(mutant, key) for key in ("before", "after")):
            return entry["why"]
    return ""


def summarise(
    mutants: dict[str, list[Mutant]], outcomes: dict[str, dict[str, Any]], reasons: list[dict[str, str]]
) -> dict[str, Any]:
    """Counts and survivors of each module, as plain types."""
    modules = {}
    for module, every in mutants.items():
        run = [mutant for mutant in every if mutant.key in outcomes]
        counts = Counter(outcomes[mutant.key]["outcome"] for mutant in run)
        modules[module] = {
            "mutants": len(every),
            "run": len(run),
            "killed": sum(counts[name] for name in KILLED),
            "timeouts": counts["timeout"],
            "survivors": [
                {
                    "line": mutant.line,
                    "inside": mutant.inside,
                    "before": mutant.before,
                    "after": mutant.after,
                    "why": reason(mutant, reasons),
                }
                for mutant in sorted(run, key=lambda one: one.line)
                if outcomes[mutant.key]["outcome"] == "passed"
            ],
        }
    return modules


def markdown(modules: dict[str, Any], command: str) -> str:
    """The page ``docs/mutation.md``."""
    lines = [
        "# Mutation score",
        "",
        f"Written by `{command}`; do not edit. Each mutant is a module with one small change (an operator, a",
        "comparison, a number, a condition), made by the operators of",
        "[cosmic-ray](https://cosmic-ray.readthedocs.io). A mutant is killed when a test of those that guard",
        "its module fails (`tests/mutants/guards.toml`), stops with an error or does not end. Where fewer",
        "mutants were run than there are, they were drawn at random by a seed.",
        "",
        "| module | mutants | run | killed | score |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    lines += [_row(f"`{name}`", one) for name, one in modules.items()]
    total = {key: sum(one[key] for one in modules.values()) for key in ("mutants", "run", "killed")}
    lines += [_row("**all**", total), ""]
    explained = sum(bool(s["why"]) for one in modules.values() for s in one["survivors"])
    survivors = sum(len(one["survivors"]) for one in modules.values())
    lines += ["## Survivors", ""]
    lines += [f"{survivors} mutants survive; {explained} of them have a reason, the others are open.", ""]
    for name, one in modules.items():
        if one["survivors"]:
            lines += [f"### `{name}`", "", "| line | in | after the change | why it survives |"]
            lines += ["| ---: | --- | --- | --- |"]
            lines += [
                f"| {s['line']} | `{s['inside']}` | {_code(s['after'])} | {s['why'] or 'open'} |"
                for s in one["survivors"]
            ]
            lines += [""]
    return "\n".join(lines).rstrip() + "\n"


def _row(name: str, counts: dict[str, int]) -> str:
    score = f"{100 * counts['killed'] / counts['run']:.0f} %" if counts["run"] else "not run"
    return f"| {name} | {counts['mutants']} | {counts['run']} | {counts['killed']} | {score} |"


def _code(text: str) -> str:
    text = text.replace("|", "\\|")
    return f"`` {text} ``" if "`" in text else f"`{text}`"
