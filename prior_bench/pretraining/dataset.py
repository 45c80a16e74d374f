"""Image-report pairs for pre-training; all random choices depend only on (seed, epoch, study)."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from prior_bench.data.images.cache.sequential import SequentialShards
from prior_bench.data.images.decode import reduced
from prior_bench.data.images.read import read_image
from prior_bench.data.manifest import Manifest
from prior_bench.errors import BenchError
from prior_bench.pretraining.config import Data
from prior_bench.pretraining.studies import Pair, Studies, StudyPairs
from prior_bench.runtime import progress

CACHE_MARGIN = 1.25
"""Longest side of a cached image, as a multiple of the input size; it leaves room for sharp crops."""


@dataclass(frozen=True)
class Pairs:
    """All pairs of a data set that a config trains on.

    Attributes:
        pairs: the pairs, in the order of the data set.
        name: name of the data set.
        fingerprint: fingerprint of the data set's content.
        synthetic: whether the data set belongs to the sample benchmark.
    """

    pairs: Sequence[Pair]
    name: str
    fingerprint: str
    synthetic: bool

    def corpus(self) -> list[tuple[str, ...]]:
        """Return all reports, for training a tokenizer."""
        if isinstance(self.pairs, StudyPairs):
            return list(self.pairs.reports())
        return [pair.report for pair in self.pairs]


def read_pairs(data: Data, manifest: Manifest | None = None) -> Pairs:
    """Read the pairs of a data set, without sentences and reports that are too short.

    Args:
        data: the section of the config.
        manifest: the data set, if it is already open.

    Raises:
        BenchError: the data set has no reports, or no report is long enough.
    """
    from prior_bench.data.open import open_dataset

    manifest = manifest or open_dataset(data.dataset, split=data.split_rule)
    if not manifest.has("reports"):
        raise BenchError("has no reports to pre-train on", where=manifest.name)
    table = manifest.table[manifest.table["split"].isin(data.splits)]
    pairs = StudyPairs(Studies(table, data), table, manifest.root)
    if not pairs:
        raise BenchError(
            f"no report of the splits {', '.join(data.splits)} is long enough",
            where=manifest.name,
            fix="lower data.min_sentences, data.min_words or data.min_sentence_words",
        )
    return Pairs(pairs, manifest.name, fingerprint_of(data, manifest), manifest.synthetic)


def fingerprint_of(data: Data, manifest: Manifest) -> str:
    """Hash a data set's content and, if it is read shard by shard, the images in each shard."""
    if data.shard_window is None:
        return manifest.fingerprint()
    shards = ",".join(sorted(file.name for file in manifest.root.glob("*.safetensors")))
    return hashlib.sha256(f"{manifest.fingerprint()}/{shards}".encode()).hexdigest()[:16]


class PairDataset(Dataset):
    """A data set of (image tensor [C, S, S], sentences) for each key (epoch, index).

    Image, text and augmentation are drawn from generators seeded by (seed, epoch, index). Therefore, they are
    the same for any number of worker processes and after a run is resumed.

    Args:
        pairs: result of :func:`read_pairs`.
        transform: function from uint8 [H, W] to a float32 tensor; it may use torch's global generator.
        text: one of the modes in :class:`prior_bench.schema.pretrain.DataSection`.
        seed: seed of all random choices.
        cache_size: longest side of the images kept in memory; None decodes images again each time.
        shard_window: number of shards of the image cache in use at a time, each of which is read completely
            before its images are used; None if images are drawn from all shards.

    Raises:
        BenchError: there is a ``shard_window``, and an image is not in an image cache.
    """

    def __init__(
        self,
        pairs: Pairs,
        transform: Callable[[np.ndarray], Tensor],
        text: str = "report",
        seed: int = 0,
        cache_size: int | None = None,
        shard_window: int | None = None,
    ):
        self.pairs, self.transform, self.text, self.seed = pairs.pairs, transform, text, seed
        self._cache = _cache_images(self.pairs, cache_size) if cache_size else None
        images = (path for pair in self.pairs for path in pair.images)
        self._in_order = SequentialShards(images) if shard_window else None

    def __len__(self) -> int:
        return len(self.pairs)

    def draw_text(self, epoch: int, index: int) -> tuple[str, ...]:
        """Return the sentences that are used of a study in an epoch."""
        report = self.pairs[index].report
        if self.text == "report":
            return report
        draw = random.Random(f"text/{self.seed}/{epoch}/{index}")
        if self.text == "random_sentence":
            return (draw.choice(report),)
        if self.text == "random_sentences":
            return tuple(draw.sample(report, draw.randint(1, len(report))))
        return tuple(draw.sample(report, len(report)))

    def shards(self, epoch: int) -> list[int]:
        """Return the shard of each study's image in an epoch; this requires a ``shard_window``."""
        assert self._in_order is not None, "there is a shard window"
        number = self._in_order.number
        return [
            number(pair.images[0] if len(pair.images) == 1 else self._draw_image(epoch, index)[0])
            for index, pair in enumerate(self.pairs)
        ]

    def __getitem__(self, key: tuple[int, int]) -> tuple[Tensor, tuple[str, ...]]:
        epoch, index = key
        path, draw = self._draw_image(epoch, index)
        image = self._read(path, epoch)
        generator = torch.default_generator
        state = generator.get_state()
        generator.manual_seed(draw.getrandbits(63))
        try:
            return self.transform(image), self.draw_text(epoch, index)
        finally:
            generator.set_state(state)

    def _draw_image(self, epoch: int, index: int) -> tuple[Path, random.Random]:
        """Return the image of a study in an epoch, and the generator that seeds its augmentation."""
        draw = random.Random(f"image/{self.seed}/{epoch}/{index}")
        return draw.choice(self.pairs[index].images), draw

    def _read(self, path: Path, epoch: int) -> np.ndarray:
        if self._cache:
            return self._cache[path]
        return self._in_order.read(path, epoch) if self._in_order else read_image(path)


def _cache_images(pairs: Sequence[Pair], size: int) -> dict[Path, np.ndarray]:
    paths = sorted({path for pair in pairs for path in pair.images})
    return {path: reduced(read_image(path), size) for path in progress(paths, "caching images")}
