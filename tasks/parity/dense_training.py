"""Batches, loss, optimiser, schedule, step and selection of dense protocols, through the parts of a run."""

from __future__ import annotations

import warnings
from dataclasses import replace

from mmengine.optim import OptimWrapper, build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS
from torch import nn

from prior_bench.api import Protocol
from prior_bench.openmmlab import recipe
from prior_bench.openmmlab.quiet import quiet
from prior_bench.openmmlab.segmentor import training_loss
from prior_bench.protocol_parity.ingredients import Values
from prior_bench.schema.protocol import Stopping, TrainingOptimizer

from .batches import batches as of_epochs
from .dense_planted import wave
from .toy_run import toy_run


def loss(protocol: Protocol, given: Values) -> Values:
    """Compute the loss of planted logits on a planted mask, soft or ``hard``, and its gradient."""
    count, *side = given["shape"]
    outputs = protocol.head.get("outputs", 1)
    logits = (wave(count, outputs, *side) * 4).requires_grad_()
    target = (wave(count, *side, start=99).clamp(0) * 1.5).clamp(max=1)
    if given.get("hard"):
        target = (target > 0.5).long()
    value = training_loss(protocol)(logits, target)
    value.backward()
    assert logits.grad is not None
    return {"value": value.item(), "gradient": logits.grad.squeeze(1).tolist()}


def optimiser(protocol: Protocol, given: Values) -> Values:
    """Describe the optimiser and its groups of parameters, and the rates of which validation chooses one."""
    wrapper, options = _optimiser(protocol)
    made = wrapper.optimizer
    group = made.param_groups[0]
    kept = {name: group[name] for name in ("lr", "weight_decay", "betas", "eps", "amsgrad")}
    groups = {tuple(one[name] for name in ("lr", "weight_decay")) for one in made.param_groups}
    return {"type": options.type, **kept, "groups": len(groups), "rates_tried": [options.lr]}


def schedule(protocol: Protocol, given: Values) -> Values:
    """Compute the learning rate at each of ``steps``.

    With histories of ``score`` and ``loss`` by epoch, the real loop runs so many epochs. Without them, the
    monitored quantity does not improve.
    """
    if "score" in given:
        run = toy_run(
            replace(protocol, batch_size=1),
            images=given["steps_per_epoch"],
            monitored=given["score"],
            losses=given["loss"],
            epochs=len(given["score"]),
        )
        of_steps = [step["head"] for epoch in run.rates for step in epoch]
        return {"lr": [of_steps[step] for step in given["steps"]]}
    wrapper, options = _optimiser(protocol)
    stopping = Stopping.model_validate(protocol.stopping)
    length = stopping.iterations or (stopping.epochs or 0) * given["steps_per_epoch"]
    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that nothing was trained
        parts = [
            PARAM_SCHEDULERS.build(dict(config, optimizer=wrapper))
            for config in recipe.schedule(options, length, stopping.monitor)
        ]
        rates = []
        for step in range(max(given["steps"]) + 1):
            rates.append(wrapper.optimizer.param_groups[0]["lr"])
            for part in parts:
                if not part.by_epoch:
                    part.step()
                elif (step + 1) % given["steps_per_epoch"] == 0:
                    part.step({stopping.monitor: 0.0})
    return {"lr": [rates[step] for step in given["steps"]]}


def training_step(protocol: Protocol, given: Values) -> Values:
    """State precision on a GPU, clipping and accumulation."""
    wrapper, options = _optimiser(protocol)
    on_gpu = recipe.optim_wrapper(options, "cuda")
    return {
        "precision": 16 if on_gpu["type"] == "AmpOptimWrapper" else 32,
        "clip": (wrapper.clip_grad_kwargs or {}).get("max_norm"),
        "accumulation": wrapper._accumulative_counts,
    }


def stopping(protocol: Protocol, given: Values) -> Values:
    """Run through planted histories: validations until the end, and the number of the tested one.

    A history has values of ``loss`` and ``score`` by validation; the protocol says which is monitored.
    """
    how = Stopping.model_validate(protocol.stopping)
    short = dict(protocol.stopping)
    if how.iterations is not None:  # one step instead of thousands between two validations
        short |= {"iterations": -(-how.iterations // (how.interval or 1)), "interval": 1}
    toy = replace(protocol, batch_size=1, stopping=short)
    found: dict[str, list[int]] = {"epochs": [], "chosen": []}
    for history in given["histories"]:
        values = [-one for one in history["loss"]] if how.monitor == "minus_loss" else history["score"]
        run = toy_run(toy, images=1, monitored=values)
        found["epochs"].append(len(run.validated))
        found["chosen"].append(run.tested_epoch)
    return {**found}


def _optimiser(protocol: Protocol) -> tuple[OptimWrapper, TrainingOptimizer]:
    model = nn.Sequential()
    for name in ("backbone", "decode_head"):
        model.add_module(name, nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)))
    options = TrainingOptimizer.model_validate(protocol.optimizer)
    with quiet():
        return build_optim_wrapper(model, recipe.optim_wrapper(options, "cpu")), options


def batches(protocol: Protocol, given: Values) -> Values:
    """Describe training batches, and the images of a validation and of the test.

    Protocols with iterations instead of epochs are run in two rounds of so many steps that both passes over
    the images are seen; see :func:`tasks.parity.batches.batches` for those with epochs.
    """
    if protocol.stopping.get("iterations") is None:
        return of_epochs(protocol, given)
    images, size = given["images"], protocol.batch_size
    steps = -(-images // size)
    short = {**protocol.stopping, "iterations": 2 * steps, "interval": steps}
    counts = {"images": images, "validation": given["validation"], "test": given["test"]}
    run = toy_run(replace(protocol, stopping=short), **counts)
    sizes = {len(batch) for part in run.rows for batch in part}
    rows = [row for part in run.rows for batch in part for row in batch]
    first, second = rows[:images], rows[images : 2 * images]
    return {
        "size": sizes.pop() if len(sizes) == 1 else sorted(sizes),
        "first_pass_has_all": len(set(first)) == images,
        "second_pass_has_all": len(set(second)) == images,
        "shuffled": first != sorted(first) and first != second,
        "validated": next(iter(run.validated.values())),
        "tested": len(run.tested_rows),
    }
