import pytest
import tiny_methods
import torch
from tiny_prior import REPORTS, tiny_prior
from torch.nn import functional as F

from benchmarks.waits import counting, selections, waits_of
from prior_bench.api import PretrainBatch
from prior_bench.pretraining.config import Optimizer

ASSIGNED = {"prior_bench/prior/reconstruction.py:assign copy": 1}
"""PRIOR's Hungarian matching runs on the host."""
BY_SENTENCE = {"prior_bench/prior/prototypes.py:diversity_loss index": 1}


def prior(stage, **changes):
    method = tiny_prior(stage=stage, **changes)
    return method, PretrainBatch(torch.randn(3, 1, 64, 64), method.text_encoder.tokenizer(REPORTS))


def other(kind, **changes):
    return tiny_methods.build(kind, **changes), tiny_methods.batch()


@pytest.mark.parametrize(
    ("made", "waits"),
    [
        (lambda: prior(1), {}),
        (lambda: prior(2), {}),
        (lambda: prior(3), ASSIGNED),
        (lambda: prior(3, variant="released"), ASSIGNED),
        (lambda: prior(3, variant="extended"), {**ASSIGNED, **BY_SENTENCE}),
        (lambda: other("convirt"), {}),
        (lambda: other("gloria"), {}),
        (lambda: other("gloria", variant="released"), {}),
        (lambda: other("mgca", prototypes=6), {}),
        (lambda: other("mgca", prototypes=6, image=tiny_methods.VIT), {}),
        (lambda: other("mgca", prototypes=6, variant="released"), {}),
    ],
    ids=["prior-1", "prior-2", "prior-3", "prior-released", "prior-extended", "convirt", "gloria"]
    + ["gloria-released", "mgca", "mgca-vit", "mgca-released"],
)
def test_a_training_step_waits_for_the_gpu_only_here(made, waits):
    assert waits_of(*made(), Optimizer(), clip_grad=1.0) == waits


@pytest.mark.parametrize(
    "made", [lambda: prior(3), lambda: other("gloria"), lambda: other("mgca", prototypes=6)]
)
def test_a_backward_pass_waits_nowhere(made):
    method, batch = made()
    losses = method.train().loss(batch)
    with selections() as found:
        sum(value for name, value in losses.items() if name.startswith("loss")).backward()
    assert not found


WAITS = {
    "item": lambda x: x.sum().item(),
    "int": lambda x: int(x.max()),
    "a condition": lambda x: bool((x > 0).all()),
    "nonzero": lambda x: x.nonzero(),
    "a mask": lambda x: x[x > 0],
    "masked_select": lambda x: x.masked_select(x > 0),
    "tolist": lambda x: x.sum().tolist(),
    "to the host": lambda x: x.cpu(),
    "to an array": lambda x: x.cpu().numpy(),
    "from the host": lambda x: x + torch.ones(3).to("cuda"),
    "a list": lambda x: x + torch.tensor([1.0, 2.0, 3.0], device="cuda"),
    "unique": lambda x: x.unique(),
}
NO_WAITS = {
    "arithmetic": lambda x: (x * 2).sum(),
    "shape": lambda x: len(x) + x.numel(),
    "a filled tensor": lambda x: x + torch.full((3,), 2.0, device="cuda"),
    "one-hot": lambda x: F.one_hot(x.argmax(-1), 3),
    "a host tensor's value": lambda x: x * int(torch.tensor([1, 2]).max()),
    "not blocking": lambda x: x + torch.ones(3).to("cuda", non_blocking=True),
    "where": lambda x: torch.where(x > 0, x, 0.0).masked_fill(x < 0, 1.0),
    "nonzero_static": lambda x: torch.nonzero_static(x > 0, size=2),
}


@pytest.mark.parametrize("name", WAITS)
def test_what_waits_is_counted_once(name):
    with counting() as counter:
        WAITS[name](torch.zeros(3, device="cuda"))
    assert counter.count == 1, counter.found


@pytest.mark.parametrize("name", NO_WAITS)
def test_what_does_not_wait_is_not_counted(name):
    with counting() as counter:
        NO_WAITS[name](torch.zeros(3, device="cuda"))
    assert counter.count == 0, counter.found


def test_a_value_of_the_host_is_right_in_the_block():
    with counting():
        assert int(torch.tensor([1, 7, 2]).max()) == 7
