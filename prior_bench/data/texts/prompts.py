"""Prompt sets: sentences that stand for classes in zero-shot classification, as versioned data files.

A set is ``configs/prompts/<name>.json`` or a path to a file of the same form: ``name``, ``version``,
``source`` and ``classes``, each class with a list of prompts or ``{"product": [parts, parts, ...]}``,
which stands for all combinations of one part of each list, joined by single spaces (an empty part leaves
its space, as in GLoRIA).
"""

import json
import random
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from prior_bench import paths
from prior_bench.errors import BenchError, unknown_name


@dataclass(frozen=True)
class PromptSet:
    """Prompts by class.

    Attributes:
        name, version, source: as stated in the file.
        classes: the prompts of each class, in the file's order.
    """

    name: str
    version: int
    source: str
    classes: dict[str, tuple[str, ...]]

    def sample(self, per_class: int, seed: int) -> "PromptSet":
        """At most ``per_class`` prompts of each class, drawn without replacement."""
        drawn = random.Random(seed)
        classes = {
            name: tuple(drawn.sample(prompts, min(per_class, len(prompts))))
            for name, prompts in self.classes.items()
        }
        return PromptSet(self.name, self.version, self.source, classes)


def names() -> list[str]:
    """The prompt sets that are shipped."""
    return sorted(path.stem for path in (paths.shipped("configs") / "prompts").glob("*.json"))


def load(name: str) -> PromptSet:
    """The prompt set ``name``: shipped, or a path to a .json file.

    Raises:
        BenchError: no such set, or a file that is none.
    """
    path = Path(name) if name.endswith(".json") else paths.shipped("configs") / "prompts" / f"{name}.json"
    if not path.is_file():
        raise unknown_name("prompt set", name, names())
    fix = "see configs/prompts/sample.json for the form"
    try:
        content = json.loads(path.read_text())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BenchError(f"not a JSON file: {error}", where=path, fix=fix) from error
    missing = [key for key in ("name", "version", "source", "classes") if key not in content]
    if missing:
        raise BenchError(f"prompt set lacks {', '.join(missing)}", where=path, fix=fix)
    classes = {label: _expand(prompts) for label, prompts in content["classes"].items()}
    empty = [label for label, prompts in classes.items() if not prompts]
    if empty or not classes:
        raise BenchError(f"no prompts for {', '.join(empty) or 'any class'}", where=path, fix=fix)
    return PromptSet(content["name"], content["version"], content["source"], classes)


def _expand(prompts: list[str] | dict[str, Any]) -> tuple[str, ...]:
    if isinstance(prompts, dict):
        return tuple(" ".join(parts) for parts in product(*prompts["product"]))
    return tuple(prompts)
