"""``prior_bench.available``: what can be named, and where each thing comes from."""

from __future__ import annotations

from prior_bench import paths, registry
from prior_bench.errors import unknown_name
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
"""Registries by the kind of thing that they hold."""

CONFIGS = {"backbones": "pretrain", "pretraining": "pretrain"}
"""Folder of shipped configs, where it is not called as the kind."""

KINDS = (*REGISTRIES, "pretraining", "suites", "tables")
"""All kinds of things that have names."""


def available(kind: str) -> dict[str, str]:
    """The names of one kind, with where each comes from; nothing is imported.

    Args:
        kind: ``"methods"``, ``"backbones"``, ``"layouts"``, ``"tasks"``, ``"datasets"``, ``"corruptions"``,
            ``"protocols"``, ``"pretraining"`` (shipped configs), ``"suites"`` or ``"tables"``.

    Raises:
        BenchError: unknown kind.

    Example:
        >>> import prior_bench as pb
        >>> list(pb.available("tasks"))
        ['classification', 'detection', 'retrieval', 'segmentation', 'throughput', 'zero_shot']
    """
    if kind not in KINDS:
        raise unknown_name("kind", kind, list(KINDS))
    holder = REGISTRIES.get(kind)
    # a registry from which nothing was loaded yet has the length 0, and is false
    found = {name: holder.source(name) for name in holder.names()} if holder is not None else {}
    return {**found, **{name: file for name, file in _shipped(kind).items() if name not in found}}


def list_protocols(task: str | None = None) -> list[str]:
    """Names of the protocols, of one task or all.

    Args:
        task: a registered task.

    Raises:
        BenchError: unknown task.

    Example:
        >>> import prior_bench as pb
        >>> pb.list_protocols("retrieval")
    """
    if task is None:
        return protocols.names()
    registry.TASKS.get(task)
    return [name for name in protocols.names() if protocols.load(name).task == task]


def _shipped(kind: str) -> dict[str, str]:
    """Config files that come with the package; for backbones, the pre-training configs."""
    folder = paths.shipped("configs") / CONFIGS.get(kind, kind)
    files = sorted(folder.rglob("*.py"))
    return {file.relative_to(folder).with_suffix("").as_posix(): str(file) for file in files}
