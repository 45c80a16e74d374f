"""The ingredient "training step": what given gradients do to the weights, and the precision."""

from __future__ import annotations

from dataclasses import replace

from prior_bench.api import Protocol
from prior_bench.openmmlab.recipe import optim_wrapper
from prior_bench.protocol_parity.ingredients import Values
from prior_bench.schema.protocol import TrainingOptimizer

from .toy_run import toy_run


def training_step(protocol: Protocol, given: Values) -> Values:
    """Return two weights, which begin at 1, after each of some steps with given gradients.

    Clipping, accumulation, momentum, weight decay and the rates' groups all show in them.

    Args:
        given: ``gradients`` of backbone and head, by step.

    Returns:
        ``backbone`` and ``head``, the weights after each step; ``mixed_precision``, whether a GPU uses it.
    """
    gradients = given["gradients"]
    run = toy_run(replace(protocol, batch_size=1), images=len(gradients), gradients=gradients, epochs=1)
    backbone, head = (list(values) for values in zip(*run.weights, strict=True))
    wrapper = optim_wrapper(TrainingOptimizer.model_validate(protocol.optimizer), "cuda")
    return {"backbone": backbone, "head": head, "mixed_precision": wrapper["type"] == "AmpOptimWrapper"}
