"""The ingredient "optimiser": its type, its settings, and the groups of parameters."""

from __future__ import annotations

from collections import defaultdict

from mmengine.optim import build_optim_wrapper
from torch import nn

from prior_bench.api import Protocol
from prior_bench.openmmlab.quiet import quiet
from prior_bench.openmmlab.recipe import optim_wrapper
from prior_bench.protocol_parity.ingredients import Values
from prior_bench.schema.protocol import TrainingOptimizer

SETTINGS = ("betas", "eps", "momentum", "nesterov", "amsgrad")
"""Settings that all groups share; an optimiser has some of them."""


def optimiser(model: nn.Module, protocol: Protocol) -> Values:
    """Return what the protocol's optimiser does to a model.

    Returns:
        ``type``; the settings that it has; and ``groups``, sorted: for each pair of learning rate and weight
        decay, these two and how many numbers are trained with them.
    """
    config = optim_wrapper(TrainingOptimizer.model_validate(protocol.optimizer), "cpu")
    with quiet():
        made = build_optim_wrapper(model, config).optimizer
    groups: dict[tuple[float, float], int] = defaultdict(int)
    for group in made.param_groups:
        for parameter in group["params"]:
            if parameter.requires_grad:
                groups[group["lr"], group["weight_decay"]] += parameter.numel()
    settings = {name: made.defaults[name] for name in SETTINGS if name in made.defaults}
    return {
        "type": type(made).__name__,
        **settings,
        "groups": [[*pair, groups[pair]] for pair in sorted(groups)],
    }
