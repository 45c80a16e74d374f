"""A task that several processes share, and the ways in which one of them can fail."""

import os

import numpy as np
import torch
import torch.distributed as dist
from fake_parts import FakeTask

from prior_bench.api import TaskResult
from prior_bench.errors import BenchError
from prior_bench.losses.gather import rank, world_size


class Shared(FakeTask):
    """Measures how many processes take part. ``SHARED_FAULT`` names the rank, and what happens to it."""

    def run(self, backbone, data, protocol, context):
        fault, _, at = os.environ.get("SHARED_FAULT", "").partition(" ")
        if at in ("all", str(rank())) and world_size() > 1:
            if fault == "killed":
                os.kill(os.getpid(), 9)
            raise BenchError("this image is broken", where="7.png")
        there = torch.ones(1)
        if world_size() > 1:
            dist.all_reduce(there)
        metrics = {"auroc": float(there), "visible": float(os.environ.get("LOCAL_RANK") or 0)}
        ids = np.array(["i8", "i9"])
        return TaskResult(metrics, {"id": ids, "patient_id": ids})
