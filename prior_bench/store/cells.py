"""What makes two runs the same cell of a suite or of a table, whatever code they were run with."""

from typing import Any


def identity(spec: dict[str, Any]) -> tuple:
    """Backbone, task, data, protocol, fraction and seed of a run (its spec as plain types)."""
    data, protocol = spec["data"]["name"], spec["protocol"]["name"]
    return spec["backbone"]["name"], spec["task"], data, protocol, spec["fraction"], spec["seed"]
