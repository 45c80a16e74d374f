"""Label fractions: which share of the training data keeps its labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from prior_bench.data.manifest import Manifest
from prior_bench.data.splitting.rules import bare_name, listed_ids, stratified_order
from prior_bench.errors import BenchError, unknown_name

LISTED = "listed:"
"""How a sampler begins that takes the images of somebody's lists; the folder of the lists follows."""


def training_part(train: Manifest, sampler: Mapping[str, Any], fraction: float, seed: int) -> Manifest:
    """The training rows whose labels may be used, as a protocol's ``fraction_sampler`` says.

    Args:
        sampler: ``by`` (see :func:`label_fraction`); ``seed``, in place of the run's; ``balanced``: keep all
            positives of the first label and as many negatives, drawn before the fraction is (GLoRIA's and
            MGCA's training on SIIM-ACR, also with all labels).
    """
    seed = seed if sampler.get("seed") is None else sampler["seed"]
    if sampler.get("balanced"):
        return _balanced(train, fraction, seed)
    return label_fraction(train, fraction, seed, by=sampler.get("by", "patient_id"))


def validation_part(valid: Manifest, sampler: Mapping[str, Any], fraction: float) -> Manifest:
    """The validation rows: all, or, with less than all labels, the first ``valid_share`` of them (LoVT)."""
    if fraction == 1 or sampler.get("valid_share") is None:
        return valid
    return valid.select(np.arange(max(1, int(np.rint(sampler["valid_share"] * len(valid))))))


def label_fraction(manifest: Manifest, fraction: float, seed: int, by: str = "patient_id") -> Manifest:
    """A share of the rows given (the training split, as a rule).

    Args:
        manifest: rows to draw from.
        fraction: in (0, 1].
        seed: the same seed gives nested samples: that of 1 % is contained in that of 10 %.
        by: ``"patient_id"`` draws whole patients, or any other column (``"id"``: images), stratified by
            label. As papers draw, by row and not nested in general, depending on the order of rows:
            ``"rows"`` (``DataFrame.sample``: GLoRIA's and MGCA's classification, seed 42), ``"choice"``
            (``numpy.random.choice``: MGCA's segmentation and detection, seed 42), ``"first"`` (the first
            rows, whatever the seed: LoVT), ``"stratified_rows"`` (scikit-learn's ``train_test_split``, by
            the first label: BenchX, seed 42), ``"listed:FOLDER"`` (``train_1.txt`` and ``train_10.txt`` in
            that folder of the data set, as BenchX ships them).

    Returns:
        The drawn rows, at least one patient's; in the manifest's order, but for the papers' draws.

    Raises:
        BenchError: fraction out of range, or no such column.
    """
    if not 0 < fraction <= 1:
        raise BenchError(f"label fraction {fraction} is not in (0, 1]", fix="1 % is 0.01")
    if fraction == 1:
        return manifest
    if by in _PAPERS:
        return manifest.select(_PAPERS[by](manifest, fraction, seed))
    if by.startswith(LISTED):
        return _listed(manifest, fraction, by.removeprefix(LISTED))
    if by not in manifest.table:
        known = [*_PAPERS, f"{LISTED}FOLDER", *manifest.table.columns]
        raise unknown_name("way to draw a label fraction", by, known, where=manifest.name)
    order = stratified_order(manifest.table, group=by, stratify=manifest.labels, seed=seed)
    chosen = order[: max(1, int(np.rint(fraction * len(order))))]
    return manifest.select(manifest.table[by].isin(chosen).to_numpy())


def _rows(manifest: Manifest, fraction: float, seed: int) -> np.ndarray:
    return manifest.table.sample(frac=fraction, random_state=seed).index.to_numpy()


def _choice(manifest: Manifest, fraction: float, seed: int) -> np.ndarray:
    rows = len(manifest)
    return np.random.RandomState(seed).choice(rows, max(1, int(fraction * rows)), replace=False)


def _first(manifest: Manifest, fraction: float, seed: int) -> np.ndarray:
    return np.arange(max(1, int(fraction * len(manifest))))


def _stratified_rows(manifest: Manifest, fraction: float, seed: int) -> np.ndarray:
    from sklearn.model_selection import train_test_split

    rows, label = np.arange(len(manifest)), manifest.targets()[:, 0]
    return train_test_split(rows, test_size=1 - fraction, stratify=label, random_state=seed)[0]


_PAPERS = {"rows": _rows, "choice": _choice, "first": _first, "stratified_rows": _stratified_rows}


def _listed(manifest: Manifest, fraction: float, folder: str) -> Manifest:
    place = manifest.root / folder / f"train_{100 * fraction:g}.txt"
    wanted = {bare_name(name) for name in listed_ids(place)}
    rows = manifest.select(manifest.table["id"].map(bare_name).isin(wanted).to_numpy())
    if missing := len(wanted) - len(rows):
        raise BenchError(
            f"{missing} of {len(wanted)} images there are not in the training split",
            where=place,
            fix="take all lists from the same release",
        )
    return rows


def _balanced(train: Manifest, fraction: float, seed: int) -> Manifest:
    """MGCA's SIIMImageDataset: negatives and fraction are drawn from one stream of random numbers."""
    rng = np.random.RandomState(seed)
    positive = train.targets()[:, 0] == 1
    kept, negative = np.flatnonzero(positive), np.flatnonzero(~positive)
    if len(negative) > len(kept):
        drawn = rng.choice(negative, len(kept), replace=False)
        negative = negative[np.isin(negative, drawn)]
    rows = np.concatenate([kept, negative])
    if fraction < 1:
        drawn = rng.choice(rows, max(1, int(fraction * len(rows))), replace=False)
        rows = rows[np.isin(rows, drawn)]
    return train.select(rows)
