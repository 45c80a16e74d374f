"""Schema of pre-training configs (``configs/pretrain``).

Arguments of a method, and of hooks, are those of their constructors and are checked by their signatures
(:mod:`prior_bench.schema.arguments`); here is what all methods share.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WrapValidator, model_validator
from pydantic_core import PydanticCustomError

from prior_bench.registry import METHODS
from prior_bench.schema.base import (
    LEFT_OUT,
    Count,
    Distinct,
    Index,
    NotNegative,
    OneOf,
    Pair,
    Positive,
    Problems,
    Said,
    Several,
    Share,
    Strict,
    Text,
)
from prior_bench.schema.encoders import ImageEncoderSection, TextEncoderSection
from prior_bench.schema.protocol import ADAM_LIKE, Beta
from prior_bench.schema.suite import Reference, has_colon
from prior_bench.schema.transforms import Sized, TrainSteps


def _at_least_a_pair(value: int) -> int:
    if value < 2:
        allowed = {"allowed": "at least 2: a pair needs a negative"}
        raise PydanticCustomError("allowed", "at least 2", allowed)
    return value


def _not_a_single_one(value: Any) -> Any:
    if isinstance(value, dict):
        allowed = {"allowed": "a list of dicts (a comma after a single one)"}
        raise PydanticCustomError("allowed", "a list", allowed)
    return value


def _if_dict(value: Any, check: Callable[[Any], Any]) -> Any:
    """Check a dict; whether anything else is allowed is for the method's signature to say."""
    return check(value) if isinstance(value, dict) else value


class MethodSection(Strict):
    """A method; further keys are the arguments of its class."""

    model_config = ConfigDict(extra="allow")

    type: Annotated[str, OneOf("method", METHODS.names, listed="prior-bench list methods", accepts=has_colon)]
    """Name of the method."""
    image_encoder: Annotated[ImageEncoderSection, WrapValidator(_if_dict)] = LEFT_OUT
    """Image encoder."""
    text_encoder: Annotated[TextEncoderSection, WrapValidator(_if_dict)] = LEFT_OUT
    """Text encoder."""


class DataSection(Strict):
    """Image-report pairs, one per study."""

    dataset: Reference
    """Data reference: a name, ``NAME@DIR``, ``sample:NAME``, a file, or a dict with ``type`` and options."""
    split_rule: Text = "default"
    """Rule by which the data set is split."""
    splits: Annotated[Distinct[Text], Field(min_length=1)] = ("train",)
    """Splits that are trained on."""
    text: Literal["random_sentence", "random_sentences", "report", "shuffled_sentences"] = "report"
    """What is fed of a report, drawn again in each epoch."""
    min_sentences: Index = 1
    """Reports of fewer sentences are left out."""
    min_words: Index = 1
    """Reports of fewer words are left out."""
    min_sentence_words: Index = 1
    """Sentences of fewer words are left out, before the reports are counted."""
    transform: TrainSteps = TrainSteps()
    """Steps of augmentation, in the order given."""
    cache: Literal["memory"] | None = None
    """``memory`` keeps all images decoded, reduced to a quarter above the input size."""
    shard_window: Annotated[Count | None, Said("None or a number of shards")] = None
    """How many shards of the image cache are mixed at a time; none draws any image at any time."""

    @model_validator(mode="after")
    def _window_has_shards(self) -> Self:
        problems, window = Problems(), self.shard_window
        if window is not None and self.cache == "memory":
            what = "reads from disk what data.cache='memory' keeps: say one of them"
            problems.add("shard_window", window, what)
        elif window is not None and not (isinstance(self.dataset, dict) and self.dataset.get("cache")):
            what = "reads an image cache, and the data set names none"
            fix = "make one (prior-bench data cache REF --size N); set data.dataset=dict(type=..., cache=N)"
            problems.add("shard_window", window, what, fix)
        problems.raise_any()
        return self


class OptimizerSection(Strict):
    """A torch optimiser; biases and normalisation layers are never decayed."""

    type: Annotated[str, OneOf("optimizer", ADAM_LIKE)] = "AdamW"
    """Class in ``torch.optim`` that takes ``betas``."""
    lr: Positive = 1e-4
    """Peak learning rate."""
    weight_decay: NotNegative = 1e-6
    """Weight decay."""
    betas: Pair[Beta] = (0.9, 0.999)
    """Decay rates of the moments."""
    lr_scale: dict[Text, NotNegative] = {}
    """Factors for parameters whose name starts with the key."""


