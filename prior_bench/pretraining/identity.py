"""The identity of a pre-training run: a hash of everything that determines its weights, known in advance."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import import_module
from typing import Any

from prior_bench.api import version_of
from prior_bench.data.images.cache.image_cache import DECODING
from prior_bench.data.references import resolve
from prior_bench.data.texts import prompts
from prior_bench.data.versions import data_versions
from prior_bench.pretraining.best_epoch import DESCRIBED, OF_PROMPTS
from prior_bench.pretraining.config import Data, PretrainConfig
from prior_bench.pretraining.synchronised import synchronised_part
from prior_bench.registry import METHODS
from prior_bench.versions import METHOD_WEIGHTS, TRAINED_WEIGHTS, machinery, raised, statistics_part

OURS = ("prior_bench", "baselines", "tasks")
"""Packages whose classes enter the identity by class name only, so that they can move to other modules."""

PARTS = (
    "prior_bench.encoders",
    "prior_bench.losses",
    "prior_bench.pretraining",
    "prior_bench.data.images.geometry",
    *DECODING,
    "prior_bench.data.images.transforms",
)
"""Modules that every run uses, in addition to those of the method."""


def run_identity(config: PretrainConfig, fingerprint: str, seed: int) -> str:
    """Hash the resolved config, the seed, the data's content and the declared versions of all parts.

    Raises:
        BenchError: the method is unknown, or a version is not a whole number.
    """
    parts = {
        "config": determining(config),
        "seed": seed,
        "data": fingerprint,
        "versions": raised(run_versions(config)),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def determining(config: PretrainConfig) -> dict[str, Any]:
    """Return the parts of a config that determine the weights; paths of data set and own hooks do not."""
    values = config.determining()
    dataset = {key: value for key, value in resolve(config.data.dataset).items() if key != "root"}
    values["data"] = {**values["data"], "dataset": dataset}
    if config.validation is not None and config.choose:
        named = config.validation.prompts if config.choose in OF_PROMPTS else None
        values["validation"] = {
            **values["validation"],
            "prompts": prompts.load(named).label() if named else None,
        }
    values["hooks"] = [{**hook, "type": _known_as(_hook_type(hook))} for hook in config.hooks]
    return values


def run_versions(config: PretrainConfig) -> dict[str, int]:
    """Return the declared versions of everything that a pre-training run uses, by name."""
    return {
        **method_versions(config.method),
        **machinery(TRAINED_WEIGHTS),
        **data_versions(resolve(config.data.dataset)),
        **{f"hook {_known_as(name)}": _hook_version(name) for name in map(_hook_type, config.hooks)},
        **_choice_versions(config),
        **machinery(_synchronised(config)),
    }


def _synchronised(config: PretrainConfig) -> tuple[str, ...]:
    encoder = config.method.get("image_encoder")
    return synchronised_part(encoder) if config.sync_batch_norm and isinstance(encoder, Mapping) else ()


def _choice_versions(config: PretrainConfig) -> dict[str, int]:
    """Return declared versions that affect the choice of the epoch; otherwise, validation changes nothing."""
    if config.validation is None or not config.choose:
        return {}
    metric = {f"metric {config.choose}": DESCRIBED[config.choose].version}
    return {**machinery(("eval_transform",)), **metric}


def method_versions(method: Mapping[str, Any]) -> dict[str, int]:
    """Return the declared versions that determine a method's untrained weights and its input.

    Args:
        method: section ``method`` of a config.
    """
    parts = (*METHOD_WEIGHTS, *statistics_part(method.get("image_encoder") or {}))
    name = method["type"]
    return {"method": version_of(METHODS.get(name), f"method {name}"), **machinery(parts)}


@cache
def training_source(method: str) -> str:
    """Hash the source code that trains a method. It is provenance and not part of an identity."""
    from prior_bench.store.source_hash import code_version, used_modules

    place = method if ":" in method else METHODS.source(method)
    return code_version(*PARTS, *used_modules(place.partition(":")[0]))


def _hook_type(hook: dict[str, Any]) -> str:
    return str(hook.get("type", ""))


def _known_as(hook: str) -> str:
    """Return a hook's name in identities: for ``module.Class`` of an own package only the class."""
    return hook.rpartition(".")[2] if hook.partition(".")[0] in OURS else hook


def _hook_version(name: str) -> int:
    from mmengine.registry import HOOKS

    module, _, attribute = name.rpartition(".")
    try:
        hook = getattr(import_module(module), attribute) if module else HOOKS.get(name)
    except (ImportError, AttributeError):
        hook = None  # building the hook raises the error
    return version_of(hook, f"hook {name}")


def data_fingerprint(data: Data) -> str:
    """Hash the content of the data set that is trained on; it is read once per process."""
    return _fingerprint(json.dumps(data.dataset, sort_keys=True), data.split_rule, data.shard_window)


@lru_cache(maxsize=8)
def _fingerprint(reference: str, rule: str, shard_window: int | None) -> str:
    from prior_bench.data.open import open_dataset
    from prior_bench.pretraining.dataset import fingerprint_of

    data = Data(json.loads(reference), split_rule=rule, shard_window=shard_window)
    return fingerprint_of(data, open_dataset(data.dataset, split=rule))
