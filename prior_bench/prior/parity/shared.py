"""Helpers for the checks of parts and of the whole method: padding, masks and sizes of the decoder."""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import Tensor

from prior_bench.parity.fixture import FixtureCase

DECODER_HEADS = 4
"""Attention heads of the fixtures' small decoder, for fixtures that do not state them."""


def padded(flat: Tensor, mask: Tensor) -> Tensor:
    """Put rows [n, D] into the true places of a mask [B, S]; return [B, S, D], zero elsewhere."""
    out = torch.zeros(*mask.shape, flat.shape[-1], dtype=flat.dtype)
    return out.masked_scatter(mask[..., None], flat)


def mask_of(counts: Tensor) -> Tensor:
    """Return a mask, bool [B, S], that is true in the first ``counts`` [B] places."""
    return torch.arange(int(counts.max())) < counts[:, None]


def layers(case: FixtureCase, pattern: str) -> int:
    """Count layers: one more than the largest number that a pattern captures in the names of tensors."""
    found = [re.match(pattern, name) for name in case.fixture.tensors]
    return 1 + max((int(match[1]) for match in found if match), default=0)


def decoder_arguments(case: FixtureCase, prefix: str = "") -> dict[str, Any]:
    """Return arguments of the report decoder for weights with ``prefix`` in the fixture."""
    layer = f"w.{prefix}encoder.layer"
    heads = case.hyper.get("heads") or case.fixture.sibling("sentence_decoder").get("hyper", {}).get("heads")
    return {
        "layers": layers(case, rf"{re.escape(layer)}\.(\d+)\."),
        "heads": heads or DECODER_HEADS,
        "hidden": case.shape(f"{layer}.0.intermediate.dense.weight")[0],
        "positions": case.shape(f"w.{prefix}embeddings.position_embeddings.weight")[0],
        "dropout": 0.0,
    }
