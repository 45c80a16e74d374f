"""The identity of a cell of a suite or table, independent of the code that ran it."""

from typing import Any


def identity(spec: dict[str, Any]) -> tuple:
    """Backbone, task, data, protocol, fraction and seed of a run (its spec as plain types)."""
    data, protocol = spec["data"]["name"], spec["protocol"]["name"]
    return spec["backbone"]["name"], spec["task"], data, protocol, spec["fraction"], spec["seed"]
