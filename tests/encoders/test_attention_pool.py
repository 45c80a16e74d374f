from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from prior_bench.encoders.attention import AttentionPool2d

FIXTURE = Path(__file__).parent.parent / "golden/prior/image_attention_pool2d.safetensors"


@pytest.mark.parametrize(
    ("dtype", "out", "grad", "tolerance", "grad_tolerance"),
    [(torch.float32, "out", "grad", 1e-5, 1e-4), (torch.float64, "out64", "grad64", 1e-9, 1e-9)],
)
def test_equals_the_official_pooling(dtype, out, grad, tolerance, grad_tolerance):
    tensors = load_file(FIXTURE)
    pool = AttentionPool2d((7, 7), 32, heads=8)
    pool.load_state_dict({k[2:]: v for k, v in tensors.items() if k.startswith("w.")})
    pool.to(dtype)
    x = tensors["in.x"].to(dtype).requires_grad_()
    pooled = pool(x)
    pooled.backward(tensors["in.cot"].to(dtype))
    for got, name, limit in ((pooled, f"{out}.pooled", tolerance), (x.grad, f"{grad}.in.x", grad_tolerance)):
        want = tensors[name]
        assert (got - want).abs().max() <= limit * want.abs().max()


def test_another_grid_interpolates_the_embedding():
    pool = AttentionPool2d((4, 4), 16, heads=2)
    assert pool(torch.randn(2, 16, 6, 5)).shape == (2, 16)
    with torch.no_grad():
        pool.positional_embedding[1:] = 3.0  # a constant stays one, whatever the grid
    assert torch.allclose(pool._embedding((6, 5))[1:], torch.tensor(3.0))
    assert torch.equal(pool._embedding((6, 5))[0], pool.positional_embedding[0])
