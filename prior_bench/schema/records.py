"""Models of what a store holds: records, plans. They check what was read and convert nothing.

Records come from other people and other versions. Keys that are not named here are let through, because other
versions wrote them; those that are named have the type that the code that shows them relies on.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from prior_bench.errors import BenchError
from prior_bench.schema.errors import attempted, dotted

DEEPEST = 24
"""Largest number of lists and dicts inside each other; what is written has 7."""
LARGEST = 2.0**63
"""Bound of whole numbers."""


Number = Annotated[float, Field(allow_inf_nan=False)]
"""A finite number."""
Amount = Annotated[float, Field(ge=0, le=1e15)]
"""Seconds, images and the like."""
Value = Number | None
"""A finite number, or None where a metric is undefined."""
Named = Annotated[str, Field(min_length=1)]
"""Text that is not empty."""
Score = Annotated[float, Field(ge=-1e15, le=1e15, allow_inf_nan=False)] | None
"""A value of a metric, which may be scaled and squared; None where it is undefined."""
Values = dict[str, Value]
Scores = dict[str, Score]
Anything = dict[str, Any]


class Stored(BaseModel):
    """A part of a stored file; keys of other versions are let through."""

    model_config = ConfigDict(extra="allow", strict=True, use_attribute_docstrings=True)


class StoredBackbone(Stored):
    """The row of a run."""

    name: Named
    type: str = ""


class StoredData(Stored):
    """The resolved data reference of a run."""

    name: Named
    type: str = ""
    root: str = ""


class StoredSplit(Stored):
    """The split rule of a protocol."""

    rule: str = "default"
    by_seed: bool = False


class StoredProtocol(Stored):
    """The protocol of a run; each field may be missing except those that every version wrote."""

    name: Named
    task: str = ""
    source: str = ""
    split: StoredSplit = StoredSplit()
    fraction_sampler: Anything = {}
    few_shot: Anything = {}
    transform: Anything = {}
    head: Anything = {}
    frozen: Anything = {}
    optimizer: Anything = {}
    batch_size: int = 64
    stopping: Anything = {}
    metrics: list[str]
    options: Anything = {}
    defects: list[str] = []
    version: int = 1


class StoredSpec(Stored):
    """The settings of a run (:class:`prior_bench.api.RunSpec`)."""

    model_config = ConfigDict(extra="forbid", strict=True)

    backbone: StoredBackbone
    task: Named
    data: StoredData
    protocol: StoredProtocol
    fraction: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
    seed: Annotated[int, Field(ge=0)]
    shots: Annotated[int, Field(ge=1)] | None = None


class StoredWeights(Stored):
    """What a record says about its weights."""

    path: str = ""
    history: list[Anything] | None = None
    warnings: list[str] = []


class StoredGit(Stored):
    """The revision that wrote a record."""

    revision: str | None = None
    dirty: bool = False


class StoredMachine(Stored):
    """The machine that wrote a record."""

    cpu: str = ""
    gpu: str = ""
    cores: Number = 0
    threads: Number = 0


class StoredInput(Stored):
    """How images are prepared for a backbone."""

    resize: str = "pad"


class StoredWork(Stored):
    """A piece of work of a rehearsal (:class:`prior_bench.api.Measured`)."""

    model_config = ConfigDict(extra="forbid", strict=True)

    what: str
    kind: str
    done: Amount
    real: Amount
    seconds: Amount
    steps: Annotated[int, Field(ge=0)] = 0
    batch: Annotated[int, Field(ge=0)] = 0
    once: str = ""


class StoredRehearsal(Stored):
    """What a rehearsal measured."""

    work: list[StoredWork] = []


class StoredProvenance(Stored):
    """How a record was made."""

    backbone: StoredWeights = StoredWeights()
    identity: str = ""
    data_fingerprint: str = ""
    declared_versions: dict[str, int] | None = None
    versions: dict[str, str] = {}
    git: StoredGit = StoredGit()
    hardware: StoredMachine = StoredMachine()
    input: StoredInput = StoredInput()
    peak_gib: dict[str, Number] | None = None
    parameters: Number | None = None
    wall_seconds: Annotated[float, Field(ge=0, le=1e9)] | None = None
    leakage: list[str] = []
    rehearsal: StoredRehearsal = StoredRehearsal()
    command: str = ""
    finished: str = ""
    code_version: str | None = None


class StoredDraw(Stored):
    """How a few images per class were drawn."""

    draw: str = "patients"
    validation: str = ""


class StoredSizes(Stored):
    """What a record says about its split."""

    few_shot: StoredDraw | None = None


class StoredMetric(Stored):
    """How a record describes a metric (:class:`prior_bench.api.Metric`)."""

    name: Named
    direction: Literal["higher", "lower"] = "higher"
    title: str = ""
    scale: Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)] = 100.0
    digits: Annotated[int, Field(ge=0, le=12)] = 1
    bounds: list[Score] = Field([0.0, 1.0], min_length=2, max_length=2)
    chance: Score = None
    needs: list[str] = []
    parts: str = ""
    error: Literal["bootstrap", "delong"] = "bootstrap"
    version: int = 1


class StoredRecord(Stored):
    """``record.json`` (:class:`prior_bench.api.RunRecord`)."""

    key: Named
    status: Literal["done", "failed"] = "done"
    spec: StoredSpec
    metrics: Scores = {}
    trivial: dict[str, Scores] = {}
    history: list[Values] = []
    split: StoredSizes = StoredSizes()
    error: str = ""
    provenance: StoredProvenance = StoredProvenance()
    synthetic: bool = False
    undefined: dict[str, str] = {}
    about: Anything = {}


class StoredCell(Stored):
    """A cell of a plan: its settings, and its key or the reason why it has none."""

    spec: StoredSpec
    key: str
    reason: str


class StoredPlan(Stored):
    """``plan.json``."""

    runs: list[StoredCell]


def check_record(values: Any) -> None:
    """Check the content of a ``record.json``.

    Raises:
        BenchError: the first thing that is wrong, and how many more there are.
    """
    _check(StoredRecord, values)


def check_plan(values: Any) -> None:
    """Check the content of a ``plan.json``; raises BenchError as :func:`check_record` does."""
    _check(StoredPlan, values)


def check_plain(value: Any) -> None:
    """Check what no type says: depth, size of whole numbers, infinity, and characters that cannot be written.

    Raises:
        BenchError: a part of the value could not be printed, or not be stored again.
    """
    waiting: list[tuple[Any, str, int]] = [(value, "", 0)]
    while waiting:
        here, key, depth = waiting.pop()
        if depth > DEEPEST:
            raise BenchError(f"more than {DEEPEST} lists and dicts are inside each other", where=key[:80])
        named = here.items() if isinstance(here, dict) else ((None, one) for one in here)
        for name, inner in named:
            if name is not None and not _printable(name):
                raise BenchError("a key holds a character that is no text", where=key)
            if isinstance(inner, (dict, list)):
                waiting.append((inner, dotted(key, name or ""), depth + 1))
            elif why := _unfit(inner):
                raise BenchError(why, where=dotted(key, name or ""))


def _unfit(value: Any) -> str:
    """Why a single value cannot be printed or stored again; empty if it can."""
    if isinstance(value, str):
        return "" if _printable(value) else "holds a character that is no text"
    if isinstance(value, float) and not math.isfinite(value):
        return f"is {value}; must be a finite number, or null where it is undefined"
    if isinstance(value, int) and not -LARGEST < value < LARGEST:
        return "is a whole number of more than 63 bits"
    return ""


def _printable(text: str) -> bool:
    """Whether a text has no zero byte and no half of a surrogate pair."""
    if text.isascii():
        return "\0" not in text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _check(model: type[BaseModel], values: Any) -> None:
    if not isinstance(values, dict):
        raise BenchError("is no JSON object")
    check_plain(values)
    try:
        model.model_validate(values)
    except ValidationError:
        _, errors = attempted(model, values)
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        first = errors[0]
        raise BenchError(f"{first.what}{more}", where=first.where, fix="") from None
