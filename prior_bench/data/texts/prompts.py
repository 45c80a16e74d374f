"""Prompt sets: sentences that stand for classes in zero-shot classification, as versioned data files.

A set is ``configs/prompts/<name>.json`` or a JSON file of one's own (:mod:`prior_bench.schema.prompts`): a
dict of prompts by class, by itself or under ``classes`` beside ``name``, ``version`` and ``source``. A class
has

- a list of prompts;
- ``{"product": [parts, parts, ...]}``, all combinations of one part of each list, joined by single spaces (an
  empty part leaves its space, as in GLoRIA);
- ``{"positive": ..., "negative": ...}``, prompts for its presence and for its absence. Each label is then
  decided by itself, as in CheXzero (Tiu et al. 2022) and BioViL (Boecking et al. 2022).

A file may have ``templates`` ("no {}") and the ``names`` of findings by class instead, from which the prompts
are made.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

from prior_bench import paths
from prior_bench.errors import BenchError, ErrorList, unknown_name
from prior_bench.io.bounded import json_text

PROMPTS = ("classes", "templates", "names")
"""Keys of a file that hold prompts."""
STATED = ("name", "version", "source", *PROMPTS)
"""Keys of a file that says more than its prompts."""

MOST_PROMPTS = 100_000
"""Prompts of a class that a product may make."""

FORM = 'e.g. {"Edema": ["There is pulmonary edema."]}; docs/own_pairs.md describes the file'


@dataclass(frozen=True)
class PromptSet:
    """Prompts by class.

    Attributes:
        name, version, source: as stated in the file.
        classes: the prompts of each class, in the file's order; where there are negatives, the positive ones.
        negatives: prompts for the absence of each class; empty where the set has none.
        own: whether it is a user's, known by its content, and not a shipped one, known by name and version.
        data: names of the data sets whose labels the classes are; only said to readers.
    """

    name: str
    version: int
    source: str
    classes: dict[str, tuple[str, ...]]
    negatives: dict[str, tuple[str, ...]] = field(default_factory=dict)
    own: bool = False
    data: tuple[str, ...] = field(default=(), compare=False)

    def sample(self, per_class: int, seed: int) -> PromptSet:
        """At most ``per_class`` prompts of each class, drawn without replacement; so of the negatives."""
        drawn = random.Random(seed)
        classes, negatives = (
            {label: tuple(drawn.sample(texts, min(per_class, len(texts)))) for label, texts in given.items()}
            for given in (self.classes, self.negatives)
        )
        return replace(self, classes=classes, negatives=negatives)

    def content(self) -> dict[str, Any]:
        """The set as plain types, in one form whatever form its file has; :func:`load` takes it."""
        classes: dict[str, Any] = {label: list(texts) for label, texts in self.classes.items()}
        if self.negatives:
            classes = {
                label: {"positive": texts, "negative": list(self.negatives[label])}
                for label, texts in classes.items()
            }
        source = {"source": self.source} if self.source else {}
        return {"name": self.name, "version": self.version, **source, "classes": classes}

    def label(self) -> str:
        """Name and version; of a user's set also a hash of its prompts."""
        text = f"{self.name} v{self.version}"
        if not self.own:
            return text
        prompts = json.dumps(self.content()["classes"], sort_keys=True)
        return f"{text}, hash {hashlib.sha256(prompts.encode()).hexdigest()[:8]}"

    def style(self) -> str:
        """The kind of prompts, and their number in each class: ``pairs, 1 + 1``, ``classes, 15 to 210``."""
        kinds = [given for given in (self.classes, self.negatives) if given]
        counts = [sorted({len(texts) for texts in given.values()}) for given in kinds]
        shown = [str(n[0]) if len(n) == 1 else f"{n[0]} to {n[-1]}" for n in counts]
        return f"{'pairs' if self.negatives else 'classes'}, {' + '.join(shown)}"


