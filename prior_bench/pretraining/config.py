"""Pre-training configs, which are read and checked as a whole.

The file is an mmengine config (Python, ``_base_`` allowed) whose names are the fields of
:class:`PretrainConfig`. The configs of the package are in ``configs/pretrain``. The permitted values of each
key are in :mod:`prior_bench.schema.pretrain`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from prior_bench.errors import ErrorList
from prior_bench.pretraining.names_in_config import name_errors
from prior_bench.pretraining.schedule import Schedule, Stage
from prior_bench.schema.errors import attempted
from prior_bench.schema.overrides import merged
from prior_bench.schema.pretrain import PretrainFile
from prior_bench.schema.reading import read_config

HELD_OUT = "valid"
"""Split of the pre-training data set that is used for validation."""


@dataclass(frozen=True)
class Data:
    """Image-report pairs, one per study.

    Attributes:
        dataset: data reference, see :func:`prior_bench.data.references.resolve`.
        split_rule: rule by which the data set is split.
        splits: splits that are trained on.
        text: part of a report that is used; a random part is drawn again in each epoch.
        min_sentences, min_words: reports with fewer sentences or words are left out.
        min_sentence_words: sentences with fewer words are left out before sentences and words are counted.
        transform: training transform, see :func:`prior_bench.data.images.transforms.train_transform`.
        cache: ``"memory"`` keeps all images in memory, decoded and reduced to 1.25 times the input size.
        shard_window: number of shards of the image cache (256 images each) whose images are mixed. The
            shards are read from beginning to end, in random order. This is faster on a disk with slow random
            access (network, hard disk), but a batch then has only pairs of a few shards, which contain images
            with neighbouring names. More shards are closer to random order; 16 shards take about 230 MB in an
            image cache of size 256. None draws images in any order, which is as fast if the cache is on a
            local disk or fits in memory.
    """

    dataset: str | dict[str, Any]
    split_rule: str = "default"
    splits: tuple[str, ...] = ("train",)
    text: str = "report"
    min_sentences: int = 1
    min_words: int = 1
    min_sentence_words: int = 1
    transform: dict[str, Any] = field(default_factory=dict)
    cache: str | None = None
    shard_window: int | None = None


@dataclass(frozen=True)
class Optimizer:
    """A torch optimiser; biases and normalisation layers have no weight decay.

    Attributes:
        type: class in ``torch.optim``.
        lr: peak learning rate.
        weight_decay, betas: arguments of the class.
        lr_scale: factors for parameters whose name starts with the key, e.g. ``dict(text_encoder=0.1)``.
    """

    type: str = "AdamW"
    lr: float = 1e-4
    weight_decay: float = 1e-6
    betas: tuple[float, float] = (0.9, 0.999)
    lr_scale: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Validation:
    """Validation during training, on patients of the data set's validation split.

    Attributes:
        interval: epochs between two validations; the last epoch of every stage is always validated.
        pairs: largest number of image-report pairs.
        seed: seed for drawing the pairs; it does not depend on the seed of the run.
        prompts: prompt set for zero-shot metrics, or None.
        choose: metric by which an epoch of the last stage is chosen, or None for the last epoch.
    """

    interval: int = 2
    pairs: int = 256
    seed: int = 0
    prompts: str | None = None
    choose: str | None = None


@dataclass(frozen=True)
class PretrainConfig:
    """Everything that determines a pre-training run, except the seed.

    Attributes:
        method: ``type`` (in METHODS) and its arguments.
        data, optimizer, schedule: see their classes.
        batch_size: pairs per step, over all processes together.
        vocab_size: vocabulary size of the tokenizer, if it is trained on the corpus.
        clip_grad: largest norm of the gradient, or None.
        precision: precision of the forward pass on a GPU; the CPU always computes in float32.
        tf32, cudnn_benchmark, compile: see :mod:`prior_bench.pretraining.gpu_speed`.
        sync_batch_norm: whether batch statistics are computed over all GPUs.
        find_unused_parameters: whether the method does not use all parameters in every step.
        hooks: further mmengine hooks, e.g. those of a method.
        keep_checkpoints: number of epochs whose states are kept during training, for resuming.
        save_every: time between two states within an epoch, or None to save on request alone.
        validation: validation on held-out patients, or None.
        gpus: number of GPUs that the run takes in a suite with ``--gpus``.
        log: ``tensorboard`` or ``wandb``, in addition to the log file and ``history.json``.
        name: name of the config file.
    """

    method: dict[str, Any]
    data: Data
    schedule: Schedule
    batch_size: int
    optimizer: Optimizer = field(default_factory=Optimizer)
    vocab_size: int = 4000
    clip_grad: float | None = None
    precision: str = "float16"
    tf32: str = "convolutions"
    cudnn_benchmark: bool = False
    compile: bool = False
    sync_batch_norm: bool = False
    find_unused_parameters: bool = False
    hooks: tuple[dict[str, Any], ...] = ()
    keep_checkpoints: int = 2
    save_every: str | None = "10min"
    validation: Validation | None = field(default_factory=Validation)
    gpus: int = 1
    log: tuple[str, ...] = ()
    name: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the config as a dict of plain types."""
        return asdict(self)

    @property
    def choose(self) -> str | None:
        """The metric by which the epoch is chosen, or None."""
        return self.validation.choose if self.validation else None

    @property
    def seen_splits(self) -> tuple[str, ...]:
        """Splits whose patients affect the weights, by training or by the choice of the epoch."""
        return tuple(dict.fromkeys((*self.data.splits, *((HELD_OUT,) if self.choose else ()))))

    def determining(self) -> dict[str, Any]:
        """Return the part that determines the weights.

        Name, logs, GPUs, and number and times of states are left out; validation, too, unless it chooses the
        epoch. So are settings of the GPU's arithmetic, which the record tells beside the device.
        """
        left_out = ["name", "log", "gpus", "keep_checkpoints", "save_every"]
        left_out += ["tf32", "cudnn_benchmark", "compile"]
        if not self.choose:
            left_out.append("validation")
        return {key: value for key, value in self.to_dict().items() if key not in left_out}


