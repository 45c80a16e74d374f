"""The ingredient "schedule": learning rates step by step."""

from __future__ import annotations

import warnings
from dataclasses import replace

import torch
from mmengine.registry import PARAM_SCHEDULERS

from prior_bench.api import Protocol
from prior_bench.openmmlab import recipe
from prior_bench.openmmlab.quiet import quiet
from prior_bench.protocol_parity.ingredients import Values
from prior_bench.schema.protocol import TrainingOptimizer

from .toy_run import PARTS, toy_run


def schedule(protocol: Protocol, given: Values) -> Values:
    """Return the learning rates of backbone and head at some steps.

    Args:
        given: ``steps_an_epoch``; ``epochs``, the number of epochs that are run; ``steps``, numbers of the
            steps of these epochs to show, from 0; ``monitored``, values of the monitored quantity by epoch,
            higher is better (a constant, if it is left out); ``later``, numbers of later steps, which are
            computed without training.

    Returns:
        ``head``, and ``backbone`` unless it is frozen: a rate for each of ``steps``; and ``share later``, for
        each of ``later`` the rate as a share of the optimiser's.
    """
    run = toy_run(
        replace(protocol, batch_size=1),
        images=given["steps_an_epoch"],
        monitored=given.get("monitored", (0.0,)),
        epochs=given["epochs"],
    )
    rates = [step for epoch in run.rates for step in epoch]
    shown = [rates[step] for step in given["steps"]]
    found: Values = {part: [step[part] for step in shown] for part in PARTS if part in rates[0]}
    if given.get("later"):
        found["share later"] = _shares(protocol, given["later"])
    return found


def _shares(protocol: Protocol, steps: list[int]) -> list[float]:
    how = TrainingOptimizer.model_validate(protocol.optimizer)
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(()))], lr=1.0)
    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that nothing was trained
        parts = [
            PARAM_SCHEDULERS.build(part, default_args={"optimizer": optimiser})
            for part in recipe.schedule(how, max(steps) + 1, protocol.stopping["monitor"])
        ]
        shares = []
        for _ in range(max(steps) + 1):
            shares.append(optimiser.param_groups[0]["lr"])
            for part in parts:
                part.step()
    return [shares[step] for step in steps]
