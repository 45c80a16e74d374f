"""Which runs are possible with stored vectors alone, and whether the vectors that they need are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prior_bench.api import BackboneSource, Protocol, Task
from prior_bench.data.images.corruptions import conditions
from prior_bench.errors import BenchError
from prior_bench.store.store import plain

if TYPE_CHECKING:
    from prior_bench.suites.data_sets import DataSets
    from prior_bench.suites.resolve import Evaluation

NEEDS_IMAGES = "needs the images"
"""Why a task that says nothing of stored vectors cannot use them."""


def changed_images(protocol: Protocol) -> str:
    """Return why a protocol that trains nothing on images needs them; empty if stored vectors suffice.

    Vectors are of images as their model takes them, so that a protocol must not change them.
    """
    if conditions(protocol.options):
        return "corrupted images"
    changed = protocol.transform.get("input") or protocol.transform.get("eval")
    return "the protocol changes the input" if changed else ""


def pixels_needed(task: Task, protocol: Protocol) -> str:
    """Return why a run needs the images themselves; empty if stored vectors suffice."""
    if not (hasattr(task, "needs_pixels") and hasattr(task, "needed_vectors")):
        return NEEDS_IMAGES
    return task.needs_pixels(protocol)


def lacking_pixels(source: BackboneSource, task: Task, protocol: Protocol) -> str:
    """Return the reason of a cell that a source with stored vectors alone cannot run; otherwise nothing."""
    if getattr(source, "stored", None) is None:
        return ""
    why = pixels_needed(task, protocol)
    return f"not with stored embeddings: {why}" if why else ""


def missing_vectors(source: BackboneSource, evaluation: Evaluation, data_sets: DataSets) -> BenchError | None:
    """Return what an evaluation needs and the stored vectors of a source lack; None if nothing."""
    stored, task, protocol = getattr(source, "stored", None), evaluation.task, evaluation.protocol
    if stored is None:
        return None
    manifest = data_sets.open(plain(evaluation.data), protocol.to_dict())
    try:
        stored.require(task.needed_vectors(manifest, protocol))  # type: ignore[attr-defined]  # optional
    except BenchError as error:
        return error
    return None
