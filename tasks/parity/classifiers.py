"""Ingredients of classification: head, frozen parts, loss, optimiser, metric."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from prior_bench.api import Backbone, Protocol
from prior_bench.metrics.classification import best_f1_thresholds
from prior_bench.openmmlab.quiet import quiet
from prior_bench.probing.enlarged import side_for, with_enlargement
from prior_bench.probing.gradient import classifier
from prior_bench.probing.model import Classifier
from prior_bench.protocol_parity.ingredients import Values

from ..classification import Classification
from . import optimisers
from .planted import planted, planted_labels
from .toy_encoder import WIDTH, ToyEncoder

DRAWS = 200
"""Heads that are made to measure how their weights are drawn."""


def head(protocol: Protocol, given: Values) -> Values:
    """Return layers, shapes and start of the head.

    Args:
        given: ``features``, their number; ``labels`` and whether they are ``exclusive``.

    Returns:
        ``layers``, the kinds of layers with weights; ``shapes``; ``norm_eps`` (None without normalisation);
        ``dropout``; ``weight_deviation`` and ``bias_deviation`` over 200 draws.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = [_classifier(protocol, given, None) for _ in range(DRAWS)]
    first, linears = made[0].head, [_linear(one) for one in made]
    norms = [layer for layer in first if isinstance(layer, nn.LayerNorm | nn.BatchNorm1d)]
    return {
        "layers": [type(layer).__name__ for layer in first if list(layer.parameters())],
        "shapes": [list(parameter.shape) for parameter in first.parameters()],
        "norm_eps": norms[0].eps if norms else None,
        "dropout": sum(layer.p for layer in first if isinstance(layer, nn.Dropout)),
        "weight_deviation": float(torch.cat([one.weight.detach().flatten() for one in linears]).std()),
        "bias_deviation": float(torch.cat([one.bias.detach() for one in linears]).std()),
    }


def enlargement(protocol: Protocol, given: Values) -> Values:
    """Return what the first layer of a convolutional network sees of planted images.

    Args:
        given: ``size`` of the images; the ``places`` [row, column] that are looked at; ``pretrained``, the
            sides to which the methods of some networks enlarge images (None: they do not).

    Returns:
        For each of these networks, ``size``, the side of the enlarged image, and ``values``, by image and
        channel, at the places.
    """
    seen: list[Tensor] = []
    for side in given["pretrained"]:
        toy = ToyEncoder()
        toy.convolution.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
        method: Any = SimpleNamespace(upsample=side)
        made = Backbone("toy", toy, method, toy.input, "")
        encoder = with_enlargement(toy, side_for(made, protocol.options.get("enlarge")))
        with torch.no_grad():
            encoder(planted(2, 3, given["size"], given["size"]))
    rows, columns = zip(*given["places"], strict=True)
    return {
        "size": [images.shape[-1] for images in seen],
        "values": [images.flatten(0, 1)[:, rows, columns].tolist() for images in seen],
    }


def frozen_parts(protocol: Protocol, given: Values) -> Values:
    """Return what has a gradient, and BatchNorm's statistics, after one step of training.

    Args:
        given: ``labels``, whether they are ``exclusive``, and the number of ``images``.

    Returns:
        ``trained``, the parts with a gradient; ``mean`` and ``variance`` of BatchNorm.
    """
    model = _classifier(protocol, given, ToyEncoder()).train()
    images = planted(given["images"], 3, 8, 8)
    _loss(model, images, _labels(given)).backward()
    assert isinstance(model.backbone, ToyEncoder)
    parts = {"backbone": model.backbone, "head": model.head}
    norm = model.backbone.norm
    return {
        "trained": [
            name for name, part in parts.items() if any(p.grad is not None for p in part.parameters())
        ],
        "mean": _list(norm.running_mean),
        "variance": _list(norm.running_var),
    }


def loss(protocol: Protocol, given: Values) -> Values:
    """Return the loss of a planted batch of features, and its gradient at the linear layer.

    Args:
        given: ``features``, ``labels``, ``exclusive``, number of ``images``, and ``scale`` of the features.
    """
    model = _classifier(protocol, given, None).train()
    linear = _linear(model)
    linear.weight.data = planted(*linear.weight.shape, start=2.0)
    linear.bias.data = planted(*linear.bias.shape, start=3.0)
    features = planted(given["images"], given["features"], scale=given["scale"])
    value = _loss(model, features, _labels(given))
    value.backward()
    return {
        "loss": value.item(),
        "gradient": _list(linear.weight.grad),
        "gradient of the bias": _list(linear.bias.grad),
    }


def optimiser(protocol: Protocol, given: Values) -> Values:
    """Return the optimiser of a classifier; see :func:`tasks.parity.optimisers.optimiser`.

    Args:
        given: ``labels`` and whether they are ``exclusive``.
    """
    return optimisers.optimiser(_classifier(protocol, given, ToyEncoder()), protocol)


def metric(protocol: Protocol, given: Values) -> Values:
    """Return metrics of planted logits.

    Args:
        given: ``labels``, ``exclusive``, number of ``images``; ``metrics``, their names.
    """
    with torch.no_grad():
        model = _classifier(protocol, {**given, "features": 1}, None).eval()
        target = _labels(given)
        width = _linear(model).out_features
        wanted = target if width == target.shape[1] else torch.cat([1 - target, target], 1)
        logits = planted(given["images"], width, start=0.8, scale=2.0) + wanted
        model.head = nn.Identity()
        said = model(logits, target, mode="predict")
    score = np.stack([one["score"] for one in said])
    predictions = {
        "score": score,
        "target": target.numpy(),
        "meta_classes": np.array([f"class {place}" for place in range(target.shape[1])]),
        "meta_exclusive": np.array(given["exclusive"]),
        "meta_thresholds": best_f1_thresholds(score, target.numpy()),
    }
    return Classification().score(predictions, tuple(given["metrics"]))


def _classifier(protocol: Protocol, given: Values, encoder: ToyEncoder | None) -> Classifier:
    with quiet():
        return classifier(
            encoder,
            given.get("features", WIDTH),
            given["labels"],
            exclusive=given["exclusive"],
            protocol=protocol,
        )


def _linear(model: Classifier) -> nn.Linear:
    last = model.head[-1]
    assert isinstance(last, nn.Linear)
    return last


def _labels(given: Values) -> Tensor:
    return planted_labels(given["images"], given["labels"], given["exclusive"])


def _loss(model: Classifier, inputs: Tensor, target: Tensor) -> Tensor:
    value: Tensor = model(inputs, target, mode="loss")["loss"]
    return value


def _list(tensor: Tensor | None) -> list:
    assert tensor is not None
    return [float(f"{value:.6g}") for value in tensor.flatten().tolist()]
