"""The option ``prompts``, which several tasks share: a shipped prompt set, a file, or its content."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from prior_bench.data.texts import prompts
from prior_bench.schema.base import OneOf, Said
from prior_bench.schema.overrides import DELETE


def _is_own(given: Any) -> bool:
    return not isinstance(given, str) or given.endswith(".json")


PromptsOption = Annotated[
    str | dict[str, Any],
    Said("the name of a prompt set, a .json file or a dict of prompts by class"),
    OneOf("prompt set", prompts.names, listed="prior-bench list prompts", accepts=_is_own),
]
"""A shipped prompt set, a .json file (``prior-bench schema --json prompts``), or what such a file holds."""


def with_content(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a protocol with the content of a prompt file in place of its path.

    Raises:
        BenchError: there is no such file, or something is wrong with its content.
    """
    options = values.get("options", {})
    given = options.get("prompts")
    if given is None or not _is_own(given):
        return values
    return {**values, "options": {**options, "prompts": prompts.load(given).content()}}


def as_change(given: str | Path | Mapping[str, Any]) -> dict[str, Any]:
    """Return the change of a protocol that names another prompt set.

    Args:
        given: as :func:`prior_bench.data.texts.prompts.load` takes it.

    Raises:
        BenchError: there is no such set or file, or something is wrong with its content.
    """
    found = prompts.load(given)
    return {"options.prompts": {**found.content(), DELETE: True} if found.own else found.name}
