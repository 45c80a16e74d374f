"""The beginning of a pre-training: what is trained, in which folder, and from where it goes on.

The first process decides. All others check that they are about to do the same, in the same folder; otherwise
all of them stop before anything is written.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prior_bench.data.manifest import Manifest
from prior_bench.data.open import open_dataset
from prior_bench.pretraining import gpu_speed
from prior_bench.pretraining.agreement import require_one_folder, require_same
from prior_bench.pretraining.config import PretrainConfig, load_config
from prior_bench.pretraining.dataset import Pairs, read_pairs
from prior_bench.pretraining.folder import (
    FINAL,
    alone,
    claim,
    is_complete,
    latest_state,
    noted,
    tidy,
)
from prior_bench.pretraining.identity import determining, run_identity, run_versions, training_source
from prior_bench.pretraining.logs import check_logs
from prior_bench.pretraining.processes import READING, Processes
from prior_bench.store.provenance import versions

COMPUTED = "computed"
"""Key, in ``run.json`` and in the provenance of weights, of how they were computed."""
NOT_NOTED = {"device": "not noted"}
"""What is known of training before it was noted."""


@dataclass(frozen=True)
class Beginning:
    """What all processes have agreed on.

    Attributes:
        config: the config.
        work_dir: folder of the run.
        manifest, pairs: the data set, and the pairs that are trained on.
        run: content of ``run.json``.
        state: state from which training goes on, or None.
        complete: whether the run is complete already.
    """

    config: PretrainConfig
    work_dir: Path
    manifest: Manifest
    pairs: Pairs
    run: dict[str, Any]
    state: Path | None
    complete: bool


def computation(config: PretrainConfig, processes: int, device: str) -> dict[str, Any]:
    """Return what affects the numbers beside a run's identity: processes, device, precision and its like.

    Each process has a share of a batch, and takes batch statistics over it alone unless they are
    synchronised. A change of these does not change the identity, so that they can be told.
    """
    on_gpu = device != "cpu"
    return {
        "processes": processes,
        "device": "cuda" if on_gpu else "cpu",
        "precision": "float32",
        **gpu_speed.chosen(config, device),
    }


def begin(
    processes: Processes,
    held: contextlib.ExitStack,
    config: PretrainConfig | str | Callable[[], PretrainConfig],
    work_dir: str | Path | Callable[[], Path],
    seed: int,
    device: str,
    resume: bool,
) -> Beginning:
    """Read config and data, agree with all processes, take the folder, and find out where to go on.

    Args:
        processes: all processes.
        held: the lock of the folder is released when it ends.
        config: the config, its name or path, or a function that returns it.
        work_dir: the folder, or a function that returns it.
        seed: seed of the run.
        device: ``cpu`` or ``cuda``.
        resume: whether to go on from a saved state.

    Raises:
        BenchError: something cannot be used, or processes differ.
    """
    read: list[tuple[PretrainConfig, Path, Manifest, Pairs]] = []

    def reading() -> None:
        found = config() if callable(config) else load_config(config) if isinstance(config, str) else config
        check_logs(found)
        folder = Path(work_dir() if callable(work_dir) else work_dir)
        manifest = open_dataset(found.data.dataset, split=found.data.split_rule)
        read.append((found, folder, manifest, read_pairs(found.data, manifest)))

    processes.together("reading the data", reading, READING)
    [(config, folder, manifest, pairs)] = read
    run: dict[str, Any] = {
        "identity": run_identity(config, pairs.fingerprint, seed),
        "seed": seed,
        "config": config.to_dict(),
        "declared_versions": run_versions(config),
        "data_fingerprint": pairs.fingerprint,
        "code_version": training_source(config.method["type"]),
    }
    now = computation(config, processes.count, device)
    require_same(processes, _facts(config, run, now, len(pairs.pairs), resume))

    def decide() -> dict[str, Any]:
        if processes.rank:
            return {}
        held.enter_context(alone(folder))
        if is_complete(folder, run["identity"], resume):
            tidy(folder)  # a process that was killed right after saving has not
            return {"complete": True, "file": _sized(folder / FINAL)}
        before = _computed(folder)
        # the random states within an epoch are those of the same processes on the same device
        same = before[-1:] == [now]
        state = latest_state(folder, within_epochs=same) if resume else None
        computed = [now] if state is None else before if same else [*before, now]
        return {"complete": False, "file": state and _sized(state), "same": same, COMPUTED: computed}

    decided = processes.together("the folder of the run", decide)[0]
    require_one_folder(processes, folder, decided["file"])
    if decided["complete"]:
        return Beginning(config, folder, manifest, pairs, run, None, True)
    run[COMPUTED] = decided[COMPUTED]
    processes.together(
        "the folder of the run",
        lambda: None if processes.rank else claim(folder, run, resume, decided["same"]),
    )
    state = folder / decided["file"][0] if decided["file"] else None
    return Beginning(config, folder, manifest, pairs, run, state, False)


def _facts(
    config: PretrainConfig, run: dict[str, Any], now: dict[str, Any], pairs: int, resume: bool
) -> dict[str, Any]:
    """Return all that must be the same in all processes; paths of data may differ from machine to machine."""
    values = config.to_dict()
    values["data"] = {**values["data"], "dataset": determining(config)["data"]["dataset"]}
    return {
        "config": values,
        "seed": run["seed"],
        "data": {"fingerprint": run["data_fingerprint"], "pairs": pairs},
        "code": run["code_version"],
        "versions": {**versions(), **run["declared_versions"]},
        "resume": resume,
        **now,
    }


def _sized(file: Path) -> tuple[str, int]:
    return file.name, file.stat().st_size


def _computed(folder: Path) -> list[dict[str, Any]]:
    """Return how a folder's run has been computed until now."""
    told = noted(folder).get(COMPUTED)
    if not isinstance(told, list) or not told:
        return [NOT_NOTED]
    return [
        {str(k): v for k, v in entry.items() if isinstance(v, str | int)}
        if isinstance(entry, dict)
        else NOT_NOTED
        for entry in told
    ]
