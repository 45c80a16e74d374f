"""Models of protocols: keys of all protocols, blocks that tasks share, and the default model of a task.

A task's own model is its class attribute ``protocol_model``, a subclass of :class:`ProtocolModel`; the core
names no task. :class:`prior_bench.api.Protocol` has the values as written; the models check them and give
typed access::

    pooling = ZeroShotProtocol.of(protocol).options.pooling
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, cast

from pydantic import Field, WrapValidator, model_validator

from prior_bench.api import Protocol
from prior_bench.errors import BenchError, ErrorList
from prior_bench.schema.base import (
    AlwaysTrue,
    Count,
    Distinct,
    Index,
    NotNegative,
    OneOf,
    Pair,
    Positive,
    Problems,
    Several,
    Share,
    Strict,
    Text,
    as_given,
)
from prior_bench.schema.errors import attempted
from prior_bench.schema.transforms import Transform

Beta = Annotated[float, Field(ge=0, lt=1), WrapValidator(as_given)]

OPTIMIZERS = {
    "Adam": True,
    "AdamW": True,
    "Adamax": True,
    "NAdam": True,
    "RAdam": True,
    "SGD": False,
    "RMSprop": False,
    "Adagrad": False,
    "Adadelta": False,
    "ASGD": False,
}
"""Allowed optimisers of ``torch.optim``, and whether they take ``betas``. A test compares the list with
torch. It is here so that protocols are checked without importing torch."""

ADAM_LIKE = [name for name, betas in OPTIMIZERS.items() if betas]


class Split(Strict):
    """The split of the data set."""

    rule: Text = "default"
    """Name of one of the data set's rules (`prior-bench data describe NAME`)."""
    by_seed: bool = False
    """Whether the seed of the run chooses the fold or draw, for rules that have several (`prior`)."""


class FractionSampler(Strict):
    """The draw of a label fraction from the training split."""

    by: Text = "patient_id"
    """Unit of the draw: ``patient_id`` or another column of the manifest; or the draw of a paper: ``rows``,
    ``choice``, ``first``, ``first_rounded``, ``stratified_rows`` or ``listed:FOLDER``."""
    nested: bool = True
    """States whether larger fractions contain the smaller ones."""
    seed: Index | None = None
    """Seed of the draw; default: the seed of the run."""
    balanced: bool = False
    """Whether to keep all positives of the first label and as many negatives."""
    valid_share: Share | None = None
    """Share of the validation rows (the first ones) that is used for label fractions below 1."""
    always_valid_share: bool = False
    """Whether ``valid_share`` is used with all labels, too."""
    draws: Count = 1
    """Number of draws from one random stream, of which the last counts (``rows``, ``choice`` and
    ``balanced``)."""


class FewShot(Strict):
    """The draw of a few images per class; see docs/few_shot.md. Used by evaluations with ``shots`` alone."""

    draw: Literal["patients", "images"] = "patients"
    """``patients``: images of different patients within a class; ``images``: patients do not matter."""
    seed: Index | None = None
    """Seed of the draw; default: the seed of the run."""
    validation: Literal["up_to_4", "same_size", "full"] = "up_to_4"
    """Validation images per class: as many as for training, but 4 at most (CoOp); as many; or the whole
    validation split, which has far more labels than the training images."""


class Frozen(Strict):
    """The parts of the backbone that are not trained."""

    backbone: bool
    """Whether the weights are fixed."""
    batch_norm: bool
    """Whether the statistics of BatchNorm are fixed."""


class WhollyFrozen(Frozen):
    """A fully frozen backbone."""

    backbone: AlwaysTrue
    """The weights are fixed."""
    batch_norm: AlwaysTrue
    """The statistics of BatchNorm are fixed."""


