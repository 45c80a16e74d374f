"""The ingredient "batches": what a step of training sees, and what a validation and the test see."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from prior_bench.api import Protocol
from prior_bench.protocol_parity.ingredients import Values

from .toy_run import toy_run


def batches(protocol: Protocol, given: Values) -> Values:
    """Return sizes and repetitions of training batches, and the images of a validation and of the test.

    Args:
        given: number of ``images``, ``validation`` and ``test`` images, and of ``epochs`` to run.

    Returns:
        ``sizes`` of the batches by epoch; ``most_in_an_epoch``, how often one image is in an epoch at most;
        ``shuffled`` and ``new_order``, whether images are out of order, and in another one each epoch;
        ``validated`` and ``tested``, the number of images.
    """
    counts = {part: given[part] for part in ("images", "validation", "test")}
    run = toy_run(protocol, **counts, epochs=given["epochs"])
    short = {**protocol.stopping, "epochs": 1}
    for key in ("first", "interval", "iterations"):
        short.pop(key, None)
    last = toy_run(replace(protocol, stopping=short), **counts)
    seen = [[row for batch in epoch for row in batch] for epoch in run.rows]
    return {
        "sizes": [[len(batch) for batch in epoch] for epoch in run.rows],
        "most_in_an_epoch": max(max(Counter(epoch).values()) for epoch in seen),
        "shuffled": seen[0] != sorted(seen[0]),
        "new_order": len({tuple(epoch) for epoch in seen}) == len(seen),
        "validated": next(iter(last.validated.values())),
        "tested": len(last.tested_rows),
    }
