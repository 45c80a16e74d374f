"""Tasks: their interface, the protocol of an evaluation, and the result of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from typing import Protocol as Interface

from prior_bench.api.metrics import Metric
from prior_bench.api.models import Backbone
from prior_bench.api.rehearsal import Rehearsal

if TYPE_CHECKING:
    import numpy as np

    from prior_bench.data.manifest import Manifest


@dataclass(frozen=True)
class Protocol:
    """All settings that affect a result. The protocol is stored and printed with every result.

    Attributes:
        name: e.g. ``"clean/linear_probe"``.
        task: name of the task.
        source: paper or code that the protocol follows.
        split: named rule of the data set that makes the split (``rule``).
        fraction_sampler: how a label fraction is drawn from the training split.
        few_shot: how a few images per class are drawn
            (:class:`prior_bench.schema.protocol.FewShot`); used where ``RunContext.shots`` is given.
        transform: image transforms in training; evaluation uses the backbone's own InputSpec unless
            ``transform`` overrides it.
        head: the head on top of the backbone.
        frozen: ``{"backbone": bool, "batch_norm": bool}``.
        optimizer: type, learning rate, weight decay, schedule.
        batch_size: number of images per step.
        stopping: number of epochs or iterations, patience, monitored quantity, which weights are tested.
        metrics: names of the metric variants, the primary one first.
        options: settings of this task alone (prompts, score normalisation, anchors, pool…).
        defects: departures from good practice that the protocol reproduces on purpose.
        version: raised when the protocol gives different results than before although no field has changed.
        gpus: number of processes, one per GPU, that train together where so many are given. It changes no
            result, and is in no key.
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
    few_shot: dict[str, Any] = field(default_factory=dict)
    gpus: int = 1

    def to_dict(self) -> dict[str, Any]:
        """The protocol as plain types, for JSON; ``gpus`` only if there are several."""
        values = asdict(self)
        if self.gpus == 1:
            del values["gpus"]
        return values


@dataclass
class RunContext:
    """The settings and folders of one run.

    Attributes:
        fraction: share of the training patients whose labels may be used, in (0, 1].
        seed: seed of everything random in this run.
        work_dir: scratch folder of this run, for example for checkpoints to resume from; removed once the
            run has been recorded.
        cache_dir: cache of the features of frozen backbones, by ``Backbone.identity``.
        device: ``"cpu"`` or ``"cuda"``.
        workers: number of data loading processes.
        shots: training images per class in a few-shot run; None where ``fraction`` counts.
        rehearsal: how much of the run is done; None for all of it.
    """

    fraction: float = 1.0
    seed: int = 0
    work_dir: Path = Path("work")
    cache_dir: Path = Path("cache")
    device: str = "cpu"
    workers: int = 0
    shots: int | None = None
    rehearsal: Rehearsal | None = None


@dataclass
class TaskResult:
    """The outcome of one run.

    Attributes:
        metrics: values by name; per-class values as ``"auroc/Edema"``, the macro value as ``"auroc"``.
        predictions: arrays whose first axis is the test sample, all in the same order, including ``id`` and
            ``patient_id`` (str); they are stored because the statistics need them. Arrays that do not have
            one row per sample have a prefix: ``flat_*`` and ``truth_*`` (predicted and true boxes;
            ``flat_sample`` and ``truth_sample`` give the row of the sample), ``example_*`` (stored for a few
            samples only; ``example_row`` gives their rows), ``meta_*`` (anything else, e.g. class names).
            Empty if nothing is predicted; tables then test no significance.
        split: name of the split, sizes, and hash of the ids that were used.
        trivial: metrics of predictors that do not look at the image (chance, all-empty,
            all-foreground), by predictor.
        history: one dict per epoch or evaluation, for curves.
        undefined: metrics of the protocol that are undefined for the labels of this data set, with the
            reason. They are absent from ``metrics``: a trivial 1.0 or a NaN would be read as a result.
    """

    metrics: dict[str, float]
    predictions: dict[str, np.ndarray]
    split: dict[str, Any] = field(default_factory=dict)
    trivial: dict[str, dict[str, float]] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    undefined: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Work:
    """The cost of a run: how many images pass through the encoder, and for which purpose.

    Attributes:
        features: images whose features are computed once and shared by all runs on the same images.
        forward: images that only pass forward.
        frozen: images that pass a frozen encoder while a decoder or head is trained, over all epochs.
        trained: images that pass an encoder that is itself trained, over all epochs.
    """

    features: float = 0.0
    forward: float = 0.0
    frozen: float = 0.0
    trained: float = 0.0


