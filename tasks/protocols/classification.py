"""Schema of classification protocols: a probe that is solved, or a head that is trained by gradient."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from prior_bench.metrics import classification
from prior_bench.schema.base import (
    Count,
    Distinct,
    Dropout,
    Nothing,
    OneOf,
    Positive,
    Problems,
    Real,
    Said,
    Strict,
)
from prior_bench.schema.protocol import (
    Frozen,
    ProtocolModel,
    Stopping,
    TrainingOptimizer,
    WhollyFrozen,
    monitor_problems,
)

from .corrupted import CorruptionOptions, corruption_problems, with_corrupted

MONITORS = ("auroc", "minus_loss", "f1_class_1")
"""What can choose the epoch on the validation split; higher is better."""


class LogisticHead(Strict):
    """Logistic regression, solved on cached features."""

    type: Literal["logistic_regression"]
    """Solved to its optimum; the backbone is frozen."""
    strengths: Annotated[Distinct[Positive], Field(min_length=1)]
    """Values of C to try; the validation split chooses."""
    max_iterations: Count = 1000
    """Most iterations of the solver."""


class LinearHead(Strict):
    """A linear layer trained by gradient, with or without the backbone, as ``frozen`` says."""

    type: Literal["linear"]
    """Trained by gradient."""
    norm: Literal["layer", "batch"] | None = None
    """Normalisation before the linear layer (``layer``: BenchX, ``batch``: LoVT)."""
    dropout: Dropout = 0.0
    """Dropout before the linear layer."""
    init: Literal["default", "truncated_normal"] = "default"
    """How the linear layer begins: as torch does it, or with a deviation of 0.02 and no bias (BenchX)."""


class Selection(Strict):
    """How the strength of the regularisation is chosen; states what is done, and changes nothing."""

    select: Literal["strength"] = "strength"
    """What is chosen."""
    on: Literal["valid"] = "valid"
    """On which split."""
    monitor: Literal["auroc"] = "auroc"
    """By which metric."""


class ClassificationOptions(CorruptionOptions):
    """Options of classification."""

    threshold: Annotated[Real | Literal["validation_f1"], Said("'validation_f1' or a number")] = (
        "validation_f1"
    )
    """Threshold of multi-label decisions: the best F1 of each class on the validation split, or a number."""


class ClassificationProtocol(ProtocolModel):
    """Classification of whole images; ``head.type`` decides which keys there are."""

    metrics: Annotated[
        Distinct[Annotated[str, OneOf("metric", lambda: with_corrupted(classification.METRICS))]],
        Field(min_length=1),
    ]
    """Names of the metrics, the primary one first; ``_corrupted`` and ``_drop`` are of corrupted images."""
    options: ClassificationOptions = ClassificationOptions()
    """What only this task knows."""

    @classmethod
    def model_for(cls, values: dict[str, Any]) -> type[ProtocolModel]:
        """By the type of the head."""
        head = values.get("head")
        kind = head.get("type") if isinstance(head, dict) else None
        by_head: dict[str, type[ProtocolModel]] = {
            "logistic_regression": ProbeProtocol,
            "linear": GradientProtocol,
        }
        return by_head.get(kind, UnknownHead) if isinstance(kind, str) else UnknownHead

    @classmethod
    def models(cls) -> tuple[type[ProtocolModel], ...]:
        """A probe, and a head trained by gradient."""
        return (ProbeProtocol, GradientProtocol)


class ProbeProtocol(ClassificationProtocol):
    """Classification by logistic regression on the features of a frozen backbone."""

    head: LogisticHead
    """What is put on the backbone."""
    frozen: WhollyFrozen = WhollyFrozen(backbone=True, batch_norm=True)
    """What of the backbone is not trained: all of it; ``head.type='linear'`` trains it."""
    optimizer: Nothing = Nothing()
    """Not used."""
    stopping: Selection = Selection()
    """How the strength is chosen."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        problems = Problems()
        corruption_problems(self.metrics, self.options, problems)
        problems.raise_any()
        return self


class GradientProtocol(ClassificationProtocol):
    """Classification by a head that is trained by gradient, with or without the backbone."""

    head: LinearHead
    """What is put on the backbone."""
    frozen: Frozen
    """What of the backbone is not trained."""
    optimizer: TrainingOptimizer
    """Optimiser and course of the learning rate."""
    stopping: Stopping
    """How long training takes and which weights are tested; ``monitor`` is ``auroc``, ``minus_loss`` or
    ``f1_class_1``."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        problems = Problems()
        monitor_problems(self.stopping, MONITORS, problems)
        corruption_problems(self.metrics, self.options, problems)
        if self.options.corruptions:
            what = "corruptions need a head on the features of a frozen backbone, solved on clean images"
            fix = "use head type 'logistic_regression', or leave options.corruptions out"
            problems.add("options.corruptions", self.options.corruptions, what, fix)
        problems.raise_any()
        return self


class UnknownHead(ClassificationProtocol):
    """What can be checked where ``head.type`` is none that is known."""

    head: Annotated[LogisticHead | LinearHead, Field(discriminator="type")]
    frozen: Frozen = Frozen(backbone=True, batch_norm=True)
    optimizer: dict[str, Any] = {}
    stopping: dict[str, Any] = {}
