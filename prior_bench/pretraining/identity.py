"""What determines the weights of a pre-training run, as a hash known before they exist."""

from __future__ import annotations

import hashlib
import json
from functools import cache

from prior_bench.pretraining.config import PretrainConfig
from prior_bench.registry import METHODS

PARTS = (
    "prior_bench.encoders",
    "prior_bench.losses",
    "prior_bench.pretraining",
    "prior_bench.data.geometry",
    "prior_bench.data.images",
    "prior_bench.data.transforms",
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
    from prior_bench.engine.code import code_version, used_modules

    module = METHODS.source(name).partition(":")[0]
    return code_version(*PARTS, *used_modules(module))


def _hook_code(name: str) -> str:
    """Version of the code of the hook that a config names by its place, ``module.Class``."""
    from prior_bench.engine.code import code_version, used_modules

    return code_version(*used_modules(name.rpartition(".")[0]))
