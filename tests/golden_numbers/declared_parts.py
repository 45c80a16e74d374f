"""Every part of ours that declares a version: its number today, and where it is raised."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from prior_bench import registry
from prior_bench.api import Metric, version_of
from prior_bench.data.texts import prompts
from prior_bench.registry import OWN_DISTRIBUTION, LazyRegistry
from prior_bench.versions import MACHINERY

ROOT = Path(__file__).parents[2]

REGISTRIES: dict[str, LazyRegistry] = {
    "task": registry.TASKS,
    "method": registry.METHODS,
    "reader": registry.DATASETS,
    "corruption": registry.CORRUPTIONS,
    "generator": registry.GENERATORS,
}
HOOKS = {
    "FreezePrototypes": "baselines.mgca.schedule",
    "PrototypeTemperature": "prior_bench.prior.schedule",
    "PrototypesFromSentences": "prior_bench.prior.schedule",
}
"""Hooks that shipped pre-training configs name, and their modules."""


def names() -> list[str]:
    """All parts: ``images``, ``task retrieval``, ``metric auroc``, ``prompts sample``."""
    found = list(MACHINERY)
    for kind, entries in REGISTRIES.items():
        found += [f"{kind} {name}" for name in _ours(entries)]
    found += [f"metric {name}" for name in metrics()]
    found += [f"hook {name}" for name in HOOKS]
    return found + [f"prompts {name}" for name in prompts.names()]


def metrics() -> dict[str, Metric]:
    """The metrics of all tasks of ours, by name."""
    tasks = REGISTRIES["task"]
    return {name: metric for task in _ours(tasks) for name, metric in tasks.get(task).metrics.items()}


def versions(parts: Iterable[str]) -> dict[str, int]:
    """Today's versions of parts, by name."""
    return {part: _version(part) for part in parts}


def place(part: str) -> str:
    """Where the version of a part is raised, for a message."""
    kind, _, name = part.partition(" ")
    if not name:
        return f'MACHINERY["{part}"] in prior_bench/versions.py, with today\'s date as its "since"'
    if kind == "metric":
        return f'the argument "version" of Metric("{name}") in prior_bench/metrics/'
    if kind == "prompts":
        return f'"version" in configs/prompts/{name}.json'
    entry = _entry(kind, name)
    file = Path(inspect.getsourcefile(entry) or "").resolve()
    shown = file.relative_to(ROOT) if file.is_relative_to(ROOT) else file
    if inspect.isclass(entry):
        return f'the attribute "version" of {entry.__qualname__} in {shown}'
    return f"the decorator @versioned(...) of {entry.__qualname__} in {shown}"


def _version(part: str) -> int:
    kind, _, name = part.partition(" ")
    if not name:
        return MACHINERY[part].version
    if kind == "prompts":
        return prompts.load(name).version
    return version_of(metrics()[name] if kind == "metric" else _entry(kind, name), part)


def _entry(kind: str, name: str) -> Any:
    if kind == "hook":
        return getattr(__import__(HOOKS[name], fromlist=[name]), name)
    return REGISTRIES[kind].get(name)


def _ours(entries: LazyRegistry) -> list[str]:
    """Not what other installed packages, or other tests of this process, have registered."""
    points = entry_points(group=entries.group)
    return sorted(point.name for point in points if point.dist and point.dist.name == OWN_DISTRIBUTION)
