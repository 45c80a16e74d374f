"""The subject of the checks: a method built from a pre-training config, with a few images and reports."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from prior_bench import paths
from prior_bench.api import Features, Method, PretrainBatch, TextBatch
from prior_bench.errors import BenchError
from prior_bench.pretraining.config import PretrainConfig, load_config
from prior_bench.pretraining.model import build_method
from prior_bench.registry import METHODS

REPORTS = (
    ("The heart is enlarged.", "No pleural effusion is seen."),
    ("No acute process.",),
    ("Small left pleural effusion.", "The lungs are clear.", "No pneumothorax."),
    ("Right lower lobe consolidation, which is new since the last film.", "Mild edema."),
)
"""Reports with one to three sentences; the longest is neither first nor last."""


class Subject:
    """A method with data; every call of :meth:`method` builds it again with the same weights.

    Args:
        config: pre-training config; its data and schedule are not used.
    """

    def __init__(self, config: PretrainConfig):
        self.config = config
        method = self.method()
        size, channels = method.image_encoder.input.size, method.image_encoder.input.channels
        draw = torch.Generator().manual_seed(1)
        self.images = torch.randn(len(REPORTS), channels, size, size, generator=draw)
        self.tokenizer = method.text_encoder.tokenizer
        self.text: TextBatch = self.tokenizer(list(REPORTS))

    @classmethod
    def of(cls, name: str, overrides: dict[str, Any] | None = None) -> Subject:
        """Return the subject for a method: its config for the sample benchmark, or ConVIRT's config with its
        name.

        Args:
            name: name of a method or of a shipped pre-training config, or a config file.
            overrides: dotted keys of the config to change, with their values.

        Raises:
            BenchError: the method does not exist or cannot be built.
        """
        return cls(load_config(*_config_of(name, overrides or {})))

    @property
    def random_evaluation(self) -> bool:
        """Whether the method declares that its evaluation is random by design."""
        return bool(getattr(self.method(), "random_evaluation", False))

    def method(self, training: bool = False) -> Method:
        """Build the method with weights of seed 0, in evaluation mode unless ``training``."""
        return build_method(self.config, list(REPORTS), 0).train(training)

    @property
    def batch(self) -> PretrainBatch:
        """All pairs as a batch."""
        return PretrainBatch(self.images, self.text)

    @property
    def padded(self) -> TextBatch:
        """The texts with three more columns of padding, or fewer if the encoder's limit is reached."""
        room = min(3, self.tokenizer.max_tokens - self.text.input_ids.shape[1])
        fill = (int(self.text.input_ids[self.text.attention_mask == 0][0]), 0, -1, -1)
        return TextBatch(
            *(
                torch.cat([old, old.new_full((len(old), room), value)], dim=1)
                for old, value in zip(self.text, fill, strict=True)
            )
        )


def losses(method: Method, batch: PretrainBatch) -> dict[str, Tensor]:
    """Compute the method's losses for a batch, with the same random state in every call."""
    torch.manual_seed(0)
    return method.loss(batch)


def total(values: dict[str, Tensor]) -> Tensor:
    """Sum the losses that are minimised."""
    return cast(Tensor, sum(value for name, value in values.items() if name.startswith("loss")))


@torch.no_grad()
def encode(method: Method, images: Tensor, text: TextBatch) -> tuple[Features, Features, Tensor]:
    """Compute image features, text features and similarity, with the same random state in every call."""
    torch.manual_seed(0)
    image, words = method.encode_image(images), method.encode_text(text)
    return image, words, method.similarity(image, words)


def _config_of(name: str, overrides: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the name of a config and its overrides."""
    shipped = paths.shipped("configs") / "pretrain"
    beside = Path(f"{name}_sample.py")
    if name.endswith(".py") or (shipped / f"{name}.py").is_file():
        return name, overrides
    if beside.is_file():
        return str(beside), overrides
    if (shipped / f"{name}_sample.py").is_file():
        return f"{name}_sample", overrides
    if ":" not in name and name not in METHODS.names():
        raise BenchError(
            f"no method and no config '{name}'",
            where="NAME",
            fix=f"known methods: {', '.join(METHODS.names())}; or give a config file",
        )
    return "convirt_sample", {"method.type": name, **overrides}