def load_config(name: str, overrides: dict[str, Any] | None = None) -> PretrainConfig:
    """Read the config ``name`` (of the package, or a path), with the dotted keys of ``overrides`` set.

    Raises:
        ErrorList: all errors in the config at once.
        BenchError: the config does not exist.
    """
    values, path = read_config(name, "pretrain")
    return from_dict({**merged(values, overrides or {}), "name": Path(path).stem}, where=path)


def from_dict(values: dict[str, Any], where: object = None, *, stored: bool = False) -> PretrainConfig:
    """Check plain types and convert them to a config. The values are kept as given.

    Args:
        values: the fields.
        where: file with the values, for messages.
        stored: whether the values are from an existing run; its hooks may have moved since and are not
            looked up.

    Raises:
        ErrorList: all errors in the values at once.
    """
    if stored:
        values = {**values, "schedule": _as_written(values.get("schedule"))}
    _, errors = attempted(PretrainFile, values)
    errors = name_errors(values, errors, hooks=not stored)
    if errors:
        raise ErrorList("this pre-training config cannot be used:", errors, where=where)
    schedule = dict(values["schedule"])
    if stages := schedule.get("stages"):
        schedule["stages"] = tuple(Stage(**stage) for stage in stages)
    validation = values.get("validation", {})
    made = {
        "validation": None if validation is None else Validation(**validation),
        "data": Data(**_tuples(values["data"], Data)),
        "optimizer": Optimizer(**_tuples(values.get("optimizer", {}), Optimizer)),
        "schedule": Schedule(**_tuples(schedule, Schedule)),
    }
    return PretrainConfig(**{**_tuples(values, PretrainConfig), **made})


def _as_written(schedule: Any) -> Any:
    """Return a stored schedule, which has all defaults, in the form of a config."""
    if not isinstance(schedule, dict) or not schedule.get("stages"):
        return schedule
    return {"stages": schedule["stages"]}


def _tuples(values: dict[str, Any], section: type) -> dict[str, Any]:
    """Convert lists to tuples for fields that are tuples; config files may have lists."""
    named = {f.name for f in fields(section) if "tuple" in str(f.type)}
    return {k: tuple(v) if k in named and isinstance(v, list | tuple) else v for k, v in values.items()}
