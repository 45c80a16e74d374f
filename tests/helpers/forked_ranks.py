"""Several processes of one torch process group, forked, so that they start within a second."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from ranks import free_port, of_torchrun

from prior_bench.runtime import deterministic


def in_ranks(count: int, folder: Path, do: Callable[..., Any], *arguments: Any) -> list[Any]:
    """Call a function in all processes of a group; return what each has returned."""
    return _forked(count, folder, _in_group, do, arguments)


def as_torchrun(count: int, folder: Path, do: Callable[..., Any], *arguments: Any) -> list[Any]:
    """Call a function in several processes with the variables of torchrun; return what each has returned."""
    with deterministic("cpu"):
        pass  # for this, torch imports much: once before the fork
    return _forked(count, folder, _apart, do, arguments)


def _forked(count: int, folder: Path, how: Callable, do: Callable, arguments: tuple) -> list[Any]:
    mp.start_processes(_rank, (count, free_port(), folder, how, do, arguments), count, start_method="fork")
    return [pickle.loads((folder / f"rank {rank}.pickle").read_bytes()) for rank in range(count)]


def _rank(
    rank: int, count: int, port: int, folder: Path, how: Callable, do: Callable, arguments: tuple
) -> None:
    os.environ.update(of_torchrun(rank, count, port))
    torch.set_num_threads(1)
    (folder / f"rank {rank}.pickle").write_bytes(pickle.dumps(how(rank, count, do, arguments)))


def _apart(rank: int, count: int, do: Callable, arguments: tuple) -> Any:
    return do(*arguments)


def _in_group(rank: int, count: int, do: Callable, arguments: tuple) -> Any:
    dist.init_process_group("gloo", rank=rank, world_size=count)
    try:
        return do(*arguments)
    finally:
        dist.destroy_process_group()
