"""``prior_bench.available``: list available names and their origins."""

from __future__ import annotations

from prior_bench import paths, registry
from prior_bench.data.texts import prompts
from prior_bench.errors import unknown_name
from prior_bench.models.cards import model_cards
from prior_bench.models.text import lines_of_cards
from prior_bench.suites import protocols

REGISTRIES = {
    "methods": registry.METHODS,
    "backbones": registry.BACKBONES,
    "layouts": registry.LAYOUTS,
    "tasks": registry.TASKS,
    "datasets": registry.DATASETS,
    "corruptions": registry.CORRUPTIONS,
    "protocols": protocols.PROTOCOLS,
}
"""Registries by kind."""

CONFIGS = {"backbones": "pretrain", "pretraining": "pretrain"}
"""Folder of shipped configs by kind, if its name differs from the kind."""

KINDS = (*REGISTRIES, "models", "prompts", "pretraining", "suites", "tables")
"""All kinds of names."""

SHOWN = 3
"""Number of labels of a prompt set that are named."""


def available(kind: str) -> dict[str, str]:
    """Return the names of one kind with their origins, without importing anything.

    Of prompt sets, their version, data sets, kind and labels stand in place of the origin; of models, their
    image encoder, text encoder, access and what loads them.

    Args:
        kind: ``"methods"``, ``"backbones"``, ``"layouts"``, ``"tasks"``, ``"datasets"``, ``"corruptions"``,
            ``"protocols"``, ``"models"`` (cards of public models), ``"prompts"``, ``"pretraining"`` (shipped
            configs), ``"suites"`` or ``"tables"``.

    Raises:
        BenchError: the kind is unknown.

    Example:
        >>> import prior_bench as pb
        >>> list(pb.available("tasks"))
        ['classification', 'detection', 'grounding', 'retrieval', 'segmentation', 'throughput', 'zero_shot']
    """
    if kind not in KINDS:
        raise unknown_name("kind", kind, list(KINDS))
    if kind == "models":
        return lines_of_cards(model_cards())
    if kind == "prompts":
        return {name: _described(prompts.load(name)) for name in prompts.names()}
    holder = REGISTRIES.get(kind)
    # a registry without loaded entries has length 0 and is false
    found = {name: holder.source(name) for name in holder.names()} if holder is not None else {}
    return {**found, **{name: file for name, file in _shipped(kind).items() if name not in found}}


def list_protocols(task: str | None = None) -> list[str]:
    """Return the names of the protocols of one task or of all tasks.

    Args:
        task: name of a registered task; by default all tasks.

    Raises:
        BenchError: the task is unknown.

    Example:
        >>> import prior_bench as pb
        >>> pb.list_protocols("retrieval")
    """
    if task is None:
        return protocols.names()
    registry.TASKS.get(task)
    return [name for name in protocols.names() if protocols.load(name).task == task]


def _described(found: prompts.PromptSet) -> str:
    """Return a line such as ``v1  chexpert, mimic_cxr  pairs, 1 + 1  14 labels: No Finding, …``."""
    labels = list(found.classes)
    named = ", ".join(labels[:SHOWN]) + (", …" if len(labels) > SHOWN else "")
    count = f"{len(labels)} label{'' if len(labels) == 1 else 's'}"
    return f"v{found.version}  {', '.join(found.data)}  {found.style()}  {count}: {named}"


def _shipped(kind: str) -> dict[str, str]:
    """Return the shipped config files; for backbones, the pre-training configs."""
    folder = paths.shipped("configs") / CONFIGS.get(kind, kind)
    files = sorted(folder.rglob("*.py"))
    return {file.relative_to(folder).with_suffix("").as_posix(): str(file) for file in files}
