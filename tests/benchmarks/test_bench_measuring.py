import pytest
import torch

from benchmarks.measuring import in_turns, median_ratio, operators, peak_memory

MEGA = 2**20


def test_operators_of_the_backward_pass_count():
    x = torch.ones(3, requires_grad=True)
    with torch.no_grad():
        assert operators(lambda: x.exp().sum()) == 2
    assert operators(lambda: torch.autograd.grad(x.exp().sum(), x)) > operators(lambda: x.exp().sum())


def test_peak_memory_is_what_lives_at_once():
    x = torch.zeros(MEGA // 4)  # one MiB, made outside

    def chain():
        y = x
        for _ in range(5):
            y = y + 1  # the one before is freed
        return y.view(2, -1)  # a view is no memory

    def kept():
        return [x + i for i in range(5)], x.add_(1)

    assert peak_memory(chain) == 2 * MEGA
    assert peak_memory(kept) == 5 * MEGA


def test_peak_memory_sees_what_autograd_keeps():
    x = torch.zeros(MEGA // 4, requires_grad=True)
    assert peak_memory(lambda: x.exp().sin().exp()) == 3 * MEGA
    with torch.no_grad():
        assert peak_memory(lambda: x.exp().sin().exp()) == 2 * MEGA


def test_steps_take_turns():
    order = []
    times = in_turns({name: lambda name=name: order.append(name) for name in "ab"}, repeats=3)
    assert order == list("ababab")
    assert all(len(times[name]) == 3 and min(times[name]) >= 0 for name in "ab")
    assert median_ratio([2, 9, 4], [1, 1, 1]) == pytest.approx(4)
