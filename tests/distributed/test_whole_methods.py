"""Whole methods (paper variants): two processes with half the batch each equal one with all of it.

Evaluation mode: no dropout, no Gumbel noise, no masking, running statistics in batch norm.
"""

import os
import socket

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from prior_bench.api import PretrainBatch
from prior_bench.encoders.tokenizer import ReportTokenizer
from prior_bench.registry import METHODS

PROCESSES = 2
REPORTS = [  # the halves differ in sentences, words, padding and the number of reports of several sentences
    ("No acute process.",),
    ("The heart is enlarged.", "No pleural effusion.", "The lungs are clear.", "Left basal atelectasis."),
    ("Mild edema.", "Small right pleural effusion is seen."),
    ("Clear lungs without pneumothorax.",),
    ("Right lower lobe consolidation, which is new since the last film.",),
    ("Edema.", "Effusion.", "The heart is enlarged.", "No pneumothorax.", "Left basal atelectasis."),
]
ENCODERS = dict(
    image_encoder=dict(
        model_name="resnet18", in_channels=1, input=dict(size=64), model_args=dict(channels=(8, 8, 16, 16))
    ),
    text_encoder=dict(
        config=dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32),
        tokenizer=ReportTokenizer.train(REPORTS, 120, 48),
    ),
    embed_dim=16,
)
PRIOR = dict(type="prior", prototypes=6, queries=4, decoder_layers=1, decoder_hidden=32, image_blocks=4)
METHOD = {
    "convirt": dict(type="convirt"),
    "gloria": dict(type="gloria"),
    "mgca": dict(type="mgca", hidden_dim=16, prototypes=5),
    **{f"prior, stage {stage}": dict(stage=stage, **PRIOR) for stage in (1, 2, 3)},
}


def losses_and_gradients(name: str, rows: slice) -> dict[str, torch.Tensor]:
    """All that the method says of these pairs, and the gradient of each of its parameters."""
    torch.manual_seed(0)
    method = METHODS.build({**ENCODERS, **METHOD[name]}).double().eval()
    images = torch.randn(len(REPORTS), 1, 64, 64, generator=torch.Generator().manual_seed(1)).double()
    batch = PretrainBatch(images[rows], ENCODERS["text_encoder"]["tokenizer"](REPORTS[rows]))
    losses = method.loss(batch)
    sum(value for key, value in losses.items() if key.startswith("loss")).backward()
    found = {key: value.detach() for key, value in losses.items() if key != "instance_accuracy"}
    for key, parameter in method.named_parameters():
        found[f"grad of {key}"] = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
    return found


def half_of_the_batch(rank: int, port: str, folder: str) -> None:
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=port)
    torch.set_num_threads(1)
    dist.init_process_group("gloo", rank=rank, world_size=PROCESSES)
    try:
        half = len(REPORTS) // PROCESSES
        for name in METHOD:
            found = losses_and_gradients(name, slice(rank * half, (rank + 1) * half))
            for value in found.values():
                dist.all_reduce(value)  # as DistributedDataParallel averages gradients
                value /= PROCESSES
            torch.save(found, f"{folder}/{name}, {rank}.pt")
    finally:
        dist.destroy_process_group()


@pytest.fixture(scope="module")
def halves(tmp_path_factory):
    """Folder with what each process has found, averaged."""
    folder = tmp_path_factory.mktemp("halves")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    mp.spawn(half_of_the_batch, (port, str(folder)), nprocs=PROCESSES)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", METHOD)
def test_two_processes_with_half_the_batch_equal_one_with_all(halves, name):
    want = losses_and_gradients(name, slice(None))
    assert any(key.startswith("loss") for key in want)
    for rank in range(PROCESSES):
        found = torch.load(halves / f"{name}, {rank}.pt")
        torch.testing.assert_close(found, want, rtol=1e-9, atol=1e-10)
