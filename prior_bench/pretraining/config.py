"""A pre-training config: read, checked as a whole, and typed.

The file is an mmengine config (Python, ``_base_`` allowed) whose names are the fields of
:class:`PretrainConfig`; shipped ones are in ``configs/pretrain``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from prior_bench.api import InputSpec
from prior_bench.errors import BenchError, ErrorList, unknown_name
from prior_bench.pretraining.schedule import Schedule, Stage
from prior_bench.schema.reading import read_config

TEXT_MODES = ("random_sentence", "random_sentences", "report", "shuffled_sentences")
LOGS = ("tensorboard", "wandb")
PRECISIONS = ("float32", "float16", "bfloat16")


@dataclass(frozen=True)
class Data:
    """Image-report pairs, one per study.

    Attributes:
        dataset: data reference, see :func:`prior_bench.data.open.resolve`.
        split_rule: rule by which the data set is split.
        splits: which splits are trained on.
        text: what is fed of a report, drawn anew each epoch: one of TEXT_MODES.
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
        log: of LOGS, besides the log file and ``history.json``.
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
    log: tuple[str, ...] = ()
    name: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain types."""
        return asdict(self)

    def determining(self) -> dict[str, Any]:
        """The part that determines the weights: neither names nor logs nor what is kept."""
        left_out = ("name", "log", "keep_checkpoints")
        return {key: value for key, value in self.to_dict().items() if key not in left_out}


SECTIONS = {"data": Data, "optimizer": Optimizer, "schedule": Schedule}


def load_config(name: str, overrides: dict[str, Any] | None = None) -> PretrainConfig:
    """The config ``name`` (shipped, or a path), with dotted keys of ``overrides`` set.

    Raises:
        ErrorList: everything that is wrong with it, at once.
        BenchError: no such config.
    """
    from mmengine.config import Config

    values, path = read_config(name, "pretrain")
    if overrides:
        merged = Config(values)
        merged.merge_from_dict(dict(overrides))
        values = merged.to_dict()
    return from_dict({**values, "name": Path(path).stem}, where=path)


def from_dict(values: dict[str, Any], where: object = None) -> PretrainConfig:
    """A config from plain types, checked.

    Raises:
        ErrorList: everything that is wrong with it, at once.
    """
    errors: list[BenchError] = []
    errors += _key_errors(values, PretrainConfig, "")
    made = {}
    for key, section in SECTIONS.items():
        given = values.get(key, {})
        if not isinstance(given, dict):
            errors.append(BenchError(f"must be a dict, not {type(given).__name__}", where=key))
            continue
        wrong = _key_errors(given, section, key) if key in values or key == "optimizer" else []
        if section is Schedule and not wrong:
            given, wrong = _with_stages(given)
        errors += wrong
        if not wrong and (given or key == "optimizer"):
            made[key] = section(**_tuples(given, section))
    errors += _value_errors(values, made) + _method_errors(values.get("method"))
    if errors:
        raise ErrorList("this pre-training config cannot be used:", errors, where=where)
    return PretrainConfig(**{**_tuples(values, PretrainConfig), **made})


def _key_errors(values: dict[str, Any], section: type, prefix: str) -> list[BenchError]:
    known = [f.name for f in fields(section)]
    needed = [f.name for f in fields(section) if f.default is MISSING and f.default_factory is MISSING]
    errors = [unknown_name("key", key, known, where=prefix or "config") for key in values if key not in known]
    return errors + [
        BenchError(f"the key '{k}' is missing", where=prefix or "config") for k in needed if k not in values
    ]


def _with_stages(schedule: dict[str, Any]) -> tuple[dict[str, Any], list[BenchError]]:
    """The schedule with its stages made, and what is wrong with it."""
    stages = schedule.get("stages") or ()
    if bool(stages) == any(key != "stages" for key in schedule):
        what = "must say either 'stages', or 'epochs' and the like of a single one"
        return schedule, [BenchError(what, where="schedule")]
    if not _dicts(stages):
        return schedule, [BenchError("must be a list of dicts", where="schedule.stages")]
    errors = [e for i, stage in enumerate(stages) for e in _key_errors(stage, Stage, f"schedule.stages.{i}")]
    if not errors:
        schedule = {**schedule, "stages": tuple(Stage(**stage) for stage in stages)}
    return schedule, errors


def _dicts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(one, dict) for one in value)


def _tuples(values: dict[str, Any], section: type) -> dict[str, Any]:
    """Config files may say lists where the fields are tuples."""
    named = {f.name for f in fields(section) if "tuple" in str(f.type)}
    return {k: tuple(v) if k in named and isinstance(v, list | tuple) else v for k, v in values.items()}


def _value_errors(values: dict[str, Any], made: dict[str, Any]) -> list[BenchError]:
    from prior_bench.data.images.transforms import train_transform
    from prior_bench.data.open import resolve

    errors = []

    def demand(holds: bool, what: str, where: str) -> None:
        if not holds:
            errors.append(BenchError(what, where=where))

    def choose(value: Any, known: tuple[str, ...], where: str) -> None:
        if value not in known:
            errors.append(unknown_name("choice", str(value), list(known), where=where))

    batch = values.get("batch_size", 2)
    demand(
        isinstance(batch, int) and batch >= 2,
        "must be an integer of at least 2: a pair needs a negative",
        "batch_size",
    )
    choose(values.get("precision", "float32"), PRECISIONS, "precision")
    demand(_dicts(values.get("hooks", ())), "must be a list of dicts (a comma after a single one)", "hooks")
    for log in values.get("log", ()):
        choose(log, LOGS, "log")
    if data := made.get("data"):
        choose(data.text, TEXT_MODES, "data.text")
        demand(data.cache in (None, "memory"), f"is '{data.cache}'; must be None or 'memory'", "data.cache")
        errors += _shard_window_errors(data)
        for check in (lambda: resolve(data.dataset), lambda: train_transform(InputSpec(), data.transform)):
            try:
                check()
            except BenchError as error:
                errors.append(error)
    if schedule := made.get("schedule"):
        for i, stage in enumerate(schedule.parts):
            where = f"schedule.stages.{i}" if schedule.stages else "schedule"
            demand(stage.epochs >= 1, "must be at least 1", f"{where}.epochs")
            fits = stage.epochs < 1 or 0 <= stage.warmup_epochs < stage.epochs
            demand(fits, "must lie in [0, epochs)", f"{where}.warmup_epochs")
            demand(0 < stage.warmup_factor <= 1, "must lie in (0, 1]", f"{where}.warmup_factor")
            demand(stage.lr_factor > 0, "must be positive", f"{where}.lr_factor")
    if optimizer := made.get("optimizer"):
        import torch

        if not hasattr(torch.optim, optimizer.type):
            known = [n for n in dir(torch.optim) if n[:1].isupper()]
            errors.append(unknown_name("optimizer", optimizer.type, known, where="optimizer.type"))
        demand(optimizer.lr > 0, "must be positive", "optimizer.lr")
    return errors


def _shard_window_errors(data: Data) -> list[BenchError]:
    window, where = data.shard_window, "data.shard_window"
    if window is None:
        return []
    if isinstance(window, bool) or not isinstance(window, int) or window < 1:
        return [BenchError(f"is {window!r}; must be None or a number of shards", where=where)]
    if data.cache == "memory":
        return [BenchError("reads from disk what data.cache='memory' keeps: say one of them", where=where)]
    if not isinstance(data.dataset, dict) or not data.dataset.get("cache"):
        what = "reads an image cache, and the data set names none"
        fix = "make one (prior-bench data cache REF --size N) and say data.dataset=dict(type=..., cache=N)"
        return [BenchError(what, where=where, fix=fix)]
    return []


def _method_errors(method: Any) -> list[BenchError]:
    from prior_bench.registry import METHODS

    if not isinstance(method, dict) or "type" not in method:
        return [BenchError("must be a dict with a 'type'", where="method")] if method is not None else []
    try:
        factory = METHODS.get(method["type"])
    except BenchError as error:
        return [error]
    from prior_bench.encoders.image import ImageEncoder
    from prior_bench.encoders.text import TextEncoder

    given = {key: value for key, value in method.items() if key != "type"}
    errors = _argument_errors(given, factory, "method")
    for key, encoder in (("image_encoder", ImageEncoder), ("text_encoder", TextEncoder)):
        if isinstance(given.get(key), dict):
            errors += _argument_errors(given[key], encoder, f"method.{key}")
    return errors


def _argument_errors(given: dict[str, Any], factory: Callable, where: str) -> list[BenchError]:
    parameters = inspect.signature(factory).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return []
    errors = [
        unknown_name("argument", k, list(parameters), where=where) for k in given if k not in parameters
    ]
    needed = [n for n, p in parameters.items() if p.default is p.empty and p.kind is not p.VAR_POSITIONAL]
    return errors + [
        BenchError(f"the argument '{n}' is missing", where=where) for n in needed if n not in given
    ]
