"""Image-report pairs for pre-training; what is drawn depends on (seed, epoch, study) alone."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import Dataset

from prior_bench.data.images.cache.sequential import SequentialShards
from prior_bench.data.images.decode import reduced
from prior_bench.data.images.read import read_image
from prior_bench.data.manifest import Manifest
from prior_bench.errors import BenchError
from prior_bench.pretraining.config import Data
from prior_bench.runtime import progress

CACHE_MARGIN = 1.25
"""Longest side of a cached image, in input sizes: room for crops without blur."""


@dataclass(frozen=True)
class Pair:
    """A study: its images, one of which is drawn each time, and the sentences of its report."""

    images: tuple[Path, ...]
    report: tuple[str, ...]


@dataclass(frozen=True)
class Pairs:
    """All pairs of a data set that a config trains on.

    Attributes:
        pairs: in the order of the data set.
        name: of the data set.
        fingerprint: of the data set's content.
        synthetic: whether it is the sample benchmark.
    """

    pairs: tuple[Pair, ...]
    name: str
    fingerprint: str
    synthetic: bool

    def corpus(self) -> list[tuple[str, ...]]:
        """All reports, for training a tokenizer."""
        return [pair.report for pair in self.pairs]


def read_pairs(data: Data, manifest: Manifest | None = None) -> Pairs:
    """The pairs of the data set, less the sentences and reports that are too short.

    Args:
        data: what is read.
        manifest: the data set, where it is open already.

    Raises:
        BenchError: the data set has no reports, or none is long enough.
    """
    from prior_bench.data.open import open_dataset

    manifest = manifest or open_dataset(data.dataset, split=data.split_rule)
    if not manifest.has("reports"):
        raise BenchError("has no reports to pre-train on", where=manifest.name)
    pairs = [
        Pair(tuple(manifest.root / name for name in rows["image"]), report)
        for rows, report in studies(manifest.table[manifest.table["split"].isin(data.splits)], data)
    ]
    if not pairs:
        raise BenchError(
            f"no report of the splits {', '.join(data.splits)} is long enough",
            where=manifest.name,
            fix="lower data.min_sentences, data.min_words or data.min_sentence_words",
        )
    return Pairs(tuple(pairs), manifest.name, fingerprint_of(data, manifest), manifest.synthetic)


def studies(table: pd.DataFrame, data: Data) -> Iterator[tuple[pd.DataFrame, tuple[str, ...]]]:
    """The rows of each study with its report, less the sentences and reports that are too short.

    Args:
        table: rows of a manifest with reports.
        data: what is too short.
    """
    study = table["study_id"] if "study_id" in table else table["id"]
    for _, rows in table.groupby(study.astype(str), sort=False):
        report = rows["report"].iloc[0]
        sentences = [s for s in report or () if _words(s) >= max(1, data.min_sentence_words)]
        if len(sentences) >= max(1, data.min_sentences) and sum(map(_words, sentences)) >= data.min_words:
            yield rows, tuple(sentences)


def fingerprint_of(data: Data, manifest: Manifest) -> str:
    """Hash of a data set's content and, where it is read shard by shard, of what is in which shard."""
    if data.shard_window is None:
        return manifest.fingerprint()
    shards = ",".join(sorted(file.name for file in manifest.root.glob("*.safetensors")))
    return hashlib.sha256(f"{manifest.fingerprint()}/{shards}".encode()).hexdigest()[:16]


class PairDataset(Dataset):
    """Gives (image tensor [C, S, S], sentences) for a key (epoch, index).

    Image, text and augmentation are drawn from a generator seeded by (seed, epoch, index), so that they
    are the same with any number of worker processes, and after a resume.

    Args:
        pairs: what :func:`read_pairs` gave.
        transform: from uint8 [H, W] to a float32 tensor; draws from torch's global generator.
        text: one of the modes in :class:`prior_bench.schema.pretrain.DataSection`.
        seed: of all draws.
        cache_size: longest side of images kept in memory, or None to decode again each time.
        shard_window: shards of the image cache in use at a time, each read through before its images are
            given; None where images are drawn from all of them.

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
        """The sentences fed for a study in an epoch."""
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
        """The shard in which the image drawn of each study is in an epoch; with a ``shard_window`` only."""
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
        """The image of a study in an epoch, and what its augmentation is drawn from."""
        draw = random.Random(f"image/{self.seed}/{epoch}/{index}")
        return draw.choice(self.pairs[index].images), draw

    def _read(self, path: Path, epoch: int) -> np.ndarray:
        if self._cache:
            return self._cache[path]
        return self._in_order.read(path, epoch) if self._in_order else read_image(path)


def _cache_images(pairs: tuple[Pair, ...], size: int) -> dict[Path, np.ndarray]:
    paths = sorted({path for pair in pairs for path in pair.images})
    return {path: reduced(read_image(path), size) for path in progress(paths, "caching images")}


def _words(sentence: str) -> int:
    return len(re.findall(r"\w+", sentence))
