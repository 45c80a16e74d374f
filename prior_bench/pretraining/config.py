"""A pre-training config: read, checked as a whole, and carried.

The file is an mmengine config (Python, ``_base_`` allowed) whose names are the fields of
:class:`PretrainConfig`; shipped ones are in ``configs/pretrain``. What each key may be is in
:mod:`prior_bench.schema.pretrain`.
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
"""Split of the pre-training data set that training is validated on."""


@dataclass(frozen=True)
class Data:
    """Image-report pairs, one per study.

    Attributes:
        dataset: data reference, see :func:`prior_bench.data.open.resolve`.
        split_rule: rule by which the data set is split.
        splits: which splits are trained on.
        text: what is fed of a report, drawn again in each epoch.
        min_sentences, min_words: shorter reports are left out.
        min_sentence_words: shorter sentences are left out, before the reports are counted.
        transform: training transform, see :func:`prior_bench.data.images.transforms.train_transform`.
        cache: ``"memory"`` keeps all images decoded, reduced to a quarter above the input size.
        shard_window: None draws any image at any time, which an image cache on a local disk, or one that fits
            in memory, serves as fast. A number reads the shards of the image cache (256 images each) from
            beginning to end, in random order, and mixes so many of them: no waiting for a disk that is slow
            at random access (network, spinning), at the price that only pairs of the same few shards meet
            in a batch. A shard holds images that are neighbours by name: the more shards, the more alike the
            two ways; 16 are about 230 MB of an image cache of size 256.
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
    """A torch optimiser; biases and normalisation layers are never decayed.

    Attributes:
        type: class in ``torch.optim``.
        lr: peak learning rate.
        weight_decay, betas: its arguments.
        lr_scale: factors for parameters whose name starts with the key, e.g. ``dict(text_encoder=0.1)``.
    """

    type: str = "AdamW"
    lr: float = 1e-4
    weight_decay: float = 1e-6
    betas: tuple[float, float] = (0.9, 0.999)
    lr_scale: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Validation:
    """Validation while training, on patients of the data set's validation split.

    Attributes:
        interval: epochs between two validations; the last epoch of every stage is always validated.
        pairs: most image-report pairs.
        seed: draws the pairs, whatever the seed of the run.
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
    """All that determines a pre-training run, but for the seed.

    Attributes:
        method: ``type`` (in METHODS) and its arguments.
        data, optimizer, schedule: see there.
        batch_size: pairs per step, over all processes together.
        vocab_size: of the tokenizer trained on the corpus, where the text encoder is made from a config.
        clip_grad: largest norm of the gradient, or None.
        precision: of the forward pass on a GPU; the CPU always computes in float32.
        sync_batch_norm: batch statistics over all GPUs.
        find_unused_parameters: needed by methods that do not use all parameters in every step.
        hooks: further mmengine hooks, e.g. the stages of a method.
        keep_checkpoints: how many epochs' states are kept while training, for resuming.
        validation: on held-out patients; None for none.
        log: ``tensorboard`` or ``wandb``, besides the log file and ``history.json``.
        name: of the config file.
    """

    method: dict[str, Any]
    data: Data
    schedule: Schedule
    batch_size: int
    optimizer: Optimizer = field(default_factory=Optimizer)
    vocab_size: int = 4000
    clip_grad: float | None = None
    precision: str = "float16"
    sync_batch_norm: bool = False
    find_unused_parameters: bool = False
    hooks: tuple[dict[str, Any], ...] = ()
    keep_checkpoints: int = 2
    validation: Validation | None = field(default_factory=Validation)
    log: tuple[str, ...] = ()
    name: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain types."""
        return asdict(self)

    @property
    def choose(self) -> str | None:
        """The metric that chooses the epoch, if any."""
        return self.validation.choose if self.validation else None

    @property
    def seen_splits(self) -> tuple[str, ...]:
        """Splits whose patients the weights depend on: trained on, or used to choose an epoch."""
        return tuple(dict.fromkeys((*self.data.splits, *((HELD_OUT,) if self.choose else ()))))

    def determining(self) -> dict[str, Any]:
        """The part that determines the weights: neither names nor logs nor what is kept or only watched."""
        left_out = ["name", "log", "keep_checkpoints"]
        if not self.choose:
            left_out.append("validation")
        return {key: value for key, value in self.to_dict().items() if key not in left_out}


def load_config(name: str, overrides: dict[str, Any] | None = None) -> PretrainConfig:
    """The config ``name`` (shipped, or a path), with dotted keys of ``overrides`` set.

    Raises:
        ErrorList: everything that is wrong with it, at once.
        BenchError: no such config.
    """
    values, path = read_config(name, "pretrain")
    return from_dict({**merged(values, overrides or {}), "name": Path(path).stem}, where=path)


def from_dict(values: dict[str, Any], where: object = None, *, stored: bool = False) -> PretrainConfig:
    """A config from plain types, checked. It carries the values as they were given.

    Args:
        values: the fields.
        where: the file that they came from.
        stored: they came from a finished run, whose hooks may lie elsewhere today and are not looked up.

    Raises:
        ErrorList: everything that is wrong with it, at once.
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
    """A schedule as a config says it, from one that was stored with all its defaults."""
    if not isinstance(schedule, dict) or not schedule.get("stages"):
        return schedule
    return {"stages": schedule["stages"]}


def _tuples(values: dict[str, Any], section: type) -> dict[str, Any]:
    """Config files may say lists where the fields are tuples."""
    named = {f.name for f in fields(section) if "tuple" in str(f.type)}
    return {k: tuple(v) if k in named and isinstance(v, list | tuple) else v for k, v in values.items()}
