"""Features of a frozen backbone, computed once per data set and cached for all fractions, seeds and tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from prior_bench.api import Backbone, InputSpec, Method, Protocol, RunContext, repeated, version_of
from prior_bench.api.encoders import features_of
from prior_bench.data.images.corruptions import SIDE, Condition, corrupt
from prior_bench.data.images.dataset import ImageDataset
from prior_bench.data.images.transforms import eval_transform
from prior_bench.data.manifest import Manifest
from prior_bench.errors import BenchError, unknown_name
from prior_bench.features.blocks import TYPES
from prior_bench.features.cache import cached_rows, name_of, together
from prior_bench.registry import CORRUPTIONS
from prior_bench.runtime import progress
from prior_bench.store.source_hash import code_version, used_modules
from prior_bench.versions import machinery, raised

KINDS = ("global", "joint")
"""Kinds of features. ``global``: from the image encoder, before the method's projection; ``joint``: from
``encode_image``."""


class Feed(NamedTuple):
    """The preparation of images for a backbone in evaluation.

    Attributes:
        input: size, channels and normalisation.
        steps: further steps, as :func:`prior_bench.data.images.transforms.eval_transform` takes them.
        condition: corruption applied to the images first, or None.
    """

    input: InputSpec
    steps: Mapping[str, Any] = MappingProxyType({})
    condition: Condition | None = None

    @classmethod
    def of(cls, backbone: Backbone, protocol: Protocol) -> Feed:
        """The feed that the backbone expects, with the changes of ``transform`` (its ``input`` and ``eval``).

        Raises:
            BenchError: ``input`` has a key that is not a field of InputSpec.
        """
        changes = protocol.transform.get("input") or {}
        known = [field.name for field in fields(InputSpec)]
        for name in changes:
            if name not in known:
                raise unknown_name("field of transform.input", name, known, where=protocol.name)
        return cls(backbone.input.changed(changes), protocol.transform.get("eval") or {})

    def key(self) -> dict[str, Any]:
        """The feed as plain types, for cache keys."""
        fed = {"input": self.input.to_dict(), "steps": dict(self.steps)}
        if self.condition is None:
            return fed
        version = version_of(CORRUPTIONS.get(self.condition.corruption), str(self.condition))
        return {**fed, "corruption": [str(self.condition), version]}

    def require_own_input(self, backbone: Backbone) -> None:
        """Raise BenchError if images are not fed as the backbone expects, which stored vectors assume."""
        if self != Feed(backbone.input):
            what = "stored embeddings are of images as they are, in the input of their own model"
            raise BenchError(what, where=backbone.name, fix="use a protocol that does not change the images")


def extract(
    backbone: Backbone,
    manifest: Manifest,
    context: RunContext,
    what: str = "global",
    feed: Feed | None = None,
    stored: str = "float32",
) -> np.ndarray:
    """Frozen global features of every image, [rows, D], read from the cache if they are there.

    Stored vectors are returned as they are. Otherwise, the backbone runs in evaluation mode (BatchNorm uses
    its stored statistics and does not update them). Its previous mode is restored.

    Args:
        what: one of KINDS.
        feed: preparation of the images; by default the one that the backbone expects.
        stored: type in which features are stored and returned, ``"float32"`` or ``"float16"``; those of
            stored vectors are float32.

    Raises:
        BenchError: ``what`` or ``stored`` is unknown, there is no method for ``joint``, an image cannot be
            read, or features are not finite.
    """
    if stored not in TYPES:
        raise unknown_name("type of stored features", stored, list(TYPES))
    if what not in KINDS:
        raise BenchError(f"unknown features '{what}'", fix=f"known: {', '.join(KINDS)}")
    if what == "joint" and backbone.method is None:
        raise BenchError("joint features need a backbone with a text encoder", where=backbone.name)
    feed = feed or Feed(backbone.input)
    if backbone.stored is not None:
        feed.require_own_input(backbone)
        return backbone.stored.images(manifest, what)
    module = backbone.text_method if what == "joint" else backbone.image_encoder
    key = {
        "backbone": backbone.identity,
        "images": manifest.fingerprint(),
        **feed.key(),
        "what": what,
        "versions": feature_versions(manifest),
    }

    if stored != "float32":
        key["stored"] = stored

    def batches(done: int = 0, manifest: Manifest = manifest) -> Iterator[np.ndarray]:
        encode = backbone.text_method.encode_image if what == "joint" else backbone.image_encoder
        left = manifest.select(np.arange(done, len(manifest))) if done else manifest
        with evaluating(module, context.device):
            for images, _ in image_batches(left, feed, context, f"{backbone.name} on {manifest.name}"):
                yield _checked(features_of(encode(images)).global_.float().cpu().numpy(), stored, backbone)

    if context.rehearsal is not None:
        rows = context.rehearsal.rows(len(manifest))
        with context.rehearsal.timed("features", "forward", len(rows), len(manifest), once=name_of(key)):
            some = together(batches(manifest=manifest.select(rows)), len(rows))
        return some[repeated(len(manifest), len(rows))]
    return cached_rows(context, "features", key, len(manifest), batches, source_of(module), stored)


def _checked(batch: np.ndarray, stored: str, backbone: Backbone) -> np.ndarray:
    """Return a batch in the type in which it is stored; its features must be finite before and after."""
    if not np.isfinite(batch).all():
        raise BenchError("features are not finite", where=backbone.name, fix="check the weights")
    with np.errstate(over="ignore"):
        kept = batch.astype(stored, copy=False)
    if not np.isfinite(kept).all():
        what = f"a feature of {np.abs(batch).max():g} is beyond {stored}"
        raise BenchError(what, where=backbone.name, fix="store features as float32, which is the default")
    return kept


def image_batches(
    manifest: Manifest, feed: Feed, context: RunContext, what: str
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield all images in order: ([B, C, S, S] on the context's device, row numbers [B]); show progress."""
    cuda = context.device.startswith("cuda")
    transform, change = eval_transform(feed.input, feed.steps), None
    if feed.condition:
        side = max(SIDE, transform.scale_to or transform.resize)
        change = partial(corrupt, condition=feed.condition, side=side)
        what = f"{what}, {feed.condition}"
    loader = DataLoader(
        ImageDataset(manifest, transform, change),
        batch_size=128 if cuda else 32,
        num_workers=context.workers,
        pin_memory=cuda,
    )
    for images, rows in progress(loader, what):
        yield images.to(context.device, non_blocking=True), rows


@contextmanager
def evaluating(module: nn.Module | Method, device: str) -> Iterator[None]:
    """Put a module on ``device`` and in evaluation mode, without gradients; restore its modes afterwards."""
    modes = {part: part.training for part in module.modules()}
    module.to(device).eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for part, mode in modes.items():
            part.training = mode


def feature_versions(manifest: Manifest) -> dict[str, int]:
    """Declared versions, for keys, of the code between image files and features, except the backbone's."""
    return raised({**machinery(("images", "eval_transform", "features")), **manifest.versions})


def source_of(module: nn.Module | Method) -> str:
    """Hash of the source that turns image files into this module's features; provenance, not part of keys."""
    return code_version(*used_modules(__name__), *used_modules(type(module).__module__))
