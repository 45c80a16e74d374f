"""Values that replace PRIOR's random ones in the comparison with the official code."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Injected(NamedTuple):
    """Fixed values that are otherwise random or not unique (for parity).

    Attributes:
        sentence_noise: [B, S, K], Gumbel noise for the true sentences.
        decoded_noise: [B, Q, K], Gumbel noise for the decoded sentences.
        assignment: int [B, Q], target of each query.
    """

    sentence_noise: Tensor | None = None
    decoded_noise: Tensor | None = None
    assignment: Tensor | None = None


NOTHING_INJECTED = Injected()
