"""The key of a run: a hash of everything that determines its outcome, without source code or file paths."""

from __future__ import annotations

import hashlib
import json

from prior_bench.api import RehearsalSize, RunSpec, version_of
from prior_bench.data.versions import data_versions
from prior_bench.io.plain import plain
from prior_bench.registry import CORRUPTIONS, TASKS
from prior_bench.schema.protocol import FewShot
from prior_bench.suites.protocols import from_dict
from prior_bench.versions import EVALUATION, machinery, raised

UNHEARD = ("source", "few_shot", "gpus")
"""Fields of a protocol that do not change a number; ``few_shot`` is in the keys of few-shot runs alone."""

NEUTRAL = {"version": 1}
"""Fields of a protocol that a key holds only where they have another value than this. A field that is added
to :class:`prior_bench.api.Protocol` belongs here, with the value under which nothing changes."""


def run_key(spec: RunSpec, identity: str, fingerprint: str, versions: dict[str, int]) -> str:
    """Hash of everything that determines a run's outcome.

    Args:
        spec: its task, protocol, fraction, shots and seed count.
        identity: of the weights.
        fingerprint: of the data's content.
        versions: from :func:`run_versions`; those that are 1 make no difference.
    """
    protocol = {
        name: value
        for name, value in spec.protocol.items()
        if name not in UNHEARD and not (name in NEUTRAL and value == NEUTRAL[name])
    }
    parts = [identity, spec.task, protocol, fingerprint, spec.fraction, spec.seed, raised(versions)]
    if spec.shots is not None:
        drawn = FewShot.model_validate(spec.protocol.get("few_shot", {}))
        parts.append({"shots": spec.shots, **drawn.model_dump()})
    text = json.dumps(plain(parts), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def run_versions(spec: RunSpec) -> dict[str, int]:
    """Declared versions of everything that a run uses, less what its weights already know, by name.

    Raises:
        BenchError: a name that is not registered, or a version that is no whole number.
    """
    task, protocol = TASKS.get(spec.task)(), from_dict(spec.protocol)
    metrics = getattr(task, "metrics", {})
    versions = {"task": version_of(task, spec.task), **machinery(getattr(task, "machinery", EVALUATION))}
    for name in protocol.metrics:
        versions[f"metric {name}"] = version_of(metrics[name] if name in metrics else None, f"metric {name}")
    for name in protocol.options.get("corruptions", ()):
        versions[f"corruption {name}"] = version_of(CORRUPTIONS.get(name), f"corruption {name}")
    further = getattr(task, "versions", None)
    return {**versions, **data_versions(spec.data), **(further(protocol) if further else {})}


def rehearsal_key(key: str, size: RehearsalSize) -> str:
    """Key of a rehearsed run: it is that of no real run."""
    return hashlib.sha256(f"rehearsal {size.factor!r} {size.batch} of {key}".encode()).hexdigest()[:16]
