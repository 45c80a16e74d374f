"""Tasks: the protocol that fixes how a number is made, and what a task is given and returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from typing import Protocol as Interface

from prior_bench.api.metrics import Metric
from prior_bench.api.models import Backbone

if TYPE_CHECKING:
    import numpy as np

    from prior_bench.data.manifest import Manifest


@dataclass(frozen=True)
class Protocol:
    """Everything that changes a number. Stored and printed with every result.

    Attributes:
        name: e.g. ``"clean/linear_probe"``.
        task: task family that it belongs to.
        source: paper or code that it follows.
        split: by which of the data set's named rules the split is made (``rule``).
        fraction_sampler: how a label fraction is drawn from the training split.
        transform: image transforms in training; evaluation uses the backbone's own InputSpec, unless
            ``transform`` says otherwise.
        head: what is put on the backbone.
        frozen: ``{"backbone": bool, "batch_norm": bool}``.
        optimizer: type, learning rate, weight decay, schedule.
        batch_size: images per step.
        stopping: epochs or iterations, patience, monitored quantity, which weights are tested.
        metrics: names of the metric variants, the primary one first.
        options: what only this task family knows (prompts, score normalisation, anchors, pool…).
        defects: departures from good practice that this protocol reproduces on purpose.
        version: raised where a protocol gives other numbers than before although none of its fields changed.
    """

    name: str
    task: str
    source: str = ""
    split: dict[str, Any] = field(default_factory=lambda: {"rule": "default"})
    fraction_sampler: dict[str, Any] = field(default_factory=lambda: {"by": "patient_id", "nested": True})
    transform: dict[str, Any] = field(default_factory=dict)
    head: dict[str, Any] = field(default_factory=dict)
    frozen: dict[str, bool] = field(default_factory=lambda: {"backbone": True, "batch_norm": True})
    optimizer: dict[str, Any] = field(default_factory=dict)
    batch_size: int = 64
    stopping: dict[str, Any] = field(default_factory=dict)
    metrics: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    defects: tuple[str, ...] = ()
    version: int = 1

    def to_dict(self) -> dict[str, Any]:
        """Plain types, for JSON."""
        return asdict(self)


@dataclass
class RunContext:
    """What a task may use besides its inputs.

    Attributes:
        fraction: share of the training patients whose labels may be used, in (0, 1].
        seed: of everything random in this run.
        work_dir: scratch folder of this run; checkpoints for resuming go here, and it is removed when
            the run has been recorded.
        cache_dir: for features of a frozen backbone, keyed by ``Backbone.identity``.
        device: ``"cpu"`` or ``"cuda"``.
        workers: data loading processes.
    """

    fraction: float = 1.0
    seed: int = 0
    work_dir: Path = Path("work")
    cache_dir: Path = Path("cache")
    device: str = "cpu"
    workers: int = 0


@dataclass
class TaskResult:
    """Outcome of one run.

    Attributes:
        metrics: flat; per-class values as ``"auroc/Edema"``, the macro value as ``"auroc"``.
        predictions: arrays whose first axis is the test sample, in one order, with ``id`` and
            ``patient_id`` (str) among them; kept, because statistics need them. Arrays that are not
            one row per sample are prefixed: ``flat_*`` and ``truth_*`` (detections and true boxes, with
            ``flat_sample`` and ``truth_sample``, the row each belongs to), ``example_*`` (kept for a few
            samples only, with ``example_row``), ``meta_*`` (anything else, e.g. class names). Empty where
            nothing is predicted; tables then make no test.
        split: split name, sizes and hash of the ids actually used.
        trivial: metrics of predictors that do not look at the image (chance, all-empty,
            all-foreground), by predictor.
        history: one dict per epoch or evaluation, for curves.
        undefined: metrics of the protocol that the labels at hand leave undefined, with the reason. They are
            not among ``metrics``: a trivial 1.0 or a NaN would be read as a result.
    """

    metrics: dict[str, float]
    predictions: dict[str, np.ndarray]
    split: dict[str, Any] = field(default_factory=dict)
    trivial: dict[str, dict[str, float]] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    undefined: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Work:
    """Work of a run: how many images pass through the encoder, and how.

    Attributes:
        features: images whose features are computed once and shared by all runs on the same images.
        forward: images that are only run.
        frozen: images run under a decoder or head that is trained, all epochs together.
        trained: images run through an encoder that is itself trained, all epochs together.
    """

    features: float = 0.0
    forward: float = 0.0
    frozen: float = 0.0
    trained: float = 0.0


class Task(Interface):
    """A task family.

    Attributes:
        name: as registered.
        needs_text: whether the backbone must bring a method with a text tower.
        needs: annotations that the data set must carry, of ``labels``, ``boxes``, ``masks``, ``reports``.
        metrics: what it can compute, by name; tables and reports take direction, scale and heading from here.
        default_protocol: that is used where none is named; empty for none.

    Optional attributes, with what holds where they are absent:
        needs_maps (False): whether the image encoder must give feature maps
            (:class:`prior_bench.api.encoders.MapEncoderLike`).
        uses_labels (True): whether the head is trained, so that a label fraction means something.
        predictions (none): kinds of arrays among the stored predictions, by which the report chooses its
            sections: ``"class_scores"`` (``score`` and ``target`` [N, C], ``meta_classes``),
            ``"probabilities"`` (those scores are), ``"one_class"`` (the class with the highest score is
            decided for, also where labels are not exclusive), ``"prompt_scores"`` (``prompt_score`` [N, P],
            ``meta_prompts``, ``meta_prompt_class``).
        galleries (none): names of registered galleries of example images (entry points
            ``prior_bench.galleries``, :class:`prior_bench.report.html.galleries.maker.Maker`).
        ranked (True): whether a leaderboard ranks its numbers.
        estimate (unknown): method ``(protocol: Protocol, sizes: tuple[int, int, int], fraction: float) ->
            Work | None``, with the images in train, valid and test.

    Optional, for the keys of records (docs/versions.md): ``version``, a whole number that is raised whenever
    the task gives other numbers than before (1 without it); ``machinery``, the names in
    :data:`prior_bench.versions.MACHINERY` of the shared parts that its numbers depend on (all of them
    without it; weights bring their own); and ``versions(protocol) -> dict[str, int]``, the versions of
    anything else, such as a prompt set.

    Task modules import torch and OpenMMLab inside ``run`` only, so that records can be scored and
    tabulated without them.
    """

    name: str
    needs_text: bool
    needs: tuple[str, ...]
    metrics: Mapping[str, Metric]
    default_protocol: str

    def check(self, data: Manifest, protocol: Protocol) -> None:
        """Raise BenchError where data or protocol do not fit; cheap, called before any work."""

    def run(self, backbone: Backbone, data: Manifest, protocol: Protocol, context: RunContext) -> TaskResult:
        """Evaluate one backbone on one data set."""

    def score(self, predictions: dict[str, np.ndarray], metrics: tuple[str, ...]) -> dict[str, float]:
        """The named metrics from stored predictions alone (NumPy only); what intervals resample."""
