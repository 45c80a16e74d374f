import pytest
import torch

from benchmarks import prior_loop, prior_step
from benchmarks.prior_inputs import make_inputs, make_model
from benchmarks.prior_parts import heads, parts, step

SIZE = {"dim": 16, "image_size": 28}
STAGES = (1, 2, 3)


@pytest.mark.parametrize("stage", STAGES)
def test_operators_do_not_grow_with_the_batch(stage):
    few, many = (prior_step.operators_of(stage, batch, heads) for batch in (8, 64))
    assert 100 < many <= 1.1 * few


@pytest.mark.parametrize("stage", STAGES)
def test_loop_is_the_same_function(stage):
    model, inputs = make_model(stage=stage, layers=1, **SIZE).double(), make_inputs(5, **SIZE)
    inputs = inputs._replace(
        **{
            name: getattr(inputs, name).detach().double()
            for name in ("pooled", "patches", "tokens", "images")
        }
    )
    leaves = {**dict(model.named_parameters()), **dict(zip("ipt", inputs.features, strict=True))}
    for leaf in leaves.values():
        leaf.requires_grad_()
    found = []
    for way in (heads, prior_loop.losses):
        terms = way(model, inputs)
        gradients = torch.autograd.grad(sum(terms.values()), list(leaves.values()), allow_unused=True)
        found.append((terms, gradients))
    (ours, ours_gradients), (loop, loop_gradients) = found
    assert ours.keys() == loop.keys() and len(ours) == {1: 3, 2: 4, 3: 8}[stage]
    torch.testing.assert_close(ours, loop, rtol=1e-6, atol=1e-9)
    for name, one, other in zip(leaves, ours_gradients, loop_gradients, strict=True):
        assert (one is None) == (other is None), name
        if one is not None:
            torch.testing.assert_close(
                one, other, rtol=1e-5, atol=1e-7, msg=lambda m, name=name: f"{name}: {m}"
            )


def test_parts_cover_the_heads():
    model, inputs = make_model(stage=3, layers=1, **SIZE), make_inputs(4, **SIZE)
    reached = [
        [gradient is not None for gradient in step(model, part.ours, part.inputs)[len(part.inputs) :]]
        for part in parts(model, inputs).values()
    ]
    names = [name for name, _ in model.named_parameters()]
    missed = [name for name, hits in zip(names, zip(*reached, strict=True), strict=True) if not any(hits)]
    assert not missed


@pytest.mark.slow
def test_benchmark_prints_every_part_and_stage(capsys):
    sizes = ["--batch", "3", "--dim", "16", "--image-size", "14", "--layers", "1"]
    runs = ["--repeats", "1", "--memory-batches", "2", "3", "4", "--threads", "1", "--without-encoders"]
    prior_step.main(sizes + runs)
    printed = capsys.readouterr().out
    model, inputs = make_model(16, 3, 14, 1), make_inputs(2, 16, 14)
    for name in (*parts(model, inputs), "stage 1", "stage 2", "stage 3", "checkpoint_decoders"):
        assert name in printed
    assert printed.count(" x") > 10


def test_heads_memory_is_affine_in_the_batch():
    options = prior_step._parser().parse_args(["--dim", "32", "--image-size", "28", "--layers", "1"])
    for stage in STAGES:
        peaks = [prior_step._heads_memory(options, stage, batch) for batch in (8, 16, 32)]
        assert (peaks[2] - peaks[1]) == pytest.approx(2 * (peaks[1] - peaks[0]), rel=0.1)
