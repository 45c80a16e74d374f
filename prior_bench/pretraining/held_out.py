"""Pairs on which training is monitored: those of held-out patients, or training pairs if there are none."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from prior_bench.data.manifest import Manifest
from prior_bench.data.views import frontal_first
from prior_bench.errors import BenchError
from prior_bench.pretraining.config import HELD_OUT, PretrainConfig, Validation
from prior_bench.pretraining.dataset import Pairs
from prior_bench.pretraining.studies import Studies

WATCHED = 64
"""Number of training pairs that are monitored for collapse if no patients are held out."""


@dataclass(frozen=True)
class WatchedPairs:
    """One image and one text of each of N studies, the same in every epoch.

    Attributes:
        images: N files.
        texts: N texts, each a tuple of sentences.
        held_out: whether none of the patients is trained on.
        ids: N ids of the images; empty for training pairs.
        target: labels, float [N, C] (NaN if unknown), or None.
        labels: C names of labels.
    """

    images: tuple[Path, ...]
    texts: tuple[tuple[str, ...], ...]
    held_out: bool
    ids: tuple[str, ...] = ()
    target: np.ndarray | None = None
    labels: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.images)


def watched_pairs(
    config: PretrainConfig, manifest: Manifest, pairs: Pairs
) -> tuple[WatchedPairs | None, str]:
    """Return the pairs to monitor, and the reason if they are not held out; None if there is no validation.

    Raises:
        BenchError: the config chooses an epoch or names prompts, but no patients are held out.
    """
    validation = config.validation
    if validation is None:
        return None, "validation=None"
    found, why = held_out_pairs(config, validation, manifest)
    if found is not None:
        return found, ""
    if validation.choose or validation.prompts:
        key = "choose" if validation.choose else "prompts"
        raise BenchError(
            f"needs held-out patients, but {why}",
            where=f"validation.{key}",
            fix=f"name a data.split_rule with a '{HELD_OUT}' split, or leave validation.{key} out",
        )
    return _training_pairs(config, validation, pairs), why


def held_out_pairs(
    config: PretrainConfig, validation: Validation, manifest: Manifest
) -> tuple[WatchedPairs | None, str]:
    """Return at most ``validation.pairs`` studies of the validation split, or None and the reason.

    The first frontal image of each study is used. Patients who are also in a training split are left out. The
    texts are the same in every epoch: one sentence of the report for ``random_sentence``, and the whole
    report for all other modes.
    """
    table = manifest.table
    if HELD_OUT in config.data.splits:
        return None, f"the '{HELD_OUT}' split is trained on"
    rows = table[table["split"] == HELD_OUT]
    if not len(rows):
        return None, f"{manifest.name} has no '{HELD_OUT}' split"
    trained = set(table.loc[table["split"].isin(config.data.splits), "patient_id"])
    rows = rows[~rows["patient_id"].isin(trained)]
    rows = rows.iloc[frontal_first(rows)]
    studies = Studies(rows, config.data)
    if len(studies) < 2:
        return (
            None,
            f"fewer than two studies of the '{HELD_OUT}' split have a report and are not trained on",
        )
    draw = random.Random(f"validation/{validation.seed}")
    found: Sequence[int] = range(len(studies))
    if len(studies) > validation.pairs:
        found = sorted(draw.sample(found, validation.pairs))
    first = rows.iloc[[studies.rows(study)[0] for study in found]]
    held_out = replace(manifest, table=first.reset_index(drop=True))
    return WatchedPairs(
        tuple(manifest.root / name for name in first["image"]),
        tuple(_fixed_text(config, report, draw) for report in map(studies.report, found)),
        True,
        tuple(first["id"]),
        held_out.targets() if manifest.labels else None,
        manifest.labels,
    ), ""


def _training_pairs(config: PretrainConfig, validation: Validation, pairs: Pairs) -> WatchedPairs:
    draw = random.Random(f"validation/{validation.seed}")
    count = min(WATCHED, validation.pairs, len(pairs.pairs))
    chosen = [pairs.pairs[i] for i in sorted(draw.sample(range(len(pairs.pairs)), count))]
    texts = tuple(_fixed_text(config, pair.report, draw) for pair in chosen)
    return WatchedPairs(tuple(pair.images[0] for pair in chosen), texts, False)


def _fixed_text(config: PretrainConfig, report: tuple[str, ...], draw: random.Random) -> tuple[str, ...]:
    return (draw.choice(report),) if config.data.text == "random_sentence" else report
