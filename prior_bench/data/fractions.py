"""Label fractions: which share of the training data keeps its labels."""

from __future__ import annotations

import numpy as np

from prior_bench.data.manifest import Manifest
from prior_bench.data.splits import stratified_order
from prior_bench.errors import BenchError


def label_fraction(manifest: Manifest, fraction: float, seed: int, by: str = "patient_id") -> Manifest:
    """A share of the rows given (the training split, as a rule).

    Args:
        manifest: rows to draw from.
        fraction: in (0, 1].
        seed: the same seed gives nested samples: that of 1 % lies within that of 10 %.
        by: ``"patient_id"`` draws whole patients, or any other column (``"id"``: images), stratified by
            label; ``"rows"`` draws rows as GLoRIA and MGCA do (``DataFrame.sample``, not nested in general,
            depends on the order of rows; their seed is 42).

    Returns:
        The drawn rows in the manifest's order, at least one patient's.

    Raises:
        BenchError: fraction out of range, or no such column.
    """
    if not 0 < fraction <= 1:
        raise BenchError(f"label fraction {fraction} is not in (0, 1]", fix="1 % is 0.01")
    if fraction == 1:
        return manifest
    if by == "rows":
        return manifest.select(manifest.table.sample(frac=fraction, random_state=seed).index.to_numpy())
    if by not in manifest.table:
        raise BenchError(f"cannot draw a label fraction by '{by}': no such column", where=manifest.name)
    order = stratified_order(manifest.table, group=by, stratify=manifest.labels, seed=seed)
    chosen = order[: max(1, int(np.rint(fraction * len(order))))]
    return manifest.select(manifest.table[by].isin(chosen).to_numpy())
