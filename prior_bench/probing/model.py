"""A classifier as an mmengine model: a backbone (or its features) and a linear head."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor, BaseModel
from torch import Tensor, nn
from torch.nn import functional as F

from prior_bench.api.encoders import features_of
from prior_bench.errors import unknown_name
from prior_bench.shares.rows import whole

NORMS = {"layer": nn.LayerNorm, "batch": nn.BatchNorm1d}
"""Normalisations before the linear layer (``layer``: BenchX, ``batch``: LoVT)."""

INITS = ("default", "truncated_normal", "near_zero")
"""Initialisations of the linear layer: torch's default; weights with a standard deviation of 0.02 and zero
bias; or weights with a standard deviation of 2e-5 and torch's default bias (BenchX)."""


class Stack(BaseDataPreprocessor):
    """Data preprocessor that stacks samples into batches on the model's device."""

    _empty: dict[str, Tensor] | None = None

    def forward(self, data: dict[str, Any] | None, training: bool = False) -> dict[str, Tensor]:
        """Stack ``inputs`` and ``target``, each a list of B tensors; None is an empty share of a batch."""
        if data is None:
            assert self._empty is not None, "the first share of a round is not empty"
            return self._empty
        batch = self.cast_data({key: torch.stack(values) for key, values in data.items()})
        self._empty = {key: values[:0].clone() for key, values in batch.items()}
        return batch


class Classifier(BaseModel):
    """A backbone and a linear head, with the loss for the kind of labels.

    Args:
        backbone: image encoder, or None if ``inputs`` are features [B, D].
        dim: D, the number of channels of the features.
        classes: number of classes.
        exclusive: whether the loss is cross-entropy over the classes; otherwise it is binary cross-entropy
            over the known labels.
        frozen: ``backbone``: whether its weights are fixed; ``batch_norm``: whether its BatchNorm statistics
            are fixed.
        head: ``norm`` (one of NORMS, or None) and its ``eps``, ``dropout``, ``init`` (one of INITS), and
            ``two_outputs``: whether a single label has two outputs and cross-entropy, as BenchX does it.
    """

    def __init__(
        self,
        backbone: nn.Module | None,
        dim: int,
        classes: int,
        *,
        exclusive: bool,
        frozen: dict[str, bool],
        head: dict[str, Any],
    ):
        super().__init__(data_preprocessor=Stack())
        self.exclusive = exclusive
        self.frozen = frozen["backbone"]
        self.still = frozen["batch_norm"]
        self.backbone = backbone
        if backbone is not None and self.frozen:
            backbone.requires_grad_(False)
        head = dict(head)
        self.paired = head.pop("two_outputs", False) and classes == 1 and not exclusive
        self.head = linear_head(dim, 2 if self.paired else classes, **head)

    def forward(self, inputs: Tensor, target: Tensor, mode: str = "tensor") -> Any:
        """Return logits [B, C] (``tensor``), ``{"loss": …}`` (``loss``) or one dict per image (``predict``).

        A single label with two outputs has logits [B, 2].

        Args:
            inputs: images [B, C, S, S] or features [B, D].
            target: [B, C]; 1, 0, or NaN for unknown.
        """
        if self.backbone is None:
            features = inputs
        else:
            with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
                features = features_of(self.backbone(inputs)).global_
        logits = self.head(features.float())
        if mode == "tensor":
            return logits
        loss = (paired_loss if self.paired else self._loss)(whole(logits), whole(target))
        if mode == "loss":
            return {"loss": loss}
        if self.paired:
            score = logits.softmax(1)[:, 1:]
        else:
            score = logits.softmax(1) if self.exclusive else logits.sigmoid()
        return [{"score": one, "loss": loss} for one in score.float().cpu().numpy()]

    def _loss(self, logits: Tensor, target: Tensor) -> Tensor:
        return classification_loss(logits, target, exclusive=self.exclusive)

    def train(self, mode: bool = True) -> Classifier:
        """Switch to training mode; BatchNorm with fixed statistics stays in evaluation mode."""
        super().train(mode)
        if mode and self.backbone is not None:
            if self.frozen and self.still:
                self.backbone.eval()
            elif self.still:
                for module in self.backbone.modules():
                    if isinstance(module, nn.modules.batchnorm._BatchNorm):
                        module.eval()
        return self


def linear_head(
    dim: int,
    classes: int,
    norm: str | None = None,
    dropout: float = 0.0,
    init: str = "default",
    eps: float | None = None,
) -> nn.Sequential:
    """A linear layer, optionally preceded by normalisation (with ``eps``, or torch's default) and dropout.

    Raises:
        BenchError: ``norm`` or ``init`` is unknown.
    """
    layers: list[nn.Module] = []
    if norm is not None and norm not in NORMS:
        raise unknown_name("norm", norm, list(NORMS), where="head")
    if init not in INITS:
        raise unknown_name("init", init, list(INITS), where="head")
    if norm is not None:
        layers.append(NORMS[norm](dim, **({} if eps is None else {"eps": eps})))
    if dropout:
        layers.append(nn.Dropout(dropout))
    linear = nn.Linear(dim, classes)
    if init == "truncated_normal":
        nn.init.trunc_normal_(linear.weight, std=0.02)
        nn.init.zeros_(linear.bias)
    elif init == "near_zero":
        nn.init.trunc_normal_(linear.weight, std=2e-5)
    return nn.Sequential(*layers, linear)


def classification_loss(logits: Tensor, target: Tensor, *, exclusive: bool) -> Tensor:
    """The mean loss of a batch.

    Args:
        logits: [B, C].
        target: [B, C]; exclusive labels have one 1 per row; others are 1, 0, or NaN, which does not count.
    """
    if exclusive:
        return F.cross_entropy(logits, target.argmax(1))
    known = ~target.isnan()
    losses = F.binary_cross_entropy_with_logits(logits, target.nan_to_num(), reduction="none")
    return (losses * known).sum() / known.sum().clamp(min=1)


def paired_loss(logits: Tensor, target: Tensor) -> Tensor:
    """The mean cross-entropy of a batch with a single label that has an output for each of its values.

    Args:
        logits: [B, 2], of absent and present.
        target: [B, 1]; 1, 0, or NaN for unknown, which does not count.
    """
    known = ~target[:, 0].isnan()
    losses = F.cross_entropy(logits, target[:, 0].nan_to_num().long(), reduction="none")
    return (losses * known).sum() / known.sum().clamp(min=1)
