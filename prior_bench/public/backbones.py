"""``prior_bench.load_backbone``: load weights from any source, for use or evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prior_bench import paths
from prior_bench.api import Backbone, BackboneSource, LoadContext
from prior_bench.backbones.reference import backbone_row
from prior_bench.runtime import pick_device, seed_everything
from prior_bench.suites.leakage import exposure_of
from prior_bench.suites.resolve import make_source


def load_backbone(
    what: str | Path | Mapping[str, Any],
    *,
    tokenizer: str | Path | None = None,
    image_encoder: str | None = None,
    input: Mapping[str, Any] | None = None,
    pool: str | None = None,
    remote_code: str | None = None,
    text_encoder: str | Path | None = None,
    method: str | None = None,
    allow_nonfinite: bool = False,
    seed: int = 0,
    device: str = "auto",
    workers: int = 0,
) -> Backbone:
    """Load a backbone; if it is given by a pre-training config, train it first.

    Args:
        what: a checkpoint file or folder (of prior-bench, a released one, or of an image encoder),
            ``"hf:ORG/NAME"`` or ``"open_clip:ORG/NAME"`` or such a model's folder, ``"timm:MODEL"``,
            ``"random:MODEL"``, ``"random:CONFIG"``, ``"embeddings:FILE"``, a pre-training config, or a row of
            a suite (a dict), which has the following arguments as keys.
        tokenizer: tokenizer of a released text encoder: a folder, a ``tokenizer.json`` or a ``vocab.txt``.
        image_encoder: timm's name of the architecture of a checkpoint file, of which only the image encoder
            is then loaded.
        input: fields of :class:`prior_bench.InputSpec` to change, e.g. ``dict(mean=0.5, std=0.25)``.
        pool: global pooling of the image encoder.
        remote_code: name of a model on the hub whose own code may be run.
        text_encoder: folder or hub name of a text encoder that is not in the file of its image encoder.
        method: name in full (``module:Class``) of the method of a checkpoint of prior-bench, to import it.
        allow_nonfinite: whether a checkpoint file with NaN or infinity in its weights is loaded;
            ``provenance["nonfinite"]`` then lists the tensors.
        seed: seed of weights that are drawn or trained.
        device: ``"auto"``, ``"cpu"`` or ``"cuda"``.
        workers: number of data loading processes, for training.

    Returns:
        A Backbone: ``image_encoder``, ``method`` (None without a text encoder), ``input`` (size, channels and
            statistics) and ``provenance``, which describes the origin of the weights. With
            ``"embeddings:FILE"``, ``stored`` has the vectors, and the encoders are placeholders.

    Raises:
        BenchError: the file or model does not exist, or the file cannot be used.

    Example:
        >>> import prior_bench as pb
        >>> backbone = pb.load_backbone("random:resnet18")
        >>> backbone.image_encoder.dim, backbone.input.size
        (512, 224)
    """
    if isinstance(what, Mapping):
        return load(backbone_source(what), seed, device, workers)
    row = backbone_row(
        str(what),
        None if tokenizer is None else str(tokenizer),
        image_encoder=image_encoder,
        input=input,
        pool=pool,
        remote_code=remote_code,
        text_encoder=None if text_encoder is None else str(text_encoder),
        method=method,
        allow_nonfinite=allow_nonfinite,
    )
    return load(backbone_source(row), seed, device, workers)


def backbone_source(
    what: str | Path | Mapping[str, Any], tokenizer: str | Path | None = None
) -> BackboneSource:
    """Return the source of the weights, checked but not loaded.

    Raises:
        BenchError: the source is unknown or cannot be used.
    """
    if isinstance(what, Mapping):
        return make_source({"name": str(what.get("type", "backbone")), **what})
    return make_source(backbone_row(str(what), None if tokenizer is None else str(tokenizer)))


def load(source: BackboneSource, seed: int = 0, device: str = "auto", workers: int = 0) -> Backbone:
    """Load the backbone of a source on a device; its provenance states its exposure.

    Args:
        source: result of :func:`backbone_source`.
        seed, device, workers: see :func:`load_backbone`.
    """
    from prior_bench.backbones.model_identity import weights_hash

    device = pick_device(device)
    seed_everything(seed)
    backbone = source.load(seed, LoadContext(device, paths.results_root() / "pretrain", workers))
    whole: Any = backbone.method if backbone.method is not None else backbone.image_encoder
    # with this hash, evaluate detects whether the caller has changed the weights
    backbone.provenance["weights"] = weights_hash(whole.to(device))
    if exposure := exposure_of(source):
        backbone.provenance["exposure"] = exposure
    return backbone