class Task(Interface):
    """The interface of a task.

    Attributes:
        name: registered name.
        needs_text: whether the backbone must have a method with a text encoder.
        needs: annotations that the data set must have, out of ``labels``, ``boxes``, ``masks``, ``reports``,
            ``phrases``, ``regions`` (phrases or boxes).
        metrics: metrics that the task computes, by name; tables and reports read their direction, scale and
            heading.
        default_protocol: protocol to use if none is named; empty for none.

    Optional attributes, with their defaults in parentheses:
        needs_maps (False): whether the image encoder must give feature maps
            (:class:`prior_bench.api.encoders.MapEncoderLike`).
        uses_labels (True): whether a head is trained on labels, which makes label fractions meaningful.
        few_shot (False): whether ``RunContext.shots`` is followed; other tasks cannot be run with shots.
        predictions (none): kinds of arrays among the stored predictions, which decide the sections of the
            report: ``"class_scores"`` (``score`` and ``target`` [N, C], ``meta_classes``),
            ``"probabilities"`` (the scores are probabilities), ``"one_class"`` (the class with the highest
            score is the prediction, even if labels are not exclusive; not where ``meta_one_class`` is
            false), ``"prompt_scores"`` (``prompt_score`` [N, P], ``meta_prompts``, ``meta_prompt_class``, and
            ``meta_prompt_negative`` where some prompts stand for the absence of their class).
        galleries (none): names of registered galleries of example images (entry points
            ``prior_bench.galleries``, :class:`prior_bench.report.html.galleries.maker.Maker`).
        ranked (True): whether leaderboards rank the results.
        estimate (unknown cost): method ``(protocol: Protocol, sizes: tuple[int, int, int], fraction: float)
            -> Work | None``, where ``sizes`` are the numbers of images in train, valid and test.
        lacks (nothing): method ``(method: type, protocol: Protocol) -> str``, why a backbone with a method of
            this class cannot be evaluated; empty if it can. Its cell then has this reason and is not run.

    Optional, for intervals: ``score_resamples(predictions, metrics, counts) -> dict[str, ndarray] | None``,
    what ``score`` gives for D resamples, [D] per metric, where ``counts`` [D, N] says how often each contains
    each sample; None if the metrics cannot be computed from counts.

    Optional, for backbones of which only vectors are stored (:class:`prior_bench.api.StoredVectors`):
    ``needs_pixels(protocol) -> str``, why a run needs the images themselves, empty if vectors suffice; and
    ``needed_vectors(data, protocol) -> NeededVectors``, the images and texts whose vectors it then uses. A
    task without them needs the images.

    Optional: ``with_prompts(given) -> dict``, the changes to a protocol (by dotted keys) under which other
    prompts are used; a task without it takes none.

    Optional, for the keys of records (docs/versions.md): ``version``, an integer that is raised whenever the
    task gives different results than before (1 by default); ``machinery``, the names in
    :data:`prior_bench.versions.MACHINERY` of the shared parts that the results depend on (all by default,
    except those that the identity of the weights already covers); and ``versions(protocol) -> dict[str,
    int]``, the versions of anything else, such as a prompt set.

    Task modules import torch and OpenMMLab only inside ``run``; records can then be scored and tabulated
    without them.
    """

    name: str
    needs_text: bool
    needs: tuple[str, ...]
    metrics: Mapping[str, Metric]
    default_protocol: str

    def check(self, data: Manifest, protocol: Protocol) -> None:
        """Raise BenchError if data or protocol do not fit the task; cheap, called before any work."""

    def run(self, backbone: Backbone, data: Manifest, protocol: Protocol, context: RunContext) -> TaskResult:
        """Evaluate one backbone on one data set."""

    def score(self, predictions: dict[str, np.ndarray], metrics: tuple[str, ...]) -> dict[str, float]:
        """Compute the named metrics from stored predictions (NumPy only); intervals resample this."""
