"""Which runs are possible with stored vectors alone, and whether the vectors that they need are there."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from prior_bench.api import BackboneSource, Protocol, StoredVectors, Task
from prior_bench.data.generated import generated
from prior_bench.data.images.corruptions import conditions
from prior_bench.data.references import OWN_FILES
from prior_bench.data.splitting.seeded import split_name
from prior_bench.errors import BenchError
from prior_bench.io.plain import plain
from prior_bench.suites.suite import listed

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
    needs_pixels = getattr(task, "needs_pixels", None)
    if needs_pixels is None or not hasattr(task, "needed_vectors"):
        return NEEDS_IMAGES
    return needs_pixels(protocol)


def without_network(source: BackboneSource | None) -> bool:
    """Return whether a source has stored vectors alone, also if their file is not there."""
    try:
        return getattr(source, "stored", None) is not None
    except BenchError:
        return True


def lacking_pixels(source: BackboneSource, task: Task, protocol: Protocol) -> str:
    """Return the reason of a cell that a source with stored vectors alone cannot run; otherwise nothing."""
    if getattr(source, "stored", None) is None:
        return ""
    why = pixels_needed(task, protocol)
    return f"not with stored embeddings: {why}" if why else ""


class VectorCheck:
    """Looks for the vectors that evaluations need, once for each source, evaluation and split of a plan."""

    def __init__(self, data_sets: DataSets):
        self._data_sets = data_sets
        self._found: dict[tuple[str, str, str], BenchError | None] = {}

    def missing(self, source: BackboneSource, evaluation: Evaluation, seed: int) -> BenchError | None:
        """Return what an evaluation needs and the stored vectors of a source lack; None if nothing."""
        stored = getattr(source, "stored", None)
        key = source.name, evaluation.where, split_name(evaluation.protocol.split, seed)
        if stored is not None and key not in self._found:
            self._found[key] = self._missing(stored, evaluation, seed)
        return self._found.get(key)

    def _missing(self, stored: StoredVectors, evaluation: Evaluation, seed: int) -> BenchError | None:
        task: Any = evaluation.task  # needed_vectors is an optional method
        manifest = self._data_sets.open(plain(evaluation.data), evaluation.protocol.to_dict(), seed)
        try:
            stored.require(task.needed_vectors(manifest, evaluation.protocol), _arguments(evaluation))
        except BenchError as error:
            return error
        return None


def _arguments(evaluation: Evaluation) -> str:
    """Return the arguments of ``prior-bench embed`` that describe an evaluation."""
    data = dict(evaluation.data)
    kind, root = data.pop("type"), str(data.pop("root"))
    is_file = root.lower().endswith(OWN_FILES) or generated(root)
    words = ["--data", root if is_file or root == kind else f"{kind}@{root}"]
    words += ["--protocol", evaluation.entry["protocol"]]
    for label in listed(data.pop("labels", [])):
        words += ["--label", label]
    for name, value in data.items():
        if name not in ("name", "cache"):
            words += ["--option", f"{name}={value}"]
    own_prompts = "options.prompts" in (evaluation.entry.get("overrides") or {})
    return shlex.join(words) + " --prompts FILE" * own_prompts
