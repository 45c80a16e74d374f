"""The schema of the arguments of image and text encoders in pre-training configs.

A test compares them with the constructors in :mod:`prior_bench.encoders`. Nothing here imports torch.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from prior_bench.schema.base import LEFT_OUT, Count, Dropout, Index, Problems, Said, Strict, Text
from prior_bench.schema.transforms import InputChange


class TextModelSection(Strict):
    """The model of a text encoder with random weights. Further keys are those of its transformers config."""

    model_config = ConfigDict(extra="allow")

    model_type: Text = "bert"
    """Type of the model in transformers."""
    hidden_size: Count = LEFT_OUT
    """Width of the model, a multiple of the number of heads."""
    num_hidden_layers: Count = LEFT_OUT
    """Number of layers."""
    num_attention_heads: Count = LEFT_OUT
    """Number of heads per layer."""
    intermediate_size: Count = LEFT_OUT
    """Width of the feed-forward layers."""
    hidden_dropout_prob: Dropout = LEFT_OUT
    """Dropout of the layers."""
    attention_probs_dropout_prob: Dropout = LEFT_OUT
    """Dropout of the attention."""
    max_position_embeddings: Count = LEFT_OUT
    """Longest text in tokens."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        problems, width, heads = Problems(), self.hidden_size, self.num_attention_heads
        if width and heads and width % heads:
            what = f"is {width}; must be a multiple of num_attention_heads, which is {heads}"
            problems.add("hidden_size", width, what)
        problems.raise_any()
        return self


class ImageEncoderSection(Strict):
    """A timm model; defaults are those of :class:`prior_bench.encoders.image.ImageEncoder` or the method."""

    model_name: Text = "resnet50"
    """Name in timm."""
    in_channels: Literal[1, 3] = 3
    """Number of channels of the input."""
    pretrained: Annotated[bool | Text, Said("true, false or the path of a weights file")] = False
    """Whether to start with timm's own weights, or the path of a weights file to start with."""
    pool: Literal["avg", "attention", "first"] = "avg"
    """The model's own pooling, or attention pooling of the last map."""
    local_stage: int = -1
    """Index of the stage that gives the local features; negative indices count from the last stage."""
    model_args: dict[str, Any] | None = None
    """Further arguments of ``timm.create_model``."""
    input: InputChange | None = None
    """Input of the encoder; missing keys come from the pre-trained weights."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        problems, channels = Problems(), self.input.channels if self.input else None
        if channels and channels != self.in_channels:
            what = f"is {channels}; must be in_channels, which is {self.in_channels}"
            problems.add("input.channels", channels, what)
        problems.raise_any()
        return self


class TextEncoderSection(Strict):
    """A BERT-type model; defaults are those of :class:`prior_bench.encoders.text.TextEncoder` or the
    method."""

    name: Text | None = None
    """Name on the hub or a local folder."""
    config: TextModelSection | None = None
    """Config of a model with random weights, instead of ``name``."""
    tokenizer: Text | None = None
    """JSON of a tokenizer; with ``config``, a tokenizer is trained on the corpus by default."""
    max_tokens: Annotated[int, Field(ge=3)] = 256
    """Longest text in tokens, including [CLS] and [SEP]."""
    pool: Literal["cls", "mean", "max"] = "mean"
    """First token, or mean or maximum over all tokens except padding."""
    num_hidden_layers: Count | None = None
    """Number of first layers to keep; default: all."""
    frozen_layers: Index = 0
    """Number of first layers that are not trained, together with the embeddings; 0 trains everything."""
    last_layers: Count = 1
    """Number of last layers whose outputs are summed."""
    attentions: bool = False
    """Whether to return attention maps."""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        problems = Problems()
        if (self.name is None) == (self.config is None):
            what = "give either 'name' (hub or folder) or 'config' (random weights)"
            fix = "to use the name alone: --set method.text_encoder.config=none" if self.name else ""
            problems.add("name", self.name, what, fix)
        longest = self.config.max_position_embeddings if self.config else None
        if longest and longest < self.max_tokens:
            what = f"is {self.max_tokens}, but the model has {longest} positions"
            problems.add("max_tokens", self.max_tokens, what)
        problems.raise_any()
        return self
