"""Select and repeat samples of stored predictions, including ragged arrays."""

import numpy as np

RAGGED = ("flat", "truth")
"""Prefixes of arrays with any number of rows per sample; ``<prefix>_sample`` has the sample of each row."""


def take(predictions: dict[str, np.ndarray], rows: np.ndarray) -> dict[str, np.ndarray]:
    """Return the predictions of the samples ``rows`` (positions; repeats are allowed), in this order.

    Arrays with one row per sample are indexed; ``flat_*`` and ``truth_*`` follow their samples and are
    renumbered; ``meta_*`` is unchanged; ``example_*``, meant for display, is dropped. Values that are row
    numbers themselves (``top_texts``) still refer to the original predictions.
    """
    rows = np.asarray(rows)
    taken = {}
    for prefix in RAGGED:
        sample = predictions.get(f"{prefix}_sample")
        if sample is None:
            continue
        order = np.argsort(sample, kind="stable")
        starts, counts = spans(np.asarray(sample)[order], len(predictions["id"]))
        index = order[concatenated(starts, counts, rows)]
        for name, values in predictions.items():
            if name.startswith(f"{prefix}_"):
                taken[name] = values[index]
        taken[f"{prefix}_sample"] = np.repeat(np.arange(len(rows)), counts[rows])
    for name, values in predictions.items():
        prefix = name.split("_")[0]
        if prefix == "meta":
            taken[name] = values
        elif prefix not in (*RAGGED, "example"):
            taken[name] = values[rows]
    return taken


def spans(sorted_groups: np.ndarray, n_groups: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the start and the number of rows of each group in a sorted array of group numbers."""
    counts = np.bincount(sorted_groups, minlength=n_groups)
    return np.cumsum(counts) - counts, counts


def concatenated(starts: np.ndarray, counts: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Return the positions ``starts[g] … starts[g] + counts[g] - 1`` of each group g in ``which``."""
    lengths = counts[which]
    before = np.cumsum(lengths) - lengths
    return np.arange(lengths.sum()) + np.repeat(starts[which] - before, lengths)
