"""Declared versions of the shared machinery, and their use in keys.

Keys contain no source code. Every part that can change results declares a version, an integer that is raised
by hand. Tasks, methods, readers, metrics, corruptions, hooks and prompt sets declare it next to their own
code, and the machinery that they share in the table below. Raise a version here (and set ``since`` to today's
date) whenever the part gives another output for the same input; ``tests/golden_numbers`` fails until you do.
docs/versions.md explains what happens to old results.

Version 1 is left out of keys, so that a part that is new or was never raised changes no key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from prior_bench.errors import BenchError, unknown_name

FIRST = "2026-11-24T17:00:00+00:00"
"""Start of version 1 of everything: records from then on (tests/historic) have today's results."""


@dataclass(frozen=True)
class Machine:
    """A shared part of the machinery.

    Attributes:
        covers: what it does and where its code is.
        version: raised by one whenever its output changes.
        since: when it was last raised (ISO 8601 with time zone); older results are not migrated.
    """

    covers: str
    version: int = 1
    since: str = FIRST


MACHINERY: dict[str, Machine] = {
    # --- parts that evaluations depend on -------------------------------------------------------------
    "images": Machine("files to grey pixels and their reduction: data/images/{decode,read,npz,geometry}.py"),
    "image_kinds": Machine(
        "kinds of image files in the fingerprint of data that has them: data/images/{mended,grey,formats/}",
        version=2,  # windows that show nothing, padding, WhiteIsZero of 16 bits, deep colours, NaN
        since="2026-11-29T21:30:00+00:00",
    ),
    "mask_kinds": Machine(
        "kinds of mask files in the fingerprint of data that has them: data/images/{mended,mask,formats/}",
        version=2,  # JPEG, alpha channels, colours, 16 bits and floats
        since="2026-11-29T21:30:00+00:00",
    ),
    "eval_transform": Machine("images to an encoder's input in evaluation: data/images/transforms.py"),
    "train_transform": Machine("augmentation in training: data/images/transforms.py"),
    "annotations": Machine("boxes and masks, decoded and moved with their image: data/annotations/"),
    "fractions": Machine(
        "which rows a label fraction or a few-shot draw keeps: data/splitting/{fractions,shots}.py"
    ),
    "features": Machine("features and similarities of frozen backbones: features/"),
    "phrase_maps": Machine("maps of phrases over images: explain/{attention,phrase_maps}.py"),
    "linear_probe": Machine("classifiers on features, and fine-tuned ones: probing/"),
    "openmmlab": Machine("segmentation and detection, heads, training and losses: openmmlab/"),
    # --- parts that weights depend on -----------------------------------------------------------------
    "image_encoder": Machine(
        "ImageEncoder, its pooling and projections: encoders/{image,attention,heads}.py"
    ),
    "input_statistics": Machine(
        "mean and deviation of the input that weights state: encoders/image.py, checkpoints/folders.py",
        version=2,  # one for each channel; it had been their average
        since="2026-11-29T16:00:00+00:00",
    ),
    "text_encoder": Machine("TextEncoder: encoders/text.py"),
    "tokenizer": Machine("ReportTokenizer, its training and sentence indices: encoders/tokenizer.py"),
    "losses": Machine("losses that methods share: losses/"),
    "checkpoints": Machine("which tensor of a released or foreign file becomes which of ours: checkpoints/"),
    "recognition": Machine(
        "the architecture of a foreign file: checkpoints/recognise.py",
        version=2,  # heads that a folder states, and the mean of the patches of a ViT with fc_norm
        since="2026-11-29T16:00:00+00:00",
    ),
    "libraries": Machine("models that other libraries build, and their inputs: libraries/"),
    "pretraining": Machine(
        "pairs, batches, order, optimiser, schedule and stages: pretraining/",
        version=2,  # learning rates follow their schedule; they had stopped after as many steps as epochs
        since="2026-11-24T18:27:11+00:00",
    ),
    "synchronised_statistics": Machine(
        "batch statistics over all GPUs, of models whose layers also activate: pretraining/synchronised.py",
        version=2,  # their activations stay; they had been dropped
        since="2026-11-30T05:05:00+00:00",
    ),
}
"""Shared parts by their names in keys and records."""

EVALUATION = (
    "images",
    "eval_transform",
    "train_transform",
    "annotations",
    "fractions",
    "features",
    "phrase_maps",
    "linear_probe",
    "openmmlab",
)
"""Parts that a task may use; a task that does not declare its ``machinery`` is assumed to use all."""

IMAGE_WEIGHTS = ("image_encoder",)
"""Parts that the weights of an image encoder alone depend on."""
METHOD_WEIGHTS = ("image_encoder", "text_encoder", "tokenizer")
"""Parts that the weights of an untrained method depend on."""
TRAINED_WEIGHTS = (*METHOD_WEIGHTS, "losses", "images", "train_transform", "pretraining")
"""Parts that pre-trained weights depend on."""


def machinery(names: Iterable[str]) -> dict[str, int]:
    """Return today's versions of shared parts, by name.

    Raises:
        BenchError: a name is not in :data:`MACHINERY`.
    """
    found = {}
    for name in names:
        if name not in MACHINERY:
            raise unknown_name("part in 'machinery'", name, list(MACHINERY))
        found[name] = MACHINERY[name].version
    return found


def statistics_part(image_encoder: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the part that an image encoder depends on if its weights state the input, else nothing.

    Args:
        image_encoder: arguments of ImageEncoder; those without ``pretrained`` have no such weights.
    """
    stated = {"mean", "std"} <= set(image_encoder.get("input") or {})
    grey = image_encoder.get("in_channels") == 1
    return ("input_statistics",) if image_encoder.get("pretrained") and not stated and not grey else ()


def raised(versions: Mapping[str, int]) -> dict[str, int]:
    """Return the versions that are not 1, sorted by name, as keys contain them.

    Raises:
        BenchError: a version is not an integer of at least 1.
    """
    for name, version in versions.items():
        if type(version) is not int or version < 1:
            raise BenchError(f"has the version {version!r}", where=name, fix="give an integer of at least 1")
    return {name: versions[name] for name in sorted(versions) if versions[name] != 1}


def finished_before(finished: str, versions: Mapping[str, int]) -> str:
    """Return why a result without declared versions may not equal today's; empty if it does.

    Args:
        finished: time when it was finished, ISO 8601 in UTC.
        versions: today's versions by name.
    """
    if finished < FIRST:
        return f"it is from before {FIRST[:10]}, when version 1 of everything begins"
    for name, version in versions.items():
        machine = MACHINERY.get(name)
        if version > 1 and (machine is None or finished < machine.since):
            return f"it is from before version {version} of {name}"
    return ""
