"""Weights of PRIOR's loss terms, stage by stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from prior_bench.errors import BenchError, unknown_name
from prior_bench.schema.base import NotNegative, OneOf

WEIGHTS = {
    "global": 1.0,
    "local_image": 1.0,
    "local_text": 1.0,
    "prototype": 10.0,
    "diversity": 1.0,
    "image": 1.0,
    "report": 10.0,
    "query": 1.0,
    "report_global": 1.0,
}
"""Weights of the terms (released configuration); a term of weight 0 is not computed.

``diversity`` is a term of the extension ``bank_diversity`` alone."""

Weights = dict[Annotated[str, OneOf("loss term", WEIGHTS)], NotNegative]
"""Changes to them."""


def weights_of_stages(changes: dict[str, float] | Sequence[dict[str, float]]) -> tuple[dict[str, float], ...]:
    """Return the weights of each of the three stages.

    Args:
        changes: to :data:`WEIGHTS`, the same for all stages, or one dict for each.

    Raises:
        BenchError: not one or three dicts, or an unknown term.
    """
    by_stage = (changes,) * 3 if isinstance(changes, dict) else tuple(changes)
    if len(by_stage) != 3:
        raise BenchError(f"{len(by_stage)} dicts; must be one, or three", where="PRIOR(weights=...)")
    for name in {name for stage in by_stage for name in stage}:
        if name not in WEIGHTS:
            raise unknown_name("loss term", name, list(WEIGHTS), where="PRIOR(weights=...)")
    return tuple({**WEIGHTS, **stage} for stage in by_stage)
