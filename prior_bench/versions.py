"""Declared versions of the shared machinery, and how versions become part of a key.

Keys hold no source code. A part that changes a number declares a version, a whole number that is raised by
hand: tasks, methods, readers, metrics, corruptions, hooks and prompt sets beside their own code, the
machinery that they share in the table below. Raise a number here (and write today's date as ``since``)
whenever the part gives another output for the same input; ``tests/golden_numbers`` fails until you do.
docs/versions.md says what happens to old results.

A version of 1 is left out of keys: a part that is new, or that was never raised, changes no key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from prior_bench.errors import BenchError, unknown_name

FIRST = "2026-11-24T17:00:00+00:00"
"""When version 1 of everything begins: records from then on (tests/historic) have the numbers of today."""


@dataclass(frozen=True)
class Machine:
    """One shared part.

    Attributes:
        covers: what it does, and where its code is.
        version: raised by one whenever its output changes.
        since: when it was last raised (ISO 8601 with the zone); older results are not taken over.
    """

    covers: str
    version: int = 1
    since: str = FIRST


MACHINERY: dict[str, Machine] = {
    # --- what evaluations depend on -------------------------------------------------------------------
    "images": Machine("files to grey pixels and their reduction: data/images/{decode,read,npz,geometry}.py"),
    "eval_transform": Machine("images to an encoder's input in evaluation: data/images/transforms.py"),
    "train_transform": Machine("augmentation in training: data/images/transforms.py"),
    "annotations": Machine("boxes and masks, decoded and moved with their image: data/annotations/"),
    "fractions": Machine("which training rows a label fraction keeps: data/splitting/fractions.py"),
    "features": Machine("features and similarities of frozen backbones: features/"),
    "linear_probe": Machine("classifiers on features, and fine-tuned ones: probing/"),
    "openmmlab": Machine("segmentation and detection, heads, training and losses: openmmlab/"),
    # --- what weights depend on -----------------------------------------------------------------------
    "image_encoder": Machine(
        "ImageEncoder, its pooling and projections: encoders/{image,attention,heads}.py"
    ),
    "text_encoder": Machine("TextEncoder: encoders/text.py"),
    "tokenizer": Machine("ReportTokenizer, its training and sentence indices: encoders/tokenizer.py"),
    "losses": Machine("losses that methods share: losses/"),
    "checkpoints": Machine("which tensor of a released or foreign file becomes which of ours: checkpoints/"),
    "pretraining": Machine(
        "pairs, batches, order, optimiser, schedule and stages: pretraining/",
        version=2,  # learning rates follow their schedule; they had stopped after as many steps as epochs
        since="2026-11-24T18:27:11+00:00",
    ),
}
"""Every shared part by its name in keys and records."""

EVALUATION = (
    "images",
    "eval_transform",
    "train_transform",
    "annotations",
    "fractions",
    "features",
    "linear_probe",
    "openmmlab",
)
"""Parts that a task may use; all of them count for one that does not declare its ``machinery``."""

IMAGE_WEIGHTS = ("image_encoder",)
"""Parts that the weights of an image encoder alone depend on."""
METHOD_WEIGHTS = ("image_encoder", "text_encoder", "tokenizer")
"""Parts that the weights of an untrained method depend on."""
TRAINED_WEIGHTS = (*METHOD_WEIGHTS, "losses", "images", "train_transform", "pretraining")
"""Parts that pre-trained weights depend on."""


def machinery(names: Iterable[str]) -> dict[str, int]:
    """Today's versions of shared parts, by name.

    Raises:
        BenchError: a name that is not in :data:`MACHINERY`.
    """
    found = {}
    for name in names:
        if name not in MACHINERY:
            raise unknown_name("part in 'machinery'", name, list(MACHINERY))
        found[name] = MACHINERY[name].version
    return found


def raised(versions: Mapping[str, int]) -> dict[str, int]:
    """Those that are not 1, in the order of their names: what a key holds.

    Raises:
        BenchError: one is not a whole number from 1.
    """
    for name, version in versions.items():
        if type(version) is not int or version < 1:
            raise BenchError(f"has the version {version!r}", where=name, fix="give a whole number from 1")
    return {name: versions[name] for name in sorted(versions) if versions[name] != 1}


def finished_before(finished: str, versions: Mapping[str, int]) -> str:
    """Why something of before versions were declared is not known to be of today's; empty where it is.

    Args:
        finished: when it was finished, ISO 8601 in UTC.
        versions: today's, by name.
    """
    if finished < FIRST:
        return f"it is from before {FIRST[:10]}, when version 1 of everything begins"
    for name, version in versions.items():
        machine = MACHINERY.get(name)
        if version > 1 and (machine is None or finished < machine.since):
            return f"it is from before version {version} of {name}"
    return ""
