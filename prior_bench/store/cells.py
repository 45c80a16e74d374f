"""The identity of a cell in a suite or table, and its amount of labels, whatever code ran it."""

from collections.abc import Mapping
from typing import Any

from prior_bench.escaping.signs import one_line

Labels = tuple[int, float]
"""Amount of training labels: (0, images per class) or (1, label fraction); few-shot runs sort first."""


def identity(spec: dict[str, Any]) -> tuple:
    """Backbone, task, data, protocol, amount of labels and seed from the spec of a run (as plain types)."""
    data, protocol = spec["data"]["name"], spec["protocol"]["name"]
    return spec["backbone"]["name"], spec["task"], data, protocol, labels_of(spec), spec["seed"]


def labels_of(spec: Mapping[str, Any]) -> Labels:
    """The amount of training labels of a run, from its spec (as plain types)."""
    shots = spec.get("shots")
    return (1, spec["fraction"]) if shots is None else (0, shots)


def labels_text(labels: Labels) -> str:
    """An amount of labels in words: "4 per class" or "10 %"."""
    few, amount = labels[0] == 0, labels[1]
    return f"{amount:g} per class" if few else f"{100 * amount:g} %"


def describe(spec: Mapping[str, Any]) -> str:
    """The cell of a run in words, from its spec (as plain types)."""
    named = [spec["backbone"]["name"], spec["task"], spec["data"]["name"], spec["protocol"]["name"]]
    return one_line(" · ".join([*named, labels_text(labels_of(spec)), f"seed {spec['seed']}"]))