def names() -> list[str]:
    """The prompt sets that are shipped."""
    return sorted(path.stem for path in (paths.shipped("configs") / "prompts").glob("*.json"))


def load(given: str | Path | Mapping[str, Any]) -> PromptSet:
    """A prompt set.

    Args:
        given: name of a shipped one, path of a .json file, or the content of such a file.

    Raises:
        BenchError: no such set or file, or no JSON.
        ErrorList: everything that is wrong with the content.
    """
    if isinstance(given, Mapping):
        return _from_content(dict(given), "prompts", own=True)
    name = str(given)
    if not name.endswith(".json"):
        path = paths.shipped("configs") / "prompts" / f"{name}.json"
        if not path.is_file():
            fix = " of a file of your own, give the path, which ends in .json"
            error = unknown_name("prompt set", name, names())
            raise BenchError(error.what, fix=f"{error.fix};{fix}")
        return _from_content(_read(path), path, own=False)
    if not Path(name).is_file():
        raise BenchError("no such prompt file", where=name, fix=FORM)
    return _from_content(_read(Path(name)), name, own=True)


def _read(path: Path) -> Any:
    try:
        return json.loads(json_text(path, encoding="utf-8-sig"), object_pairs_hook=_once)
    except _TwiceError as error:
        raise BenchError(f"the key '{error}' is there twice", where=path, fix="join the two") from None
    except (ValueError, RecursionError) as error:  # no JSON, or numbers or nesting without end
        raise BenchError(f"not a JSON file: {error}", where=path, fix=FORM) from error
    except OSError as error:
        raise BenchError(f"cannot be read: {error.strerror}", where=path) from error


class _TwiceError(ValueError):
    """A key that a JSON object has twice; Python would keep the last value and say nothing."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _TwiceError(key)
        found[key] = value
    return found


def _from_content(content: Any, where: object, *, own: bool) -> PromptSet:
    from prior_bench.schema.errors import attempted
    from prior_bench.schema.prompts import PromptFile

    if not isinstance(content, dict):
        raise BenchError(f"holds a {type(content).__name__}, no dict of classes", where=where, fix=FORM)
    stated = content if any(key in content for key in STATED) else {"classes": content}
    file, errors = attempted(PromptFile, stated)
    if not any(key in stated for key in PROMPTS):
        errors.insert(0, BenchError("the key 'classes' is missing", fix="or give templates and names"))
    if file is None or errors:
        raise ErrorList("the prompts cannot be used:", errors, where=where)
    classes, negatives = {}, {}
    for label, prompts in (_from_templates(stated) | stated.get("classes", {})).items():
        paired = isinstance(prompts, dict) and "positive" in prompts
        classes[label] = _expand(prompts["positive"] if paired else prompts)
        if paired:
            negatives[label] = _expand(prompts["negative"])
    return PromptSet(file.name, file.version, file.source, classes, negatives, own, file.data)


def _from_templates(stated: dict[str, Any]) -> dict[str, Any]:
    """Return prompts by class as ``classes`` has them, made of ``templates`` and ``names``."""
    templates, found = stated.get("templates", ()), dict[str, Any]()
    for label, given in stated.get("names", {}).items():
        names = [given] if isinstance(given, str) else given
        if isinstance(templates, dict):
            found[label] = {kind: _filled(templates[kind], names) for kind in ("positive", "negative")}
        else:
            found[label] = _filled(templates, names)
    return found


def _filled(templates: Iterable[str], names: Iterable[str]) -> list[str]:
    return [template.replace("{}", name) for name in names for template in templates]


def _expand(prompts: list[str] | dict[str, Any]) -> tuple[str, ...]:
    if isinstance(prompts, dict):
        if (count := prod(map(len, prompts["product"]))) > MOST_PROMPTS:
            what = f"a product makes {count:.3g} prompts; a class may have {MOST_PROMPTS:,}"
            raise BenchError(what, where="classes")
        return tuple(" ".join(parts) for parts in product(*prompts["product"]))
    return tuple(prompts)
