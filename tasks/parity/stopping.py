"""The ingredient "stopping and selection": a history in, the number of epochs and the tested one out."""

from __future__ import annotations

from dataclasses import replace

from prior_bench.api import Protocol
from prior_bench.protocol_parity.ingredients import Values

from .toy_run import toy_run


def stopping(protocol: Protocol, given: Values) -> Values:
    """Return which epochs were validated, and which weights were tested.

    Args:
        given: ``monitored``, named histories of the monitored quantity by epoch, as the paper's code
            sees it; ``lower``, whether the smallest is best there.

    Returns:
        For each history ``NAME: validated``, the epochs that end with a validation (the last one is the last
        that counts), and ``NAME: tested``, the epoch of the tested weights.
    """
    found: Values = {}
    for name, history in given["monitored"].items():
        values = [-value for value in history] if given["lower"] else history
        run = toy_run(replace(protocol, batch_size=1), images=2, monitored=values)
        found[f"{name}: validated"] = list(run.validated)
        found[f"{name}: tested"] = run.tested_epoch
    return found
