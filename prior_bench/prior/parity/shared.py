"""What the checks of parts and of the whole method share: padding, masks and the decoder's sizes."""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import Tensor

from prior_bench.parity.fixture import FixtureCase

DECODER_HEADS = 4
"""Where a fixture does not say: the fixtures' small decoder's."""


def padded(flat: Tensor, mask: Tensor) -> Tensor:
    """Rows [n, D] into the true places of a mask [B, S]; zero elsewhere."""
    out = torch.zeros(*mask.shape, flat.shape[-1], dtype=flat.dtype)
    return out.masked_scatter(mask[..., None], flat)


def mask_of(counts: Tensor) -> Tensor:
    """Bool [B, S], true on the first ``counts`` [B] places."""
    return torch.arange(int(counts.max())) < counts[:, None]


def layers(case: FixtureCase, pattern: str) -> int:
    """One more than the largest number that a pattern captures in the weights' names."""
    found = [re.match(pattern, name) for name in case.fixture.tensors]
    return 1 + max((int(match[1]) for match in found if match), default=0)


def decoder_arguments(case: FixtureCase, prefix: str = "") -> dict[str, Any]:
    """Arguments of the report decoder whose weights the fixture has under ``prefix``."""
    layer = f"w.{prefix}encoder.layer"
    heads = case.hyper.get("heads") or case.fixture.sibling("sentence_decoder").get("hyper", {}).get("heads")
    return {
        "layers": layers(case, rf"{re.escape(layer)}\.(\d+)\."),
        "heads": heads or DECODER_HEADS,
        "hidden": case.shape(f"{layer}.0.intermediate.dense.weight")[0],
        "positions": case.shape(f"w.{prefix}embeddings.position_embeddings.weight")[0],
        "dropout": 0.0,
    }
