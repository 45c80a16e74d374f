"""A Method as an mmengine model, and how one is built from a config."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, cast

import torch
from mmengine.model import BaseModel
from torch import Tensor

from prior_bench.api import Method, PretrainBatch, TextBatch
from prior_bench.checkpoints.recognise import load_image_weights
from prior_bench.pretraining.config import PretrainConfig
from prior_bench.registry import METHODS


def build_method(config: PretrainConfig, corpus: list[tuple[str, ...]], seed: int) -> Method:
    """The untrained method of a config.

    Where the text encoder is made from a config, its tokenizer is trained on ``corpus``. Where
    ``image_encoder.pretrained`` is a path, that file's weights are loaded. All other weights depend on
    ``seed`` alone; the global generator is left as it was.

    Args:
        corpus: reports as tuples of sentences.
        seed: of the random weights.
    """
    from prior_bench.encoders.tokenizer import ReportTokenizer

    method = dict(config.method)
    text = dict(method.get("text_encoder", {}))
    if text.get("config") is not None and text.get("tokenizer") is None:
        text["tokenizer"] = ReportTokenizer.train(corpus, config.vocab_size, text.get("max_tokens", 256))
        method["text_encoder"] = text
    image = dict(method.get("image_encoder", {}))
    file = image.pop("pretrained") if isinstance(image.get("pretrained"), str) else None
    if file is not None:
        method["image_encoder"] = image
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        built = METHODS.build(method)
    if file is not None:
        load_image_weights(built.image_encoder, file)
    return built


class PretrainModel(BaseModel):
    """Hands batches to a method and sums its losses.

    Args:
        method: fulfils :class:`prior_bench.api.Method`.
    """

    def __init__(self, method: Any):
        super().__init__()
        self.method = method

    def forward(self, images: Tensor, text: TextBatch, mode: str = "loss") -> dict[str, Tensor]:
        """Losses and other scalars of a batch."""
        assert mode == "loss", "pre-training has no other mode"
        return self.method.loss(PretrainBatch(images, text))

    def parse_losses(self, losses: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """The sum of those named ``loss…``, and everything for the log."""
        total = cast(Tensor, sum(value for name, value in losses.items() if name.startswith("loss")))
        return total, OrderedDict(loss=total, **{k: v for k, v in losses.items() if k != "loss"})
