"""What determines the weights of a pre-training run, as a hash known before they exist."""

from __future__ import annotations

import hashlib
import json
from functools import cache, lru_cache

from prior_bench.pretraining.config import Data, PretrainConfig
from prior_bench.registry import METHODS

PARTS = (
    "prior_bench.encoders",
    "prior_bench.losses",
    "prior_bench.pretraining",
    "prior_bench.data.images.geometry",
    "prior_bench.data.images.decode",
    "prior_bench.data.images.transforms",
)
"""Code every run goes through; the method's own modules come on top."""


def run_identity(config: PretrainConfig, fingerprint: str, seed: int) -> str:
    """Hash of the resolved config, the seed, the data's content and the code of the parts used, hooks too."""
    parts = {
        "config": config.determining(),
        "seed": seed,
        "data": fingerprint,
        "code": method_code(config.method["type"]),
        "hooks": [_hook_code(str(hook.get("type", ""))) for hook in config.hooks],
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


@cache
def method_code(name: str) -> str:
    """Version of the code that trains the method ``name``."""
    from prior_bench.store.source_hash import code_version, used_modules

    module = METHODS.source(name).partition(":")[0]
    return code_version(*PARTS, *used_modules(module))


def _hook_code(name: str) -> str:
    """Version of the code of the hook that a config names by its place, ``module.Class``."""
    from prior_bench.store.source_hash import code_version, used_modules

    return code_version(*used_modules(name.rpartition(".")[0]))


def data_fingerprint(data: Data) -> str:
    """Hash of the content of the data set that is trained on; read once per process."""
    return _fingerprint(json.dumps(data.dataset, sort_keys=True), data.split_rule, data.shard_window)


@lru_cache(maxsize=8)
def _fingerprint(reference: str, rule: str, shard_window: int | None) -> str:
    from prior_bench.data.open import open_dataset
    from prior_bench.pretraining.dataset import fingerprint_of

    data = Data(json.loads(reference), split_rule=rule, shard_window=shard_window)
    return fingerprint_of(data, open_dataset(data.dataset, split=rule))
