"""The cluster file: where it is, and what a kind of job asks Slurm for."""

from __future__ import annotations

import os
from typing import Any

from prior_bench.errors import BenchError
from prior_bench.schema.cluster import ClusterFile, JobSection, minutes_of
from prior_bench.schema.cluster_jobs import Kind
from prior_bench.schema.errors import checked
from prior_bench.schema.reading import read_config

VARIABLE = "PRIOR_BENCH_CLUSTER"
"""Environment variable that names the cluster file."""
SHARED = ("partition", "account", "qos", "constraint")
"""Keys that a kind of job may have of its own."""


def load_cluster(name: str | None) -> ClusterFile:
    """Return the cluster of a file.

    Args:
        name: a path to a .py file, or the name of a shipped one; None for that of the environment variable.

    Raises:
        BenchError: none is named, or it does not exist or cannot be used (all wrong keys together).
    """
    name = name or os.environ.get(VARIABLE)
    if not name:
        fix = f"--cluster FILE, or {VARIABLE}=FILE; configs/cluster/example.py is one to copy"
        raise BenchError("no cluster file is named", where="submit", fix=fix)
    values, path = read_config(name, "cluster")
    return checked(ClusterFile, values, where=path, what="the cluster file cannot be used:")


def nodes_and_gpus(cluster: ClusterFile, wanted: int, where: str) -> tuple[int, int]:
    """Return nodes, and GPUs per node, of a pre-training.

    Args:
        cluster: states both, for pre-trainings that do not say how many GPUs they take.
        wanted: ``gpus`` of the pre-training's config; 1 if it says nothing.
        where: the pre-training, for messages.

    Raises:
        BenchError: the GPUs do not fill the nodes.
    """
    nodes, each = cluster.pretraining.nodes, cluster.pretraining.gpus_per_node
    if wanted == 1 or not each:
        return nodes, each
    if wanted <= each:
        return 1, wanted
    if wanted % each:
        fix = "change 'gpus' in its config, or pretraining.gpus_per_node in the cluster file"
        raise BenchError(f"takes {wanted} GPUs, and a node has {each}", where=where, fix=fix)
    return wanted // each, each


def parameters(cluster: ClusterFile, kind: Kind, shape: tuple[int, int] | None = None) -> dict[str, Any]:
    """Return what a job asks for, by the names of :mod:`submitit`'s parameters.

    Args:
        cluster: the cluster.
        kind: of the job.
        shape: nodes, and GPUs per node, of a pre-training.
    """
    section: JobSection = getattr(cluster, kind)
    found: dict[str, Any] = {}
    for key in SHARED:
        value = getattr(section, key) or getattr(cluster, key)
        if value:
            found[key] = value if isinstance(value, str) else ",".join(value)
    of_kind = section.model_dump()
    found |= {"time": minutes_of(of_kind["time"]), "cpus_per_task": of_kind["cpus"], "nodes": 1}
    if of_kind["memory"]:
        found["mem"] = of_kind["memory"]
    if kind == "pretraining":
        nodes, gpus = shape or (cluster.pretraining.nodes, cluster.pretraining.gpus_per_node)
        found |= {"nodes": nodes, "ntasks_per_node": max(1, gpus)}
        if gpus:
            found["gpus_per_node"] = _gpus(cluster, gpus)
    else:
        found["ntasks_per_node"] = 1
        if kind == "evaluation" and cluster.evaluation.gpus:
            found["gpus_per_task"] = _gpus(cluster, 1)
    return {**found, "setup": list(cluster.setup), "signal_delay_s": cluster.warning_seconds}


def _gpus(cluster: ClusterFile, count: int) -> str:
    return f"{cluster.gpu_type}:{count}" if cluster.gpu_type else str(count)
