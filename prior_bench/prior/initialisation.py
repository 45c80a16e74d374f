"""Initialisation of PRIOR's layers as in the released code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from prior_bench.prior.model import PRIOR


def start_as_released(method: PRIOR) -> None:
    """Initialise PRIOR's layers as the released code does; encoders and decoders do not change.

    The weights of the projections and of the predictor's first layer are normal with variance 1 / inputs, and
    the decoder's queries are normal with variance 1. The sentence pool has torch's default for linear layers.
    """
    for layer in (
        method.global_image_projection,
        method.local_image_projection,
        method.local_text_projection,
        method.predictor[0],
    ):
        assert isinstance(layer, nn.Linear), "these are linear layers"
        nn.init.normal_(layer.weight, std=layer.in_features**-0.5)
    nn.init.normal_(method.prototype_queries)
    pool = method.global_text_attention
    for layer in (pool.k_proj, pool.q_proj, pool.v_proj, pool.c_proj):
        layer.reset_parameters()
