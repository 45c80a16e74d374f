"""Several processes of one torch process group, forked, so that they start within a second."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from ranks import free_port


def in_ranks(count: int, folder: Path, do: Callable[..., Any], *arguments: Any) -> list[Any]:
    """Call a function in several processes at once; return what each has returned."""
    mp.start_processes(_rank, (count, free_port(), folder, do, arguments), count, start_method="fork")
    return [pickle.loads((folder / f"rank {rank}.pickle").read_bytes()) for rank in range(count)]


def _rank(rank: int, count: int, port: int, folder: Path, do: Callable, arguments: tuple) -> None:
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    torch.set_num_threads(1)
    dist.init_process_group("gloo", rank=rank, world_size=count)
    try:
        found = do(*arguments)
        (folder / f"rank {rank}.pickle").write_bytes(pickle.dumps(found))
    finally:
        dist.destroy_process_group()
