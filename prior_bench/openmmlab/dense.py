"""Common parts of segmentation and detection runs: their rows, and the single pass of a frozen backbone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from torch.utils.data import Dataset

from prior_bench.api import Backbone, Protocol, RunContext
from prior_bench.data.manifest import SPLITS, Manifest
from prior_bench.data.splitting.fractions import training_part, validation_part
from prior_bench.openmmlab import map_cache
from prior_bench.openmmlab.backbone import MapReader, is_frozen
from prior_bench.openmmlab.datasets import DenseDataset

TAKE_IMAGES = ("resunet",)
"""Decoders that take the images, too."""


def annotated_splits(
    data: Manifest, column: str, protocol: Protocol, context: RunContext
) -> dict[str, Manifest]:
    """Return the annotated rows of each split, reduced by the protocol's ``fraction_sampler``."""
    rows = data.select(data.table[column].notna().to_numpy())
    splits = {name: rows.split(name) for name in SPLITS}
    how = protocol.fraction_sampler, context.fraction, context.seed
    splits["train"] = training_part(splits["train"], *how)
    splits["valid"] = validation_part(splits["valid"], *how[:2])
    return splits


def used_split(data: Manifest, splits: dict[str, Manifest]) -> dict[str, Any]:
    """Return sizes and hash of the rows that a run used."""
    ids = pd.concat([part.table["id"] for part in splits.values()])
    return data.select(data.table["id"].isin(ids).to_numpy()).split_summary()


def attach(
    backbone: Backbone,
    datasets: Mapping[str, DenseDataset],
    strides: tuple[int, ...],
    protocol: Protocol,
    context: RunContext,
) -> tuple[dict[str, Any], tuple[int, ...], Mapping[str, Dataset]]:
    """Attach the backbone to the model or, if it is fully frozen, apply it to the data once.

    A fully frozen backbone sees the same images in every epoch, unless training images are augmented. Its
    maps are then computed once, if there is room for them and the decoder takes nothing else.

    Returns:
        The config of the model's backbone, the channels of its maps (finest first), and the data sets to use.
    """
    encoder = backbone.image_encoder.to(context.device)
    channels = MapReader(encoder, strides).channels
    once = is_frozen(protocol.frozen) and not protocol.transform.get("train")
    once = once and protocol.head.get("type") not in TAKE_IMAGES
    room = map_cache.room_for(encoder, strides, list(datasets.values()), context) if once else None
    if room is not None:
        cached = {
            name: map_cache.precompute(encoder, strides, dataset, context, room)
            for name, dataset in datasets.items()
        }
        return dict(type="PrecomputedMaps"), channels, cached
    config = dict(type="EncoderBackbone", encoder=encoder, strides=strides, frozen=protocol.frozen)
    return config, channels, datasets
