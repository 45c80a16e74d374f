"""Label fractions: choose the share of the training data whose labels are used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from prior_bench.data.manifest import Manifest
from prior_bench.data.splitting.rules import bare_name, listed_ids, stratified_order
from prior_bench.errors import BenchError, unknown_name

Drawn = TypeVar("Drawn")
Rows = Callable[[Manifest, float, int], np.ndarray]

LISTED = "listed:"
"""Prefix of the samplers that use published lists; the folder of the lists follows."""


def training_part(train: Manifest, sampler: Mapping[str, Any], fraction: float, seed: int) -> Manifest:
    """Return the training rows whose labels may be used, by the ``fraction_sampler`` of a protocol.

    Args:
        train: the rows of the training split.
        sampler: ``by`` (see :func:`label_fraction`); ``seed``, which replaces the seed of the run;
            ``balanced``, which keeps all positives of the first label and as many negatives before the
            fraction is drawn (GLoRIA's and MGCA's training on SIIM-ACR, also with all labels); and ``draws``,
            the number of draws from one random stream, of which the last counts (GLoRIA's code builds the
            training data twice).
        fraction: label fraction in (0, 1].
        seed: seed of the run.
    """
    seed = seed if sampler.get("seed") is None else sampler["seed"]
    by, draws = sampler.get("by", "patient_id"), sampler.get("draws", 1)
    if sampler.get("balanced"):
        return _last_of(draws, seed, lambda stream: _balanced(train, fraction, stream))
    if fraction < 1 and draws > 1 and by in _FROM_STREAM:
        return train.select(_last_of(draws, seed, lambda stream: _FROM_STREAM[by](train, fraction, stream)))
    return label_fraction(train, fraction, seed, by=by)


def _last_of(draws: int, seed: int, draw: Callable[[np.random.RandomState], Drawn]) -> Drawn:
    """Draw several times from one random stream and return what was drawn last."""
    stream = np.random.RandomState(seed)
    for _ in range(draws - 1):
        draw(stream)
    return draw(stream)


def validation_part(valid: Manifest, sampler: Mapping[str, Any], fraction: float) -> Manifest:
    """Return all validation rows, or the first ``valid_share`` of them (LoVT).

    With all labels, ``valid_share`` counts only if ``always_valid_share`` is set.
    """
    if sampler.get("valid_share") is None or (fraction == 1 and not sampler.get("always_valid_share")):
        return valid
    return valid.select(np.arange(max(1, int(np.rint(sampler["valid_share"] * len(valid))))))


def label_fraction(manifest: Manifest, fraction: float, seed: int, by: str = "patient_id") -> Manifest:
    """Draw a share of the given rows, usually those of the training split.

    Args:
        manifest: rows to draw from.
        fraction: label fraction in (0, 1].
        seed: with the same seed, samples are nested: the 1 % sample is contained in the 10 % sample.
        by: ``"patient_id"`` draws whole patients, stratified by label; any other column works too (``"id"``
            draws images). The papers draw rows, in general not nested, and depend on the order of rows:
            ``"rows"`` (``DataFrame.sample``: GLoRIA's and MGCA's classification, seed 42), ``"choice"``
            (``numpy.random.choice``: MGCA's segmentation and detection, seed 42), ``"first"`` (the first rows
            for any seed), ``"first_rounded"`` (the same, their number rounded and not cut: LoVT),
            ``"stratified_rows"`` (scikit-learn's ``train_test_split``, by the first label: BenchX, seed 42),
            ``"listed:FOLDER"`` (``train_1.txt`` and ``train_10.txt`` in that folder
                of the data set, in BenchX's format).

    Returns:
        The drawn rows of at least one patient, in the order of the manifest (except for the papers' draws).

    Raises:
        BenchError: the fraction is out of range, or there is no such column.
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


def _rows(manifest: Manifest, fraction: float, stream: np.random.RandomState) -> np.ndarray:
    return manifest.table.sample(frac=fraction, random_state=stream).index.to_numpy()


def _choice(manifest: Manifest, fraction: float, stream: np.random.RandomState) -> np.ndarray:
    rows = len(manifest)
    return stream.choice(rows, max(1, int(fraction * rows)), replace=False)


_FROM_STREAM = {"rows": _rows, "choice": _choice}
"""Draws of the papers from a stream of random numbers."""


def _first(manifest: Manifest, fraction: float, seed: int) -> np.ndarray:
    return np.arange(max(1, int(fraction * len(manifest))))


def _first_rounded(manifest: Manifest, fraction: float, seed: int) -> np.ndarray:
    return np.arange(max(1, round(fraction * len(manifest))))


def _stratified_rows(manifest: Manifest, fraction: float, seed: int) -> np.ndarray:
    from sklearn.model_selection import train_test_split

    rows, label = np.arange(len(manifest)), manifest.targets()[:, 0]
    return train_test_split(rows, test_size=1 - fraction, stratify=label, random_state=seed)[0]


def _seeded(draw: Callable[[Manifest, float, np.random.RandomState], np.ndarray]) -> Rows:
    return lambda manifest, fraction, seed: draw(manifest, fraction, np.random.RandomState(seed))


_PAPERS: dict[str, Rows] = {
    **{by: _seeded(draw) for by, draw in _FROM_STREAM.items()},
    "first": _first,
    "first_rounded": _first_rounded,
    "stratified_rows": _stratified_rows,
}


def _listed(manifest: Manifest, fraction: float, folder: str) -> Manifest:
    place = manifest.root / folder / f"train_{100 * fraction:g}.txt"
    wanted = {bare_name(name) for name in listed_ids(place)}
    rows = manifest.select(manifest.table["id"].map(bare_name).isin(wanted).to_numpy())
    if missing := len(wanted) - len(rows):
        raise BenchError(
            f"{missing} of {len(wanted)} images there are not in the training split",
            where=place,
            fix="use lists from one release",
        )
    return rows


def _balanced(train: Manifest, fraction: float, rng: np.random.RandomState) -> Manifest:
    """Balance as MGCA's SIIMImageDataset: one random stream draws the negatives and then the fraction."""
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
