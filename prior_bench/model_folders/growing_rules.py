"""Refuse tokenizers whose rules make a text grow without bound: forty rules "a -> aa" need terabytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from prior_bench.errors import BenchError
from prior_bench.io.bounded import json_text
from prior_bench.model_folders.slow_patterns import check_patterns

MOST_GROWTH = 64
"""Largest factor by which all replacements together may lengthen a text."""

MOST_BYTES, MOST_VALUES = 128 << 20, 8_000_000
"""Size of a ``tokenizer.json``, and commas and brackets in it; a vocabulary of 256,000 words has 34 MB."""


def check_growth(place: Path) -> None:
    """Check the rules of a ``tokenizer.json``, or of the one in a folder if there is one.

    Raises:
        BenchError: it cannot be read, or its rules make texts grow.
    """
    path = place / "tokenizer.json" if place.is_dir() else place
    if not path.is_file():
        return
    try:
        rules = json.loads(json_text(path, MOST_BYTES, MOST_VALUES))
    except (OSError, ValueError, RecursionError) as error:
        raise BenchError(f"is not a tokenizer: {error}", where=path, fix="download it again") from error
    check_rules(rules, path)


def check_rules(rules: Any, where: object) -> None:
    """Check the rules of a tokenizer, as its JSON states them.

    Raises:
        BenchError: its replacements make texts grow, or its patterns may take very long.
    """
    if not isinstance(rules, dict):
        raise BenchError("is not a tokenizer: no dict", where=where, fix="download it again")
    check_patterns(rules, where)
    growth = 1
    for part in ("normalizer", "pre_tokenizer"):
        for step in _steps(rules.get(part)):
            growth *= max(1, len(str(step.get("content", "") or step.get("prepend", "") or "")))
            if growth > MOST_GROWTH:
                what = f"the rules of its tokenizer ({part}) may lengthen a text {growth} times"
                raise BenchError(what, where=where, fix="take the tokenizer of the model's authors")


def _steps(rule: Any) -> list[dict[str, Any]]:
    """Return the rules of a rule, which may be a sequence of them, and so on."""
    if isinstance(rule, list):
        return [step for one in rule for step in _steps(one)]
    if not isinstance(rule, dict):
        return []
    inner = [value for key, value in rule.items() if isinstance(value, list) and key.endswith(("izers", "s"))]
    return [rule, *_steps(inner)]
