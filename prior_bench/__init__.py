"""prior-bench: PRIOR, its baselines, and one benchmark for medical vision-language backbones.

    import prior_bench as pb

    result = pb.evaluate("timm:resnet50", task="classification", data="my.csv")

Importing this package imports neither torch nor pandas nor an OpenMMLab library. It has no side effects
unless ``PRIOR_BENCH_OFFLINE`` is set (:mod:`prior_bench.offline`). Functions import what they need when they
are first used. See docs/api.md.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from prior_bench.offline import stay_offline

if TYPE_CHECKING:
    from prior_bench.api import Backbone, Features, InputSpec, TextBatch
    from prior_bench.encoders.wrapped import wrap
    from prior_bench.errors import BenchError
    from prior_bench.public.backbones import load_backbone
    from prior_bench.public.datasets import open_dataset
    from prior_bench.public.embedding import embed
    from prior_bench.public.evaluation import evaluate
    from prior_bench.public.leaderboards import build_leaderboard, bundle, check_bundle
    from prior_bench.public.listing import available, list_protocols
    from prior_bench.public.pretraining import pretrain
    from prior_bench.public.results import Result, Results
    from prior_bench.public.tables import ComparisonTable, compare, table

__version__ = "0.1.0"

stay_offline()  # before anything that could download is imported

__all__ = [
    "Backbone",
    "BenchError",
    "ComparisonTable",
    "Features",
    "InputSpec",
    "Result",
    "Results",
    "TextBatch",
    "available",
    "build_leaderboard",
    "bundle",
    "check_bundle",
    "compare",
    "embed",
    "evaluate",
    "list_protocols",
    "load_backbone",
    "open_dataset",
    "pretrain",
    "table",
    "wrap",
]

_PLACES = {
    "Backbone": "prior_bench.api",
    "BenchError": "prior_bench.errors",
    "ComparisonTable": "prior_bench.public.tables",
    "Features": "prior_bench.api",
    "InputSpec": "prior_bench.api",
    "Result": "prior_bench.public.results",
    "Results": "prior_bench.public.results",
    "TextBatch": "prior_bench.api",
    "available": "prior_bench.public.listing",
    "build_leaderboard": "prior_bench.public.leaderboards",
    "bundle": "prior_bench.public.leaderboards",
    "check_bundle": "prior_bench.public.leaderboards",
    "compare": "prior_bench.public.tables",
    "embed": "prior_bench.public.embedding",
    "evaluate": "prior_bench.public.evaluation",
    "list_protocols": "prior_bench.public.listing",
    "load_backbone": "prior_bench.public.backbones",
    "open_dataset": "prior_bench.public.datasets",
    "pretrain": "prior_bench.public.pretraining",
    "table": "prior_bench.public.tables",
    "wrap": "prior_bench.encoders.wrapped",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'prior_bench' has no attribute '{name}'")
    found = getattr(import_module(_PLACES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
