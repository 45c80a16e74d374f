"""A method as an mmengine model, and the function that builds a method from a config."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, cast

import torch
from mmengine.model import BaseDataPreprocessor, BaseModel
from torch import Tensor

from prior_bench.api import Method, PretrainBatch, TextBatch
from prior_bench.checkpoints.recognise import load_image_weights
from prior_bench.pretraining.config import PretrainConfig
from prior_bench.registry import METHODS


def build_method(config: PretrainConfig, corpus: list[tuple[str, ...]], seed: int) -> Method:
    """Build the untrained method of a config.

    If the text encoder has a config but no tokenizer, a tokenizer is trained on ``corpus``. If
    ``image_encoder.pretrained`` is a path, the weights of this file are loaded. All other weights depend only
    on ``seed``. The state of the global generator does not change.

    Args:
        config: config of the run.
        corpus: reports as tuples of sentences.
        seed: seed of the random weights.
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


class ToDevice(BaseDataPreprocessor):
    """Copies batches to the device while the host goes on; texts remember where they came from."""

    def __init__(self) -> None:
        super().__init__(non_blocking=True)  # safe: a loader's memory is pinned where the device is a GPU

    def cast_data(self, data: Any) -> Any:
        """Copy a batch, or a part of one."""
        if isinstance(data, TextBatch):
            return data.to(self.device, non_blocking=True)
        return super().cast_data(data)


class PretrainModel(BaseModel):
    """Model that passes batches to a method and adds up its losses.

    Args:
        method: an object that fulfils :class:`prior_bench.api.Method`.
    """

    def __init__(self, method: Any):
        super().__init__(ToDevice())
        self.method = method

    def forward(self, images: Tensor, text: TextBatch, mode: str = "loss") -> dict[str, Tensor]:
        """Compute the losses and other scalars of a batch."""
        assert mode == "loss", "pre-training has no other mode"
        return self.method.loss(PretrainBatch(images, text))

    def parse_losses(self, losses: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the sum of the losses named ``loss…``, and all values for the log."""
        total = cast(Tensor, sum(value for name, value in losses.items() if name.startswith("loss")))
        return total, OrderedDict(loss=total, **{k: v for k, v in losses.items() if k != "loss"})
