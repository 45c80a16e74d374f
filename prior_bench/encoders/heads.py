"""Projection heads from an encoder's features into the joint space."""

from __future__ import annotations

from torch import nn

from prior_bench.errors import unknown_name

HEADS = ("linear", "mlp")


def projection_head(kind: str, in_dim: int, out_dim: int, hidden_dim: int | None = None) -> nn.Module:
    """Make a head that maps [..., in_dim] to [..., out_dim].

    Args:
        kind: ``"linear"`` or ``"mlp"`` (linear, ReLU, linear; ConVIRT, Zhang et al. 2020, eq. 1).
        in_dim: number of input channels.
        out_dim: number of output channels.
        hidden_dim: width of the hidden layer of ``"mlp"``; by default ``out_dim``.

    Raises:
        BenchError: the kind is unknown.
    """
    if kind == "linear":
        return nn.Linear(in_dim, out_dim)
    if kind == "mlp":
        hidden = hidden_dim or out_dim
        return nn.Sequential(nn.Linear(in_dim, hidden), nn.ReLU(), nn.Linear(hidden, out_dim))
    raise unknown_name("projection head", kind, list(HEADS), where="head")
