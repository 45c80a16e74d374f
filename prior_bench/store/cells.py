"""The identity of a cell in a suite or table; it does not depend on the code that ran the cell."""

from typing import Any


def identity(spec: dict[str, Any]) -> tuple:
    """Backbone, task, data, protocol, fraction and seed from the spec of a run (as plain types)."""
    data, protocol = spec["data"]["name"], spec["protocol"]["name"]
    return spec["backbone"]["name"], spec["task"], data, protocol, spec["fraction"], spec["seed"]
