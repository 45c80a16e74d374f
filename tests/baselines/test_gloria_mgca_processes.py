"""Two processes with half the batch each against one with all of it (paper variants)."""

import os
import socket
from functools import partial

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn.functional as F

from baselines.gloria.losses import local_loss, matching
from baselines.mgca.losses import (
    instance_alignment,
    prototype_alignment,
    sinkhorn,
    token_alignment,
    token_logits,
)
from prior_bench.losses.contrastive import info_nce

PAIRS, PROCESSES = 6, 2


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def tensors():
    """Features, ragged words, and the weights that map them (whose gradients are compared)."""
    draw = torch.Generator().manual_seed(0)
    shapes = {"image": (PAIRS, 4), "text": (PAIRS, 4), "regions": (PAIRS, 5, 4), "words": (PAIRS, 7, 4)}
    data = {name: torch.randn(*shape, generator=draw, dtype=torch.float64) for name, shape in shapes.items()}
    data["mask"] = torch.arange(7) < torch.tensor([2, 3, 1, 7, 4, 5])[:, None]
    weights = [torch.randn(4, 3, generator=draw, dtype=torch.float64) for _ in range(4)]
    prototypes = torch.randn(5, 3, generator=draw, dtype=torch.float64)
    return data, [w.requires_grad_() for w in (*weights, prototypes)]


def losses_and_gradients(rows: slice) -> list[torch.Tensor]:
    """The losses of both methods on some pairs, and the gradients of their sum."""
    data, weights = tensors()
    mask = data["mask"][rows]
    width = int(mask.sum(1).max())  # the halves are padded to different lengths
    mask = mask[:, :width]
    names = ("image", "text", "regions", "words")
    image, text, regions, words = (data[n][rows] @ w for n, w in zip(names, weights[:4], strict=True))
    words = words[:, :width]
    score = partial(matching, temp1=4.0, temp2=5.0, chunk=2)
    losses = [*info_nce(image, text, 0.1), *local_loss(regions, words, mask, 10.0, score)]

    image, text, regions, words = (F.normalize(t, dim=-1) for t in (image, text, regions, words))
    prototypes = F.normalize(weights[-1], dim=-1)
    token_weights = mask.double() / mask.sum(1, keepdim=True)
    logits = token_logits(words, regions, None, 0.1)
    losses += [
        *instance_alignment(image, text, 0.07),
        *token_alignment(logits, token_weights, mask),
        *prototype_alignment(image, text, prototypes, 0.2, 0.05),
    ]
    sum(losses).backward()
    return [torch.stack(losses).detach(), *(w.grad for w in weights)]


def half_of_the_batch(rank: int, port: str, folder: str) -> None:
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=port)
    torch.set_num_threads(1)
    dist.init_process_group("gloo", rank=rank, world_size=PROCESSES)
    try:
        mine = slice(rank * PAIRS // 2, (rank + 1) * PAIRS // 2)
        results = losses_and_gradients(mine)
        for value in results:
            dist.all_reduce(value)  # as DistributedDataParallel averages gradients
            value /= PROCESSES
        cosines = tensors()[0]["image"][mine].sigmoid()
        codes = {local: sinkhorn(cosines, 0.5, local=local) for local in (False, True)}
        torch.save((results, codes), f"{folder}/{rank}.pt")
    finally:
        dist.destroy_process_group()


@pytest.mark.slow
def test_two_processes_with_half_the_batch_equal_one_with_all(tmp_path):
    mp.spawn(half_of_the_batch, (free_port(), str(tmp_path)), nprocs=PROCESSES)
    want = losses_and_gradients(slice(None))
    saved = [torch.load(tmp_path / f"{rank}.pt") for rank in range(PROCESSES)]
    for results, _ in saved:
        torch.testing.assert_close(results, want, rtol=1e-10, atol=1e-12)

    cosines = tensors()[0]["image"].sigmoid()
    together = torch.cat([codes[False] for _, codes in saved])
    apart = torch.cat([codes[True] for _, codes in saved])
    torch.testing.assert_close(together, sinkhorn(cosines, 0.5), rtol=1e-12, atol=0)
    halves = torch.cat([sinkhorn(half, 0.5) for half in cosines.chunk(2)])
    torch.testing.assert_close(apart, halves, rtol=1e-12, atol=0)
