"""The contract: the small typed objects that data, models, tasks and tables exchange.

Importing it needs only the standard library.
"""

from prior_bench.api.encoders import ImageEncoderLike, MapEncoderLike
from prior_bench.api.inputs import InputSpec
from prior_bench.api.metrics import Metric, by_name, find_metric
from prior_bench.api.models import (
    Backbone,
    BackboneSource,
    Features,
    LoadContext,
    Method,
    PretrainBatch,
    TextBatch,
)
from prior_bench.api.rehearsal import Measured, Rehearsal, RehearsalSize, repeated
from prior_bench.api.runs import RunRecord, RunSpec
from prior_bench.api.stored import NeededVectors, StoredVectors, text_key
from prior_bench.api.tasks import Protocol, RunContext, Task, TaskResult, Work
from prior_bench.api.versions import version_of, versioned

__all__ = [
    "Backbone",
    "BackboneSource",
    "Features",
    "ImageEncoderLike",
    "InputSpec",
    "LoadContext",
    "MapEncoderLike",
    "Measured",
    "Method",
    "Metric",
    "NeededVectors",
    "PretrainBatch",
    "Protocol",
    "Rehearsal",
    "RehearsalSize",
    "RunContext",
    "RunRecord",
    "RunSpec",
    "StoredVectors",
    "Task",
    "TaskResult",
    "TextBatch",
    "Work",
    "by_name",
    "find_metric",
    "repeated",
    "text_key",
    "version_of",
    "versioned",
]
