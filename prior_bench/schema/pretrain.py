"""The schema of pre-training configs (``configs/pretrain``).

Arguments of a method or hook are those of its constructor and are checked by its signature
(:mod:`prior_bench.schema.arguments`). This module has the keys that all methods share.
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
from prior_bench.schema.duration import Duration
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
    """Check a dict; the method's signature decides about other values."""
    return check(value) if isinstance(value, dict) else value


class MethodSection(Strict):
    """A method. Further keys are the arguments of its class."""

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
    """Split rule of the data set."""
    splits: Annotated[Distinct[Text], Field(min_length=1)] = ("train",)
    """Splits that are used for training."""
    text: Literal["random_sentence", "random_sentences", "report", "shuffled_sentences"] = "report"
    """Part of a report that is used, drawn again in each epoch."""
    min_sentences: Index = 1
    """Reports with fewer sentences are left out."""
    min_words: Index = 1
    """Reports with fewer words are left out."""
    min_sentence_words: Index = 1
    """Sentences with fewer words are left out before sentences and words are counted."""
    transform: TrainSteps = TrainSteps()
    """Steps of augmentation, in the given order."""
    cache: Literal["memory"] | None = None
    """``memory`` keeps all images in memory, decoded and reduced to 1.25 times the input size."""
    shard_window: Annotated[Count | None, Said("None or a number of shards")] = None
    """Number of shards of the image cache that are mixed at a time; none mixes all images."""

    @model_validator(mode="after")
    def _window_has_shards(self) -> Self:
        problems, window = Problems(), self.shard_window
        if window is not None and self.cache == "memory":
            what = "reads from disk, but data.cache='memory' keeps images in memory: set only one of them"
            problems.add("shard_window", window, what)
        elif window is not None and not (isinstance(self.dataset, dict) and self.dataset.get("cache")):
            what = "needs an image cache, but the data set has none"
            fix = "make one (prior-bench data cache REF --size N); set data.dataset=dict(type=..., cache=N)"
            problems.add("shard_window", window, what, fix)
        problems.raise_any()
        return self


class OptimizerSection(Strict):
    """A torch optimiser. Biases and normalisation layers have no weight decay."""

    type: Annotated[str, OneOf("optimizer", ADAM_LIKE)] = "AdamW"
    """Class in ``torch.optim`` that takes ``betas``."""
    lr: Positive = 1e-4
    """Peak learning rate."""
    weight_decay: NotNegative = 1e-6
    """Weight decay."""
    betas: Pair[Beta] = (0.9, 0.999)
    """Decay rates of the moments."""
    lr_scale: dict[Text, NotNegative] = {}
    """Factors of the learning rate for parameters whose names start with the key."""


class StageSection(Strict):
    """A stage of training: linear warm-up, then half a cosine, updated in each step."""

    epochs: Count
    """Passes over the data."""
    warmup_epochs: NotNegative = 0.0
    """Epochs of linear warm-up, fewer than ``epochs``; fractions are allowed."""
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
    """One or several stages. Learning rate and optimiser state are reset at the start of each."""

    epochs: Count = LEFT_OUT
    """Passes over the data; like all other keys except ``stages``, only for a single stage."""
    stages: Several[StageSection] = ()
    """Stages of a run with several."""

    @model_validator(mode="after")
    def _one_or_several(self) -> Self:
        problems, others = Problems(), self.model_fields_set - {"stages"}
        if self.stages and others:
            what = "cannot be combined with keys of a single stage, such as 'epochs'"
            problems.add("stages", self.stages, what)
        if not self.stages and "epochs" not in others:
            problems.add("epochs", None, "must be given, unless there are stages")
        problems.raise_any()
        return self


class HookSection(Strict):
    """An mmengine hook. Further keys are the arguments of its class."""

    model_config = ConfigDict(extra="allow")

    type: Text
    """Name of a registered hook, or its class as ``module.Class``."""


class ValidationSection(Strict):
    """Validation while training, on patients of the data set's validation split, who are never trained on.

    It changes no weights. Without held-out patients there is none, and a line says why.
    """

    interval: Count = 2
    """Epochs between two validations; the last epoch of every stage is always validated."""
    pairs: Annotated[int, AfterValidator(_at_least_a_pair)] = 256
    """Most image-report pairs, one per study; at least 2, as a pair needs a negative."""
    seed: Index = 0
    """Draws the pairs where there are more; the same for all runs, whatever their own seed."""
    prompts: Text | None = None
    """Prompt set for zero-shot AUROC and accuracy on the same images: a shipped one or a .json file."""
    choose: (
        Literal["recall_at_1", "recall_at_5", "recall_at_10", "median_rank", "auroc", "accuracy"] | None
    ) = None
    """Metric that chooses an epoch of the last stage, whose weights are kept; none keeps the last epoch's."""

    @model_validator(mode="after")
    def _prompts_for_labels(self) -> Self:
        problems = Problems()
        if self.choose in ("auroc", "accuracy") and self.prompts is None:
            what = f"is {self.choose!r}, which needs a prompt set"
            problems.add("choose", self.choose, what, "set validation.prompts, e.g. 'sample'")
        problems.raise_any()
        return self


class PretrainFile(Strict):
    """Everything that determines a pre-training run, except the seed."""

    method: MethodSection
    """Method and its arguments."""
    data: DataSection
    """Image-report pairs."""
    schedule: ScheduleSection
    """Length of the run, and course of the learning rate."""
    batch_size: Annotated[int, AfterValidator(_at_least_a_pair)]
    """Number of pairs per step over all processes; at least 2, because a pair needs a negative."""
    optimizer: OptimizerSection = OptimizerSection()
    """Optimiser."""
    vocab_size: Count = 4000
    """Size of the vocabulary that is trained on the corpus if the text encoder is made from a config."""
    clip_grad: Positive | None = None
    """Largest norm of the gradient."""
    precision: Literal["float32", "float16", "bfloat16", "auto"] = "float16"
    """Precision of the forward pass on a GPU; ``auto`` is bfloat16 where the GPU has it, otherwise float16.
    The CPU always computes in float32."""
    tf32: Literal["none", "convolutions", "all"] = "convolutions"
    """Where a GPU may round float32 to TF32: nowhere, in convolutions (as torch does), or in products too."""
    cudnn_benchmark: bool = False
    """Whether cuDNN tries its algorithms on a GPU and takes the fastest, which may differ from run to run."""
    compile: bool = False
    """Whether ``torch.compile`` makes kernels for both encoders on a GPU."""
    sync_batch_norm: bool = False
    """Whether BatchNorm statistics are computed over all GPUs."""
    find_unused_parameters: bool = False
    """Must be true for methods that do not use all parameters in every step."""
    hooks: Annotated[Several[HookSection], BeforeValidator(_not_a_single_one)] = ()
    """Further mmengine hooks, e.g. those that a method needs in its stages."""
    keep_checkpoints: Count = 2
    """Number of epochs whose states are kept during training, for resuming."""
    save_every: Duration | None = "10min"
    """Time between two states within an epoch, such as ``30s`` or ``1h``; none saves on request alone."""
    validation: ValidationSection | None = ValidationSection()
    """Validation on held-out pre-training patients; none switches it off."""
    gpus: Count = 1
    """Number of GPUs that the run takes in a suite with ``--gpus``; elsewhere, it takes those it is given."""
    log: Distinct[Literal["tensorboard", "wandb"]] = ()
    """Logs in addition to the log file and ``history.json``."""
    name: str = ""
    """Name of the config; default: the name of the file."""

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
