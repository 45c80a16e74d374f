"""What the benchmarks measure with: wall time in turns, operators dispatched, peak memory."""

import statistics
import time
import weakref
from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry


class CountOperators(TorchDispatchMode):
    """Counts the operators dispatched inside the block, those of the backward pass included."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.count += 1
        return function(*args, **(kwargs or {}))


class CountProducts(TorchDispatchMode):
    """Counts the multiplications of matrix products and convolutions inside the block.

    As torch's ``FlopCounterMode`` does, which however refuses gradients of leaves of a module.
    """

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if flops := flop_registry.get(function._overloadpacket):
            self.count += flops(*args, **(kwargs or {}), out_val=result) // 2  # an addition for each
        return result


class PeakMemory(TorchDispatchMode):
    """Most bytes that live at once in tensors made inside the block.

    What an operator needs only while it runs is not seen; what it returns or keeps for the backward pass is.
    """

    def __init__(self):
        super().__init__()
        self.bytes = self.now = 0
        self._known = weakref.WeakSet()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self._known.update(t.untyped_storage() for t in tree_leaves((args, kwargs)) if _is_dense(t))
        result = function(*args, **(kwargs or {}))
        for tensor in filter(_is_dense, tree_leaves(result)):
            storage = tensor.untyped_storage()
            if storage not in self._known:
                self._known.add(storage)
                self.now += storage.nbytes()
                weakref.finalize(storage, self._freed, storage.nbytes())
        self.bytes = max(self.bytes, self.now)
        return result

    def _freed(self, size: int) -> None:
        self.now -= size


def _is_dense(value: object) -> bool:
    return isinstance(value, Tensor) and value.layout == torch.strided


def operators(step: Callable[[], object]) -> int:
    """Operators dispatched by one call."""
    with CountOperators() as counter:
        step()
    return counter.count


def products(step: Callable[[], object]) -> int:
    """Multiplications of one call, see :class:`CountProducts`."""
    with CountProducts() as counter:
        step()
    return counter.count


def peak_memory(step: Callable[[], object]) -> int:
    """Bytes, see :class:`PeakMemory`."""
    with PeakMemory() as tracker:
        result = step()
    del result
    return tracker.bytes


def seconds(step: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def in_turns(
    steps: dict[str, Callable[[], object]], repeats: int, before: Callable[[], object] | None = None
) -> dict[str, list[float]]:
    """Seconds of each step, measured in turns so that a busy machine slows all alike.

    Args:
        steps: by name.
        repeats: rounds of all of them.
        before: done ahead of each step, and not counted.
    """
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(repeats):
        for name, step in steps.items():
            if before:
                before()
            times[name].append(seconds(step))
    return times


def median_ratio(slow: Iterable[float], fast: Iterable[float]) -> float:
    """Median over paired runs of slow / fast."""
    return statistics.median(a / b for a, b in zip(slow, fast, strict=True))
