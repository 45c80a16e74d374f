"""Whether features of several GPUs are gathered as they must: losses and gradients of one process."""

from __future__ import annotations

import os
import socket

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import Tensor

from prior_bench.losses.contrastive import info_nce

ROWS, WIDTH = 8, 16
"""Rows of each process, and their width."""


def difference(processes: int, device: str) -> float:
    """Return the largest difference of loss and gradient between several processes and a single one.

    Args:
        processes: number of processes; on GPUs each takes one.
        device: ``cuda``, with NCCL, or ``cpu``, with gloo.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = mp.get_context("spawn")
    found = context.Queue()
    mp.spawn(_process, (processes, device, port, found), nprocs=processes)
    return max(found.get() for _ in range(processes))


def _features(processes: int) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(0)
    return tuple(torch.randn(processes * ROWS, WIDTH, generator=draw) for _ in "it")  # type: ignore[return-value]


def _process(rank: int, processes: int, device: str, port: int, found: mp.Queue) -> None:
    image, text = _features(processes)
    expected = image.clone().requires_grad_()
    whole = sum(info_nce(expected, text, 0.1))
    whole.backward()  # type: ignore[union-attr]
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    place = f"cuda:{rank}" if device == "cuda" else "cpu"
    if device == "cuda":
        torch.cuda.set_device(rank)
    dist.init_process_group("nccl" if device == "cuda" else "gloo", rank=rank, world_size=processes)
    try:
        mine = slice(rank * ROWS, (rank + 1) * ROWS)
        own = image[mine].to(place).requires_grad_()
        loss = sum(info_nce(own, text[mine].to(place), 0.1))
        loss.backward()  # type: ignore[union-attr]
        mean = loss.detach().clone()  # type: ignore[union-attr]
        dist.all_reduce(mean)
        assert own.grad is not None and expected.grad is not None
        of_loss = abs(float(mean) / processes - float(whole.detach()))  # type: ignore[union-attr]
        # a process's loss is a mean over its rows, so that its gradient is larger by their share
        of_gradient = float((own.grad.cpu() / processes - expected.grad[mine]).abs().max())
        found.put(max(of_loss, of_gradient))
        dist.barrier()
    finally:
        dist.destroy_process_group()
