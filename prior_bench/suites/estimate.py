"""Rough estimate of a plan's GPU hours, from image counts alone.

A cell costs (images x passes) / (images per second), as its task says. The images are those of the manifest
where the data is there, else of the data set's card for that split rule; a pass is an epoch, or what the
iterations amount to. The images per second are **assumed**, not measured: one data-centre GPU, a ResNet-50 in
half precision, and enough cores to decode. Neither early stopping nor pre-training is counted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from prior_bench.data.cards import card
from prior_bench.data.generated import generated
from prior_bench.data.splitting.shots import most_drawn
from prior_bench.registry import TASKS
from prior_bench.suites.protocols import from_dict
from prior_bench.suites.stored import without_network

if TYPE_CHECKING:
    from prior_bench.api import RunSpec, Work
    from prior_bench.suites.data_sets import DataSets
    from prior_bench.suites.plan import Plan, PlannedRun

FORWARD, FROZEN, TRAINED = 1000.0, 600.0, 300.0
"""Assumed images per second at 224 pixels: an encoder that is only run; one that is run under a decoder or
head that is trained; one that is trained itself. They fall with the square of the size."""


def gpu_hours(plan: Plan, runs: Iterable[PlannedRun]) -> tuple[float, int]:
    """The estimated hours of some runs, and the number of runs without an estimate.

    The task says how many images pass through the encoder (``Task.estimate``). Runs that take the same cached
    features of a frozen backbone pay for them once.
    """
    total, unknown, paid = 0.0, 0, set()
    for run in runs:
        if without_network(plan.sources.get(run.spec.backbone["name"])):
            continue  # nothing passes through an encoder
        sizes = _drawn(run.spec, plan.data_sets)
        work = _work(run.spec, sizes) if sizes else None
        if work is None:
            unknown += 1
            continue
        images = work.forward / FORWARD + work.frozen / FROZEN + work.trained / TRAINED
        if work.features and (features := _features(run.spec)) not in paid:
            paid.add(features)
            images += work.features / FORWARD
        total += images * (_size(run.spec.protocol) / 224) ** 2 / 3600
    return total, unknown


def split_sizes(spec: RunSpec, data_sets: DataSets) -> tuple[int, int, int] | None:
    """Images in train, valid and test; None if neither data nor card state them, and for synthetic data."""
    if generated(spec.data["root"]):
        return None
    rule = spec.protocol["split"].get("rule", "default")
    manifest = data_sets.already_read(spec.data, spec.protocol, spec.seed)
    if manifest is not None:
        count = manifest.table["split"].value_counts()
        return int(count.get("train", 0)), int(count.get("valid", 0)), int(count.get("test", 0))
    known = card(spec.data["type"])
    sizes = known.published.get(rule, {}).get("images") if known else None
    return sizes if sizes and len(sizes) == 3 else None


def _drawn(spec: RunSpec, data_sets: DataSets) -> tuple[int, int, int] | None:
    """The sizes of the splits, of which a few-shot run uses at most a few training images per class."""
    sizes = split_sizes(spec, data_sets)
    if sizes is None or spec.shots is None:
        return sizes
    manifest = data_sets.already_read(spec.data, spec.protocol, spec.seed)
    if manifest is None:
        return None
    return min(sizes[0], most_drawn(len(manifest.labels), spec.shots)), *sizes[1:]


def _work(spec: RunSpec, sizes: tuple[int, int, int]) -> Work | None:
    estimate = getattr(TASKS.get(spec.task)(), "estimate", None)
    return estimate(from_dict(spec.protocol), sizes, spec.fraction) if estimate else None


def _features(spec: RunSpec) -> str:
    """What distinguishes the features that runs share."""
    protocol = spec.protocol
    fed = [protocol["transform"].get("input"), protocol["transform"].get("eval"), protocol["split"]]
    fed += [spec.shots] if spec.shots else []
    return json.dumps([spec.backbone["name"], spec.task, spec.data, fed], sort_keys=True, default=str)


def _size(protocol: dict[str, Any]) -> int:
    """The side in pixels that a convolutional network sees; transformers, which see less, cost less."""
    enlarge = protocol["options"].get("enlarge")
    size: int = (protocol["transform"].get("input") or {}).get("size", 224)
    return enlarge if isinstance(enlarge, int) else size
