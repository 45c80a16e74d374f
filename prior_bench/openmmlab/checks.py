"""What tasks that train need of data and protocol; cheap, imports no torch and nothing of OpenMMLab."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prior_bench.api import Protocol
from prior_bench.data.manifest import SPLITS, Manifest
from prior_bench.errors import BenchError, ErrorList, unknown_name
from prior_bench.schema.configs import key_errors

COLUMNS = {"masks": "mask", "boxes": "boxes"}
"""Manifest column that holds each kind of annotation."""

SCHEDULES = ("constant", "cosine", "plateau")
"""Courses of the learning rate; see :mod:`prior_bench.openmmlab.runner`."""

FIELDS = {
    "optimizer": (
        ("type", "lr", "weight_decay", "betas", "backbone_lr_scale", "clip", "amp")
        + ("schedule", "warmup", "total", "factor", "patience"),
        ("type", "lr"),
    ),
    "stopping": (("epochs", "iterations", "interval", "patience", "monitor", "tested"), ("monitor",)),
    "frozen": (("backbone", "batch_norm"), ("backbone", "batch_norm")),
}
"""Keys of a protocol's fields that training knows, and those that it needs."""


def check_dense(
    data: Manifest,
    protocol: Protocol,
    annotation: str,
    metrics: Iterable[str],
    options: Mapping[str, tuple[str, ...]],
    monitors: tuple[str, ...] = (),
) -> None:
    """Annotations in every split, known metrics, a complete protocol.

    Args:
        annotation: ``"masks"`` or ``"boxes"``.
        metrics: names of the task's metrics.
        options: keys that fields of the protocol must have, by field.
        monitors: what may choose the weights beside the protocol's metrics.

    Raises:
        BenchError: all that is wrong, together.
    """
    problems = [
        *_data_problems(data, annotation),
        *_protocol_problems(protocol, list(metrics), options, monitors),
    ]
    if problems:
        raise ErrorList(
            f"{protocol.task} with protocol '{protocol.name}' cannot run", problems, where=data.name
        )


def _data_problems(data: Manifest, annotation: str) -> list[BenchError]:
    if not data.has(annotation):
        return [BenchError(f"has no {annotation}", where=data.name)]
    rows = data.table[data.table[COLUMNS[annotation]].notna()]
    annotated = set(rows["split"])
    problems = [
        BenchError(f"split '{split}' has no image with {annotation}", where=data.name)
        for split in SPLITS
        if split not in annotated
    ]
    if annotation == "boxes":  # masks are not decoded here
        drawn = set(rows.loc[rows["boxes"].map(len) > 0, "split"])
        uses = {"train": "to learn from", "valid": "to choose the weights by"}
        problems += [
            BenchError(f"split '{split}' has no box {use}", where=data.name)
            for split, use in uses.items()
            if split in annotated and split not in drawn
        ]
    return problems


def training_problems(protocol: Protocol, monitors: Iterable[str]) -> list[BenchError]:
    """What :func:`prior_bench.openmmlab.runner.train_and_test` would not understand of a protocol.

    Args:
        monitors: what may choose the weights.
    """
    where, problems = protocol.name, []
    for field, (known, required) in FIELDS.items():
        problems += key_errors(getattr(protocol, field), known, required, where=f"{where}: {field}")
    stopping = protocol.stopping
    if ("epochs" in stopping) == ({"iterations", "interval"} <= set(stopping)):
        fix = "epochs, or iterations and interval"
        problems.append(BenchError("stopping must name one length of training", where=where, fix=fix))
    choices = [
        ("stopping", "monitor", list(monitors)),
        ("stopping", "tested", ["best", "last"]),
        ("optimizer", "schedule", list(SCHEDULES)),
    ]
    for field, key, choice in choices:
        values = getattr(protocol, field)
        if key in values and values[key] not in choice:
            problems.append(unknown_name(f"{field}.{key}", str(values[key]), choice, where=where))
    return problems


def _protocol_problems(
    protocol: Protocol, metrics: list[str], options: Mapping[str, tuple[str, ...]], monitors: tuple[str, ...]
) -> list[BenchError]:
    problems = [
        unknown_name("metric", name, metrics, where=protocol.name)
        for name in protocol.metrics
        if name not in metrics
    ]
    for field, keys in options.items():
        missing = [key for key in keys if key not in getattr(protocol, field)]
        if missing:
            problems.append(BenchError(f"{field} lacks {', '.join(missing)}", where=protocol.name))
    return problems + training_problems(protocol, (*protocol.metrics, *monitors))