class StageSection(Strict):
    """Linear warm-up, then a half cosine, per step."""

    epochs: Count
    """Passes over the data."""
    warmup_epochs: NotNegative = 0.0
    """Epochs of linear warm-up, fewer than ``epochs``; may be a fraction."""
    warmup_factor: Share = 0.01
    """Learning rate at the first step, as a share of the peak."""
    final_factor: NotNegative = 0.0
    """Learning rate at the last step, as a share of the peak."""
    lr_factor: Positive = 1.0
    """The peak, as a share of the optimiser's ``lr``."""

    @model_validator(mode="after")
    def _warm_up_ends(self) -> Self:
        problems = Problems()
        if self.epochs and self.warmup_epochs >= self.epochs:
            what = f"is {self.warmup_epochs}; must be below epochs, which is {self.epochs}"
            problems.add("warmup_epochs", self.warmup_epochs, what)
        problems.raise_any()
        return self


class ScheduleSection(StageSection):
    """One stage, or several after one another; at each, the rate and the optimiser's memory start again."""

    epochs: Count = LEFT_OUT
    """Passes over the data, where there is one stage; as all other keys but ``stages``."""
    stages: Several[StageSection] = ()
    """The stages of a run that has several."""

    @model_validator(mode="after")
    def _one_or_several(self) -> Self:
        problems, others = Problems(), self.model_fields_set - {"stages"}
        if self.stages and others:
            what = "must say either 'stages', or 'epochs' and the like of a single one"
            problems.add("stages", self.stages, what)
        if not self.stages and "epochs" not in others:
            problems.add("epochs", None, "must be given, or stages")
        problems.raise_any()
        return self


class HookSection(Strict):
    """An mmengine hook; further keys are the arguments of its class."""

    model_config = ConfigDict(extra="allow")

    type: Text
    """A registered hook, or the place of its class: ``module.Class``."""


class PretrainFile(Strict):
    """All that determines a pre-training run, except the seed."""

    method: MethodSection
    """Method and its arguments."""
    data: DataSection
    """Image-report pairs."""
    schedule: ScheduleSection
    """How long the run trains, and at which learning rate."""
    batch_size: Annotated[int, AfterValidator(_at_least_a_pair)]
    """Pairs in a step, over all processes together; at least 2, as a pair needs a negative."""
    optimizer: OptimizerSection = OptimizerSection()
    """Optimiser."""
    vocab_size: Count = 4000
    """Entries of the tokenizer trained on the corpus, where the text encoder is made from a config."""
    clip_grad: Positive | None = None
    """Largest norm of the gradient."""
    precision: Literal["float32", "float16", "bfloat16"] = "float16"
    """Precision of the forward pass on a GPU; the CPU always computes in float32."""
    sync_batch_norm: bool = False
    """Batch statistics over all GPUs."""
    find_unused_parameters: bool = False
    """Needed by methods that do not use all parameters in every step."""
    hooks: Annotated[Several[HookSection], BeforeValidator(_not_a_single_one)] = ()
    """Further mmengine hooks, such as those that a method needs in its stages."""
    keep_checkpoints: Count = 2
    """How many epochs' states are kept while training, for resuming."""
    log: Distinct[Literal["tensorboard", "wandb"]] = ()
    """Logs besides the log file and ``history.json``."""
    name: str = ""
    """Name; default: that of the file."""

    @model_validator(mode="after")
    def _crops_fit(self) -> Self:
        problems, encoder, resize = Problems(), self.method.image_encoder, self.data.transform.Resize
        given = encoder.input if isinstance(encoder, ImageEncoderSection) else None
        pixels: Any = resize.size if isinstance(resize, Sized) else resize
        pixels = pixels["size"] if isinstance(pixels, dict) else pixels
        if pixels and given and given.size and pixels < given.size:
            what = f"is {pixels}; must be at least method.image_encoder.input.size, which is {given.size}"
            problems.add("data.transform.Resize", pixels, what)
        problems.raise_any()
        return self
