"""Schema of the arguments of image and text encoders in pre-training configs.

A test compares them with the constructors in :mod:`prior_bench.encoders`. Nothing here imports torch.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from prior_bench.schema.base import LEFT_OUT, Count, Dropout, Index, Problems, Said, Strict, Text
from prior_bench.schema.transforms import InputChange


class TextModelSection(Strict):
    """The model of a text encoder with random weights; further keys are those of its transformers config."""

    model_config = ConfigDict(extra="allow")

    model_type: Text = "bert"
    """Type of the model in transformers."""
    hidden_size: Count = LEFT_OUT
    """Width; a multiple of the number of heads."""
    num_hidden_layers: Count = LEFT_OUT
    """Layers."""
    num_attention_heads: Count = LEFT_OUT
    """Heads of each layer."""
    intermediate_size: Count = LEFT_OUT
    """Width of the feed-forward part."""
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
    """1 or 3."""
    pretrained: Annotated[bool | Text, Said("true, false or the path of a weights file")] = False
    """Whether to start from timm's own weights, or the path of a weights file to start from."""
    pool: Literal["avg", "attention"] = "avg"
    """The model's own pooling, or attention pooling of the last map."""
    local_stage: int = -1
    """Stage that gives the local features; negative numbers count from the last."""
    model_args: dict[str, Any] | None = None
    """Further arguments of ``timm.create_model``."""
    input: InputChange | None = None
    """What the encoder is fed; what is missing comes from the pre-trained weights."""

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
    """In place of ``name``: the model's config, for random weights."""
    tokenizer: Text | None = None
    """The JSON of a tokenizer; with ``config`` one is trained on the corpus where none is given."""
    max_tokens: Annotated[int, Field(ge=3)] = 256
    """Longest text, [CLS] and [SEP] included."""
    pool: Literal["cls", "mean", "max"] = "mean"
    """First token, or mean or maximum over all tokens but padding."""
    num_hidden_layers: Count | None = None
    """How many of the first layers are kept."""
    frozen_layers: Index = 0
    """How many first layers are not trained, the embeddings included; 0 trains all."""
    last_layers: Count = 1
    """How many of the last layers are summed."""
    attentions: bool = False
    """Whether attention maps are returned."""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        problems = Problems()
        if (self.name is None) == (self.config is None):
            what = "give either 'name' (hub or folder) or 'config' (random weights)"
            problems.add("name", self.name, what)
        longest = self.config.max_position_embeddings if self.config else None
        if longest and longest < self.max_tokens:
            what = f"is {self.max_tokens}, but the model has {longest} positions"
            problems.add("max_tokens", self.max_tokens, what)
        problems.raise_any()
        return self
