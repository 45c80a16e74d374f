"""Protocols: what every one has, the blocks that tasks share, and the model of tasks that declare none.

A task's own model is its class attribute ``protocol_model``, a subclass of :class:`ProtocolModel`; the core
names no task. :class:`prior_bench.api.Protocol` carries the values as they were written; the models check
them and read them typed::

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
"""Optimisers of ``torch.optim`` that can be named, and whether they take ``betas``. A test compares them with
torch; the list is here so that a protocol is checked without importing it."""

ADAM_LIKE = [name for name, betas in OPTIMIZERS.items() if betas]


class Split(Strict):
    """How the data set is split."""

    rule: Text = "default"
    """Name of one of the data set's rules (`prior-bench data describe NAME`)."""


class FractionSampler(Strict):
    """How a label fraction is drawn from the training split."""

    by: Text = "patient_id"
    """``patient_id`` or another column of the manifest; ``rows``, ``choice``, ``first``, ``stratified_rows``
    or ``listed:FOLDER``, as papers draw."""
    nested: bool = True
    """States whether smaller fractions lie within larger ones."""
    seed: Index | None = None
    """Seed of the draw, in place of the run's."""
    balanced: bool = False
    """Keep all positives of the first label and as many negatives."""
    valid_share: Share | None = None
    """With less than all labels, the first so many of the validation rows are used."""


class Frozen(Strict):
    """What of the backbone is not trained."""

    backbone: bool
    """Whether the weights stay as they are."""
    batch_norm: bool
    """Whether BatchNorm keeps its statistics."""


class WhollyFrozen(Frozen):
    """Nothing of the backbone is trained."""

    backbone: AlwaysTrue
    """The weights stay as they are."""
    batch_norm: AlwaysTrue
    """BatchNorm keeps its statistics."""


class TrainingOptimizer(Strict):
    """Optimiser and course of the learning rate."""

    type: Annotated[str, OneOf("optimizer", OPTIMIZERS)]
    """Class in ``torch.optim``."""
    lr: Positive
    """Peak learning rate."""
    weight_decay: NotNegative | None = None
    """Weight decay; default: the optimiser's own."""
    betas: Pair[Beta] | None = None
    """Decay rates of the moments; only of optimisers like Adam."""
    backbone_lr_scale: Positive | None = None
    """Factor on the learning rate of the backbone; default: 1."""
    clip: Positive | None = None
    """Largest norm of the gradient."""
    amp: bool = False
    """Mixed precision on a GPU."""
    schedule: Literal["constant", "cosine", "plateau"] = "constant"
    """Course of the rate after the warm-up."""
    warmup: Index = 0
    """Iterations of linear warm-up."""
    total: Count | None = None
    """Iterations after which ``cosine`` ends at 0; default: the end of training."""
    factor: Annotated[float, Field(gt=0, lt=1), WrapValidator(as_given)] = 0.5
    """What ``plateau`` multiplies the rate with."""
    patience: Index = 3
    """Validations without progress that ``plateau`` waits."""

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
        problems.raise_any()
        return self


class Stopping(Strict):
    """How long training takes and which weights are tested."""

    epochs: Count | None = None
    """Passes over the training data; a validation follows each."""
    iterations: Count | None = None
    """Steps, in place of epochs."""
    interval: Count | None = None
    """Steps between validations; needed with ``iterations``."""
    patience: Count | None = None
    """Validations without progress after which training stops; none: it does not."""
    monitor: Text
    """What is watched on the validation split; higher is better."""
    tested: Literal["best", "last"] = "best"
    """Which weights are tested."""

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        problems, steps = Problems(), [one is not None for one in (self.iterations, self.interval)]
        if [self.epochs is not None, *steps] not in ([True, False, False], [False, True, True]):
            key = "iterations" if self.epochs is None and any(steps) else "epochs"
            fix = "epochs, or iterations and interval"
            problems.add(key, self.epochs, "stopping must name one length of training", fix)
        problems.raise_any()
        return self


class ProtocolModel(Strict):
    """What every protocol has."""

    name: Text
    """Name of the protocol; default: that of its file."""
    task: Text
    """Task that it belongs to (`prior-bench list tasks`)."""
    source: str = ""
    """Paper or code that it follows."""
    version: Count = 1
    """Raised where its numbers change and no other key says so; enters the key of a run."""
    split: Split = Split()
    """How the data set is split."""
    fraction_sampler: FractionSampler = FractionSampler()
    """How a label fraction is drawn."""
    transform: Transform = Transform()
    """How images are fed."""
    batch_size: Count = 64
    """Images in a step."""
    defects: Several[str] = ()
    """Departures from good practice that it reproduces on purpose."""

    @classmethod
    def model_for(cls, values: dict[str, Any]) -> type[ProtocolModel]:
        """The model that checks these values; a task whose keys depend on others chooses among several."""
        return cls

    @classmethod
    def models(cls) -> tuple[type[ProtocolModel], ...]:
        """All that :meth:`model_for` chooses from, for the reference of keys."""
        return (cls,)

    @classmethod
    def settled(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Checked values with the content of the files that they name, so that a record and its key hold it.

        Raises:
            BenchError: a file that is missing or not as it should be.
        """
        return values

    @classmethod
    def of(cls, protocol: Protocol) -> Self:
        """The protocol, checked and typed.

        Raises:
            ErrorList: everything that is wrong with it.
        """
        made, errors = cls.attempt(protocol)
        if made is None:
            raise ErrorList("the protocol cannot be used:", errors, where=protocol.name)
        return made

    @classmethod
    def attempt(cls, protocol: Protocol) -> tuple[Self | None, list[BenchError]]:
        """The protocol, checked and typed, or None and everything that is wrong with it."""
        made, errors = attempted(cls.model_for(protocol.to_dict()), protocol.to_dict())
        return cast("Self | None", made), errors


class AnyProtocol(ProtocolModel):
    """A protocol of a task that declares no model of its own: these four are for the task to check."""

    head: dict[str, Any] = {}
    """What is put on the backbone."""
    frozen: Frozen = Frozen(backbone=True, batch_norm=True)
    """What of the backbone is not trained."""
    optimizer: dict[str, Any] = {}
    """Optimiser and course of the learning rate."""
    stopping: dict[str, Any] = {}
    """How long training takes and which weights are tested."""
    metrics: Distinct[Text] = ()
    """Names of the metrics, the primary one first."""
    options: dict[str, Any] = {}
    """What only this task knows."""


def monitor_problems(stopping: Stopping, known: tuple[str, ...], problems: Problems) -> None:
    """Put on the list that ``stopping.monitor`` is none of ``known``."""
    if stopping.monitor not in known:
        problems.unknown("stopping.monitor", stopping.monitor, "stopping.monitor", dict.fromkeys(known))
