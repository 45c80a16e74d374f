import copy

import pytest
import torch
import torch.nn.functional as F

from prior_bench.prior import upsampling
from prior_bench.prior.decoders import ImageDecoder
from prior_bench.prior.upsampling import ENOUGH_POSITIONS, upsampled_conv


def plain(x, weight):
    return F.conv2d(x.repeat_interleave(2, 2).repeat_interleave(2, 3), weight, padding=1)


@pytest.mark.parametrize("shape", [(1, 4, 3, 3), (11, 4, 7, 7), (2, 20, 17, 31), (600, 1, 1, 1)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_one_step_equals_two_in_values_and_gradients(shape, layout):
    torch.manual_seed(0)
    x = torch.randn(*shape, dtype=torch.float64).to(memory_format=layout).requires_grad_()
    weight = torch.randn(6, shape[1], 3, 3, dtype=torch.float64, requires_grad=True)
    ours, expected = upsampled_conv(x, weight), plain(x, weight)
    torch.testing.assert_close(ours, expected, atol=1e-12, rtol=1e-12)
    cotangent = torch.randn_like(ours)
    gradients = [torch.autograd.grad(y, [x, weight], cotangent) for y in (ours, expected)]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, atol=1e-12 * float(other.abs().max()), rtol=0)


def test_small_maps_are_upsampled_first(monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError("the kernel is not worth making here")

    monkeypatch.setattr(F, "conv_transpose2d", refuse)
    weight = torch.randn(2, 3, 3, 3)
    upsampled_conv(torch.randn(ENOUGH_POSITIONS - 1, 3, 1, 1), weight)
    with pytest.raises(AssertionError, match="not worth"):
        upsampled_conv(torch.randn(ENOUGH_POSITIONS, 3, 1, 1), weight)


@pytest.mark.parametrize("channels", [16, 64])  # 64: wide enough for the channels-last layout
def test_decoder_is_the_plain_one(channels, monkeypatch):
    torch.manual_seed(0)
    fast = ImageDecoder(channels, blocks=2).train()
    slow = copy.deepcopy(fast)
    for block in slow.blocks:
        block.layout = torch.contiguous_format
    x = torch.randn(12, channels, 7, 7)
    results = []
    for decoder, threshold in ((fast, ENOUGH_POSITIONS), (slow, 10**9)):
        monkeypatch.setattr(upsampling, "ENOUGH_POSITIONS", threshold)
        decoder.double()
        leaf = x.double().requires_grad_()
        decoded = decoder(leaf)
        decoded.abs().mean().backward()
        gradients = [leaf.grad, *(p.grad for p in decoder.parameters())]
        results.append([decoded, *gradients, *decoder.buffers()])
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, atol=1e-12, rtol=1e-9)


def test_decoder_in_single_precision_is_near_double():
    torch.manual_seed(0)
    decoder = ImageDecoder(64, blocks=2).train()
    exact = copy.deepcopy(decoder).double()
    x = torch.randn(12, 64, 7, 7)
    torch.testing.assert_close(decoder(x).double(), exact(x.double()), atol=1e-5, rtol=1e-5)
