"""The contract: the small typed objects in which data, models, tasks and tables meet.

Standard library only at import. Tensor shapes use B images, N patches, T texts, L tokens, D channels.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from typing import Protocol as Interface

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn

    from prior_bench.data.manifest import Manifest


# --- models -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class InputSpec:
    """What an image encoder expects to be fed; it travels with the weights.

    Attributes:
        size: side of the square input, in pixels.
        channels: 1 or 3 (a grey image is repeated).
        mean, std: normalisation of pixels scaled to [0, 1], the same for every channel.
        resize: ``"squash"`` (aspect lost), ``"pad"`` (longest side, zero padding to a square) or
            ``"crop"`` (shortest side, centre crop).
    """

    size: int = 224
    channels: int = 3
    mean: float = 0.5
    std: float = 0.5
    resize: str = "pad"


class TextBatch(NamedTuple):
    """Tokenised texts, padded to the longest of the batch. All tensors are int64 [B, L].

    Attributes:
        input_ids: token ids.
        attention_mask: 1 on tokens, 0 on padding.
        sentence_index: 1..n on the tokens of sentence n, -1 on [CLS], [SEP] and padding.
        word_index: 0.. on the pieces of each word, counted over the text, -1 on special tokens.
    """

    input_ids: Tensor
    attention_mask: Tensor
    sentence_index: Tensor
    word_index: Tensor

    def to(self, device: Any) -> TextBatch:
        """The same on a device."""
        return TextBatch(*(tensor.to(device) for tensor in self))


class PretrainBatch(NamedTuple):
    """Image-report pairs: row i of ``images`` [B, C, H, W] belongs to row i of ``text``."""

    images: Tensor
    text: TextBatch


class Features(NamedTuple):
    """What an encoder says of B images or texts, ready for a method's ``similarity``.

    Attributes:
        global_: [B, D] one vector each.
        local: [B, N, D'] vectors of patches, words or sentences, or None.
        mask: bool [B, N], True where ``local`` is real and not padding, or None (all real).
    """

    global_: Tensor
    local: Tensor | None = None
    mask: Tensor | None = None


class Method(Interface):
    """A pre-training method: an ``nn.Module`` that owns an image and a text encoder.

    ``image_encoder`` is a :class:`prior_bench.encoders.image.ImageEncoder` (its features *before* the
    method's projection are what classification, segmentation and detection use); ``text_encoder`` a
    :class:`prior_bench.encoders.text.TextEncoder` with a ``tokenizer``.

    Optional, for pictures: ``attention(image: Features, text: Features) -> Tensor | None``, [B, S, N], what
    row s of ``text.local`` looks at among the N patches of ``image.local`` of the same pair, row-major on a
    square grid (None where local features have no place in the image); and the class attribute
    ``attention_over``, ``"sentences"`` or ``"words"``: what the rows of ``text.local`` are, in the order of
    the text's ``sentence_index`` or by its ``word_index``. More can be shown through
    :class:`prior_bench.explain.contract.Explainer`. Also optional: ``random_evaluation``, True where what it
    says in evaluation mode is random by design (``prior-bench check-method`` asks).
    """

    image_encoder: nn.Module
    text_encoder: nn.Module

    def loss(self, batch: PretrainBatch) -> dict[str, Tensor]:
        """Scalars of one batch: those whose name starts with ``loss`` are summed and minimised."""

    def encode_image(self, images: Tensor) -> Features:
        """Images [B, C, H, W] into the joint space."""

    def encode_text(self, text: TextBatch) -> Features:
        """Texts into the joint space."""

    def similarity(self, image: Features, text: Features) -> Tensor:
        """The method's own image-text score, [images, texts]; higher is more alike."""


@dataclass
class Backbone:
    """A thing that can be evaluated: weights, and how to feed them.

    Attributes:
        name: row label.
        image_encoder: :class:`prior_bench.encoders.image.ImageEncoder`.
        method: the whole method where a text tower is present, else None.
        input: what the image encoder expects.
        identity: hash of all that determines the weights (config and seed, or the file's sha256).
        provenance: where the weights come from, for the record.
    """

    name: str
    image_encoder: nn.Module
    method: Method | None
    input: InputSpec
    identity: str
    provenance: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LoadContext:
    """Where and how a backbone is made ready.

    Attributes:
        device: ``"cpu"`` or ``"cuda"``.
        pretrain_dir: folder that holds one sub-folder per pre-training run.
        workers: data loading processes.
    """

    device: str = "cpu"
    pretrain_dir: Path = Path("results/pretrain")
    workers: int = 0


class BackboneSource(Interface):
    """Where the weights of a row come from; made from the row's config, cheap to make.

    Attributes:
        name: row label.
        has_text: whether the backbone will bring a text tower (zero-shot and retrieval need one).
        text_problem: optional; why a text tower that is there cannot be used, as shown to the user.

    Optional, so that test patients can be looked for: ``training_data() -> list[dict]``, each with the
    ``dataset`` (a data reference), ``split_rule`` and ``splits`` that the weights were trained on; and
    ``known_exposure() -> list[tuple[str, str]]``, data sets whose patients they are known to have seen, each
    with a clause that says so.
    """

    name: str
    has_text: bool

    def check(self) -> None:
        """Raise BenchError where the config cannot work (missing file, unknown method); cheap."""

    def identity(self, seed: int) -> str:
        """Hash of all that determines the weights, known before they exist."""

    def load(self, seed: int, context: LoadContext) -> Backbone:
        """The backbone; where it has to be pre-trained first, this does so, resuming what was begun."""


# --- protocols and tasks ------------------------------------------------------------------------------


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
    """

    metrics: dict[str, float]
    predictions: dict[str, np.ndarray]
    split: dict[str, Any] = field(default_factory=dict)
    trivial: dict[str, dict[str, float]] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)


class Task(Interface):
    """A task family.

    Attributes:
        name: as registered.
        needs_text: whether the backbone must bring a method with a text tower.
        needs: annotations that the data set must carry, of ``labels``, ``boxes``, ``masks``, ``reports``.

    Task modules import torch and OpenMMLab inside ``run`` only, so that records can be scored and
    tabulated without them.
    """

    name: str
    needs_text: bool
    needs: tuple[str, ...]

    def check(self, data: Manifest, protocol: Protocol) -> None:
        """Raise BenchError where data or protocol do not fit; cheap, called before any work."""

    def run(self, backbone: Backbone, data: Manifest, protocol: Protocol, context: RunContext) -> TaskResult:
        """Evaluate one backbone on one data set."""

    def score(self, predictions: dict[str, np.ndarray], metrics: tuple[str, ...]) -> dict[str, float]:
        """The named metrics from stored predictions alone (NumPy only); what intervals resample."""


# --- runs and records -----------------------------------------------------------------------------


@dataclass(frozen=True)
class RunSpec:
    """One cell of a suite before it is run: resolved, hashable, free of objects.

    Attributes:
        backbone: config of the row: ``name``, ``type`` (in BACKBONES) and its arguments.
        task: registered task.
        data: data reference, resolved (see :func:`prior_bench.data.open.resolve`).
        protocol: the protocol, resolved, as plain types.
        fraction, seed: see RunContext.
    """

    backbone: dict[str, Any]
    task: str
    data: dict[str, Any]
    protocol: dict[str, Any]
    fraction: float = 1.0
    seed: int = 0


@dataclass
class RunRecord:
    """One cell after it was run (or has failed), as stored.

    Attributes:
        key: hash of what determines the outcome; names the record.
        status: ``"done"`` or ``"failed"``.
        spec: the RunSpec, as plain types.
        metrics, trivial, history, split: from TaskResult.
        error: message of a failed run.
        provenance: versions, git revision, hardware, op provider, wall time, command, checkpoint hash.
        synthetic: whether the data came from the sample benchmark.
    """

    key: str
    status: str
    spec: dict[str, Any]
    metrics: dict[str, float] = field(default_factory=dict)
    trivial: dict[str, dict[str, float]] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    split: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    provenance: dict[str, Any] = field(default_factory=dict)
    synthetic: bool = False
    schema: int = 1