class TrainingOptimizer(Strict):
    """The optimiser and the course of the learning rate."""

    type: Annotated[str, OneOf("optimizer", OPTIMIZERS)]
    """Class in ``torch.optim``."""
    lr: Positive
    """Peak learning rate."""
    weight_decay: NotNegative | None = None
    """Weight decay; default: the optimiser's own."""
    betas: Pair[Beta] | None = None
    """Decay rates of the moments; only for optimisers like Adam."""
    backbone_lr_scale: Positive | None = None
    """Factor of the learning rate for the backbone; default: 1."""
    clip: Positive | None = None
    """Largest norm of the gradient."""
    amp: bool = False
    """Whether to use mixed precision on a GPU."""
    schedule: Literal["constant", "cosine", "cosine_wave", "linear", "plateau"] = "constant"
    """Course of the learning rate after the warm-up. ``linear`` reaches 0 at the end of training. With
    ``cosine_wave`` (BenchX), the warm-up begins at 0, and the rate rises again after ``total``."""
    warmup: Index = 0
    """Iterations of linear warm-up."""
    warmup_start: Annotated[float, Field(gt=0, lt=1), WrapValidator(as_given)] = 1e-3
    """Factor of the learning rate at the first iteration of the warm-up; not for ``cosine_wave``."""
    total: Count | None = None
    """Iterations after which ``cosine`` and ``cosine_wave`` reach 0; default: the end of training."""
    factor: Annotated[float, Field(gt=0, lt=1), WrapValidator(as_given)] = 0.5
    """Factor by which ``plateau`` multiplies the learning rate."""
    patience: Index = 3
    """Number of validations without progress that ``plateau`` waits for."""
    plateau_on: Literal["monitor", "valid_loss"] = "monitor"
    """Progress for which ``plateau`` waits: of ``stopping.monitor``, or of the loss of validation batches."""
    frozen_steps: Index = 0
    """First iterations, with a frozen backbone, whose BatchNorm is frozen until the epoch ends (LoVT)."""
    frozen_lr: Positive | None = None
    """Learning rate of the first ``frozen_steps``."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        problems = Problems()
        if self.betas is not None and self.type not in ADAM_LIKE:
            problems.add(
                "betas",
                self.betas,
                f"{self.type} takes no betas",
                f"leave it out, or take one of {', '.join(ADAM_LIKE)}",
            )
        if self.total is not None and self.total <= self.warmup:
            problems.add(
                "total", self.total, f"is {self.total}; must be above warmup, which is {self.warmup}"
            )
        if (self.frozen_steps > 0) != (self.frozen_lr is not None):
            key, given = ("frozen_lr", None) if self.frozen_steps else ("frozen_steps", 0)
            problems.add(key, given, "frozen_steps and frozen_lr belong together", "give both or neither")
        if self.frozen_steps and (self.schedule != "constant" or self.warmup):
            what = "after frozen_steps, the rate is constant"
            problems.add("schedule", self.schedule, what, "use schedule 'constant' and no warmup")
        problems.raise_any()
        return self


class Stopping(Strict):
    """The length of training, and the weights that are tested."""

    epochs: Count | None = None
    """Passes over the training data; each is followed by a validation, unless ``interval`` says otherwise."""
    iterations: Count | None = None
    """Number of steps, instead of epochs."""
    interval: Count | None = None
    """Steps between validations, required with ``iterations``; with ``epochs``, epochs between them."""
    first: Count | None = None
    """Epoch of the first validation, with ``epochs``; default: ``interval``. The last epoch has one, too."""
    last_batch: Literal["carried", "dropped", "dropped_in_training", "kept"] = "carried"
    """Images that fill no batch at the end of an epoch: the next epoch begins with them (``carried``); they
    are left out of training and of the validation, as in MGCA and GLoRIA (``dropped``), or of training alone,
    as in LoVT (``dropped_in_training``); or they are a smaller batch (``kept``). With ``iterations``: always
    ``carried``."""
    patience: Count | None = None
    """Number of validations without progress after which training stops; none: no early stopping."""
    min_delta: NotNegative = 0.0
    """Progress that ``patience`` does not count as any, if it is not larger."""
    monitor: Text
    """Quantity on the validation split that chooses the weights; higher is better."""
    tested: Literal["best", "last"] = "best"
    """Weights that are tested."""

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        problems, steps = Problems(), [one is not None for one in (self.iterations, self.interval)]
        if (self.epochs is None) == (self.iterations is None) or (self.epochs is None and not all(steps)):
            key = "iterations" if self.epochs is None and any(steps) else "epochs"
            fix = "give epochs, or iterations and interval"
            problems.add(key, self.epochs, "stopping must define one length of training", fix)
        elif self.epochs is None and self.first is not None:
            problems.add("first", self.first, "counts epochs", "leave it out, or give epochs")
        elif self.epochs is None and self.last_batch != "carried":
            problems.add("last_batch", self.last_batch, "belongs to epochs", "leave it out, or give epochs")
        problems.raise_any()
        return self


class ProtocolModel(Strict):
    """The keys of every protocol."""

    name: Text
    """Name of the protocol; default: the name of its file."""
    task: Text
    """Task of the protocol (`prior-bench list tasks`)."""
    source: str = ""
    """Paper or code that the protocol follows."""
    version: Count = 1
    """Raised if results change and no other key shows it; it is part of a run's key."""
    split: Split = Split()
    """The split of the data set."""
    fraction_sampler: FractionSampler = FractionSampler()
    """The draw of a label fraction."""
    few_shot: FewShot = FewShot()
    """The draw of a few images per class."""
    transform: Transform = Transform()
    """The preparation of images."""
    batch_size: Count = 64
    """Number of images per step."""
    defects: Several[str] = ()
    """Deviations from good practice that the protocol reproduces on purpose."""

    @classmethod
    def model_for(cls, values: dict[str, Any]) -> type[ProtocolModel]:
        """Return the model that checks these values; a task whose keys depend on others chooses one."""
        return cls

    @classmethod
    def models(cls) -> tuple[type[ProtocolModel], ...]:
        """Return all models that :meth:`model_for` chooses from, for the reference of keys."""
        return (cls,)

    @classmethod
    def settled(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Return checked values with the content of the files that they name, for the record and its key.

        Raises:
            BenchError: a file is missing or malformed.
        """
        return values

    @classmethod
    def of(cls, protocol: Protocol) -> Self:
        """Return the protocol, checked and typed.

        Raises:
            ErrorList: the protocol is wrong; all errors are reported together.
        """
        made, errors = cls.attempt(protocol)
        if made is None:
            raise ErrorList("the protocol cannot be used:", errors, where=protocol.name)
        return made

    @classmethod
    def attempt(cls, protocol: Protocol) -> tuple[Self | None, list[BenchError]]:
        """Return the protocol, checked and typed, or None and all errors."""
        made, errors = attempted(cls.model_for(protocol.to_dict()), protocol.to_dict())
        return cast("Self | None", made), errors


class AnyProtocol(ProtocolModel):
    """A protocol of a task without a model of its own; the task itself checks the dicts."""

    head: dict[str, Any] = {}
    """The head on the backbone."""
    frozen: Frozen = Frozen(backbone=True, batch_norm=True)
    """The parts of the backbone that are not trained."""
    optimizer: dict[str, Any] = {}
    """The optimiser and the course of the learning rate."""
    stopping: dict[str, Any] = {}
    """The length of training, and the weights that are tested."""
    metrics: Distinct[Text] = ()
    """Names of the metrics, the primary one first."""
    options: dict[str, Any] = {}
    """Options of the task."""


def monitor_problems(stopping: Stopping, known: tuple[str, ...], problems: Problems) -> None:
    """Add a problem if ``stopping.monitor`` is not one of ``known``."""
    if stopping.monitor not in known:
        problems.unknown("stopping.monitor", stopping.monitor, "stopping.monitor", dict.fromkeys(known))
