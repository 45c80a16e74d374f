"""What a dense task needs of its data and protocol; cheap, imports no torch and nothing of OpenMMLab."""

from __future__ import annotations

from collections.abc import Iterable

from prior_bench.api import Protocol
from prior_bench.data.manifest import SPLITS, Manifest
from prior_bench.errors import BenchError, ErrorList, unknown_name

COLUMNS = {"masks": "mask", "boxes": "boxes"}
"""Manifest column that holds each kind of annotation."""


def check_dense(
    data: Manifest,
    protocol: Protocol,
    annotation: str,
    metrics: Iterable[str],
    options: dict[str, tuple[str, ...]],
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
    annotated = set(data.table.loc[data.table[COLUMNS[annotation]].notna(), "split"])
    return [
        BenchError(f"split '{split}' has no image with {annotation}", where=data.name)
        for split in SPLITS
        if split not in annotated
    ]


def _protocol_problems(
    protocol: Protocol, metrics: list[str], options: dict[str, tuple[str, ...]], monitors: tuple[str, ...]
) -> list[BenchError]:
    problems = [
        unknown_name("metric", name, metrics, where=protocol.name)
        for name in protocol.metrics
        if name not in metrics
    ]
    needed = {**options, "optimizer": ("type", "lr"), "frozen": ("backbone", "batch_norm")}
    for field, keys in needed.items():
        missing = [key for key in keys if key not in getattr(protocol, field)]
        if missing:
            problems.append(BenchError(f"{field} lacks {', '.join(missing)}", where=protocol.name))
    stopping = protocol.stopping
    if not ("epochs" in stopping or {"iterations", "interval"} <= set(stopping)):
        fix = "epochs, or iterations and interval"
        problems.append(BenchError("stopping names no length of training", where=protocol.name, fix=fix))
    if stopping.get("monitor") not in (*protocol.metrics, *monitors):
        known = ", ".join((*protocol.metrics, *monitors))
        problems.append(
            BenchError(
                f"stopping.monitor is '{stopping.get('monitor')}'",
                where=protocol.name,
                fix=f"one of the protocol's metrics: {known}",
            )
        )
    if stopping.get("tested", "best") not in ("best", "last"):
        problems.append(
            BenchError(f"stopping.tested is '{stopping['tested']}'", where=protocol.name, fix="best or last")
        )
    return problems
