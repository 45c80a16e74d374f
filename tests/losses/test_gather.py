import os
import socket

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from prior_bench.losses.contrastive import info_nce
from prior_bench.losses.gather import all_gather

ROWS, PROCESSES = 6, 2


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def towers() -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    shapes = ((ROWS, 4), (ROWS, 4), (4, 3), (4, 3))
    return tuple(torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in shapes)


def half_of_the_batch(rank: int, port: str, folder: str) -> None:
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=port)
    torch.set_num_threads(1)
    dist.init_process_group("gloo", rank=rank, world_size=PROCESSES)
    try:
        images, texts, w_image, w_text = towers()
        with pytest.raises(ValueError, match=r"they have \[4, 2\]"):
            all_gather(images[: 4 - 2 * rank])

        mine = slice(rank * ROWS // 2, (rank + 1) * ROWS // 2)
        weights = [w_image.requires_grad_(), w_text.requires_grad_()]
        losses = info_nce(images[mine] @ w_image, texts[mine] @ w_text, 0.1)
        (0.75 * losses[0] + 0.25 * losses[1]).backward()
        results = [*(w.grad for w in weights), *(loss.detach() for loss in losses)]
        for value in results:
            dist.all_reduce(value)  # as DistributedDataParallel averages gradients
            value /= PROCESSES
        torch.save(results, f"{folder}/{rank}.pt")
    finally:
        dist.destroy_process_group()


def test_two_processes_with_half_the_batch_equal_one_with_all(tmp_path):
    """And unequal halves are refused (inside the processes)."""
    mp.spawn(half_of_the_batch, (free_port(), str(tmp_path)), nprocs=PROCESSES)
    images, texts, w_image, w_text = towers()
    weights = [w_image.requires_grad_(), w_text.requires_grad_()]
    losses = info_nce(images @ w_image, texts @ w_text, 0.1)
    (0.75 * losses[0] + 0.25 * losses[1]).backward()
    want = [*(w.grad for w in weights), *(loss.detach() for loss in losses)]
    for rank in range(PROCESSES):
        torch.testing.assert_close(torch.load(tmp_path / f"{rank}.pt"), want, rtol=1e-12, atol=1e-12)


def test_one_process_gets_its_rows_back():
    rows = torch.randn(3, 2)
    assert all_gather(rows) is rows
