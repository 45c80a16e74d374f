"""What runs were computed with, where this may change numbers although their keys are equal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from prior_bench.api import RunRecord
from prior_bench.report.runs.run_text import inline

ON_EVERY_DEVICE = {"device": "device", "deterministic": "deterministic algorithms"}
ON_A_CPU = {
    "cpu": "processor",
    "threads": "threads",
    "instructions": "vector instructions",
    "blas": "BLAS",
}
ON_A_GPU = {"gpu": "GPU"}
OF_TRAINING = {
    **{"processes": "processes", "device": "device", "precision": "precision"},
    **{"tf32": "TF32", "cudnn_benchmark": "trials of cuDNN", "compile": "compilation"},
}
"""Fields of a record's hardware that its numbers may depend on, and their names, by the device; and those of
a pre-training, which may go on with others than it began with."""
PAGE = "docs/same_numbers.md"


def circumstances(record: RunRecord) -> dict[str, str]:
    """Return what a run was computed with, by name, as far as its record tells.

    The processor counts only where it computed. The same names with ``of the pre-training`` tell how the
    weights were made, if they were trained by prior-bench.
    """
    found = _of_hardware(record.provenance.get("hardware"))
    backbone = record.provenance.get("backbone")
    trained = backbone.get("trained_on") if isinstance(backbone, dict) else None
    told = {**_of_hardware(trained), **(_of_training(backbone) if isinstance(backbone, dict) else {})}
    found |= {f"{name} of the pre-training": value for name, value in told.items()}
    packages = record.provenance.get("versions")
    if isinstance(packages, dict):
        found |= {f"version of {name}": str(packages[name]) for name in packages if name != "prior-bench"}
    return found


def differences(first: Iterable[RunRecord], second: Iterable[RunRecord]) -> list[str]:
    """Return a line for each circumstance in which two groups of runs differ, such as ``threads: 1, 2``.

    What one of the groups does not tell is no difference, because records of earlier versions lack it.
    """
    one, two = _values(first), _values(second)
    return [
        f"{name}: {' and '.join(one[name])}, {' and '.join(two[name])}"
        for name in one
        if name in two and set(one[name]) != set(two[name])
    ]


def mixture_note(records: Iterable[RunRecord]) -> list[str]:
    """Return a sentence if the runs of a table were computed with different hardware or settings."""
    mixed = {
        name: values
        for name, values in _values(records).items()
        if len(values) > 1 and not name.startswith("version of ")
    }
    if not mixed:
        return []
    stated = "; ".join(f"{name} ({', '.join(values)})" for name, values in mixed.items())
    return [f"The runs differ in {stated}. Numbers may depend on it ({PAGE})."]


def _of_hardware(hardware: Any) -> dict[str, str]:
    if not isinstance(hardware, dict):
        return {}
    own = ON_A_CPU if hardware.get("device") == "cpu" else ON_A_GPU
    names = {**ON_EVERY_DEVICE, **own}
    return {words: _text(hardware[name]) for name, words in names.items() if name in hardware}


def _of_training(backbone: dict[str, Any]) -> dict[str, str]:
    """Return what a pre-training was computed with, such as ``2, then 1`` processes."""
    parts = backbone.get("computed")
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        return {}
    found = {}
    for name, words in OF_TRAINING.items():
        if not any(name in part for part in parts):
            continue  # of a GPU alone
        values = [inline(part.get(name, "not noted")) for part in parts]
        changes = [value for value, before in zip(values, [None, *values], strict=False) if value != before]
        if changes:
            found[words] = ", then ".join(changes)
    return found


def _text(value: Any) -> str:
    return " + ".join(map(str, value)) if isinstance(value, list) else inline(value)


def _values(records: Iterable[RunRecord]) -> dict[str, list[str]]:
    """Return the distinct values of each circumstance, sorted."""
    found: dict[str, set[str]] = {}
    for record in records:
        for name, value in circumstances(record).items():
            found.setdefault(name, set()).add(value)
    return {name: sorted(values) for name, values in found.items()}
