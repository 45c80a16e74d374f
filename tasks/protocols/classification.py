"""The schema of classification protocols: a linear probe, or a head that is trained by gradient descent."""

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
from .training import start_problems

MONITORS = ("auroc", "minus_loss", "f1_class_1")
"""Quantities on the validation split that can choose the epoch; higher is better."""

ENLARGE_LESS = "use head type 'linear' with transform.train, or leave options.enlarge out"


class LogisticHead(Strict):
    """A logistic regression on cached features."""

    type: Literal["logistic_regression"]
    """Logistic regression, solved to its optimum; the backbone is frozen."""
    strengths: Annotated[Distinct[Positive], Field(min_length=1)]
    """Values of C to try; the validation split chooses."""
    max_iterations: Count = 1000
    """Largest number of iterations of the solver."""


class LinearHead(Strict):
    """A linear layer trained by gradient descent, with or without the backbone (see ``frozen``)."""

    type: Literal["linear"]
    """A linear layer, trained by gradient descent."""
    norm: Literal["layer", "batch"] | None = None
    """Normalisation before the linear layer (``layer``: BenchX, ``batch``: LoVT)."""
    dropout: Dropout = 0.0
    """Dropout before the linear layer."""
    eps: Positive | None = None
    """Number that the normalisation adds to the variance; default: torch's (1e-5)."""
    init: Literal["default", "truncated_normal", "near_zero"] = "default"
    """Start of the linear layer: torch's default; weights of deviation 0.02 and zero bias; or weights of
    deviation 2e-5 and torch's default bias (BenchX)."""
    two_outputs: bool = False
    """Whether a single label has two outputs and cross-entropy (BenchX) instead of one output."""


class Selection(Strict):
    """The choice of the regularisation strength. These keys only state what is done."""

    select: Literal["strength"] = "strength"
    """Chosen quantity."""
    on: Literal["valid"] = "valid"
    """Split for the choice."""
    monitor: Literal["auroc"] = "auroc"
    """Metric for the choice."""


class ClassificationOptions(CorruptionOptions):
    """Options of classification."""

    threshold: Annotated[Real | Literal["validation_f1"], Said("'validation_f1' or a number")] = (
        "validation_f1"
    )
    """Threshold of multi-label decisions: the best F1 of each class on the validation split, or a number."""
    enlarge: Annotated[
        Count | Literal["as_pretrained"] | None, Said("a number of pixels, 'as_pretrained' or None")
    ] = None
    """Side to which images are enlarged inside a convolutional network, after all transforms; transformers
    are left as they are. ``as_pretrained``: to the side that the method uses for its own similarities."""
    pool: Literal["own", "mean"] = "own"
    """Feature of an image: the backbone's own, or the mean of its last map, as torchvision's ResNets have
    it."""
    features: Literal["float32", "float16"] = "float32"
    """Type in which features of a frozen backbone are stored; ``float16`` halves the file and rounds them."""


class ClassificationProtocol(ProtocolModel):
    """Classification of whole images; ``head.type`` determines the other keys."""

    metrics: Annotated[
        Distinct[Annotated[str, OneOf("metric", lambda: with_corrupted(classification.METRICS))]],
        Field(min_length=1),
    ]
    """The metrics, the primary one first; ``_corrupted`` and ``_drop`` mark those of corrupted images."""
    options: ClassificationOptions = ClassificationOptions()
    """Options of the task."""

    @classmethod
    def model_for(cls, values: dict[str, Any]) -> type[ProtocolModel]:
        """Return the model for the type of the head."""
        head = values.get("head")
        kind = head.get("type") if isinstance(head, dict) else None
        by_head: dict[str, type[ProtocolModel]] = {
            "logistic_regression": ProbeProtocol,
            "linear": GradientProtocol,
        }
        return by_head.get(kind, UnknownHead) if isinstance(kind, str) else UnknownHead

    @classmethod
    def models(cls) -> tuple[type[ProtocolModel], ...]:
        """Return the models of a probe and of a head trained by gradient descent."""
        return (ProbeProtocol, GradientProtocol)


class ProbeProtocol(ClassificationProtocol):
    """Classification by logistic regression on the features of a frozen backbone."""

    head: LogisticHead
    """The head on the backbone."""
    frozen: WhollyFrozen = WhollyFrozen(backbone=True, batch_norm=True)
    """The backbone is fully frozen; ``head.type='linear'`` can train it."""
    optimizer: Nothing = Nothing()
    """Not used."""
    stopping: Selection = Selection()
    """The choice of the strength."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        problems = Problems()
        corruption_problems(self.metrics, self.options, problems)
        if self.options.enlarge:
            what = "images that pass the network once, for cached features, are not enlarged"
            problems.add("options.enlarge", self.options.enlarge, what, ENLARGE_LESS)
        problems.raise_any()
        return self


class GradientProtocol(ClassificationProtocol):
    """Classification by a head that is trained by gradient descent, with or without the backbone."""

    head: LinearHead
    """The head on the backbone."""
    frozen: Frozen
    """The parts of the backbone that are not trained."""
    optimizer: TrainingOptimizer
    """The optimiser and the course of the learning rate."""
    stopping: Stopping
    """Length of training and weights to test; ``monitor``: ``auroc``, ``minus_loss`` or ``f1_class_1``."""
    gpus: Count = 1
    """Processes, one per GPU, that train together with ``--gpus``; under torchrun, all do if it is above 1.
    It changes results by rounding alone, and is in no key (docs/scaling.md)."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        problems = Problems()
        monitor_problems(self.stopping, MONITORS, problems)
        start_problems(self.frozen, self.optimizer, problems)
        if self.optimizer.plateau_on != "monitor":
            what, fix = "classification computes no validation loss by batch", "use monitor 'minus_loss'"
            problems.add("optimizer.plateau_on", self.optimizer.plateau_on, what, fix)
        corruption_problems(self.metrics, self.options, problems)
        if self.options.enlarge and _cached(self):
            what = "images that pass the network once, for cached features, are not enlarged"
            problems.add("options.enlarge", self.options.enlarge, what, ENLARGE_LESS)
        if self.options.features != "float32" and not _cached(self):
            what = "no features are stored if images pass the network in training"
            problems.add("options.features", self.options.features, what, "leave it out")
        if self.gpus > 1 and _cached(self):
            what = "features of a frozen backbone are computed once, and a head on them is trained fast"
            problems.add("gpus", self.gpus, what, "leave it out")
        if self.options.corruptions:
            what = "corruptions need a head that is fitted on features of a frozen backbone and clean images"
            fix = "use head type 'logistic_regression', or leave options.corruptions out"
            problems.add("options.corruptions", self.options.corruptions, what, fix)
        problems.raise_any()
        return self


def _cached(protocol: GradientProtocol) -> bool:
    """Whether features are computed once: nothing of the backbone is trained, and nothing is drawn."""
    frozen = protocol.frozen
    return frozen.backbone and frozen.batch_norm and not protocol.transform.train


class UnknownHead(ClassificationProtocol):
    """The keys that can be checked if ``head.type`` is unknown."""

    head: Annotated[LogisticHead | LinearHead, Field(discriminator="type")]
    frozen: Frozen = Frozen(backbone=True, batch_norm=True)
    optimizer: dict[str, Any] = {}
    stopping: dict[str, Any] = {}
