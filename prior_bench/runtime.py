"""Settings of the process: device, threads, seeds, progress bars. Importing it has no side effects."""

import os
import random
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from prior_bench.errors import BenchError
from prior_bench.escaping.signs import one_line
from prior_bench.escaping.streams import bare

VISIBLE = "CUDA_VISIBLE_DEVICES"
"""Environment variable that binds a process to GPUs; CUDA reads it once, when it is first used."""
SAFE_PATH = "PYTHONSAFEPATH"
"""Environment variable with which Python does not search the working folder for modules."""
FUSED = ("Adam", "AdamW", "SGD", "Adagrad")
"""Optimisers of torch that have a fused step."""
SMALL = 5_000_000
"""Parameters of an image encoder up to which one thread is the default (a ResNet-18 has 11 million)."""


def pick_device(wish: str = "auto") -> str:
    """Return ``"cuda"`` or ``"cpu"``; ``auto`` selects a GPU if there is one.

    Raises:
        BenchError: ``cuda`` was requested, but no CUDA device is visible.
    """
    import torch

    if wish == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wish.startswith("cuda") and not torch.cuda.is_available():
        raise BenchError("no CUDA device is visible", where="--device", fix="use --device cpu or auto")
    return wish


def named_gpus(gpus: str) -> list[str]:
    """Return the names of GPUs for ``CUDA_VISIBLE_DEVICES``.

    Args:
        gpus: ``"all"``, or numbers of GPUs as torch counts them, e.g. ``"0,1"``. A machine without GPUs takes
            any numbers: its processes are bound, and compute on the CPU.

    Raises:
        BenchError: the numbers cannot be read, or are not there.
    """
    import torch

    count = torch.cuda.device_count()
    names = _visible() or [str(number) for number in range(count)]
    if gpus.strip() == "all":
        if not count:
            fix = "use --jobs on a CPU"
            raise BenchError("no CUDA device is visible", where="--gpus", fix=fix)
        return names[:count]
    texts = [text.strip() for text in gpus.split(",")]
    if not all(text.isascii() and text.isdecimal() for text in texts):
        fix = "give 'all' or numbers, e.g. 0,1,2"
        raise BenchError(f"'{gpus}' is not a list of GPUs", where="--gpus", fix=fix)
    numbers = [int(text) for text in texts]
    if len(set(numbers)) < len(numbers):
        raise BenchError(f"'{gpus}' names a GPU twice", where="--gpus", fix="name each once")
    if count and max(numbers) >= count:
        known = f"0 to {count - 1}" if count > 1 else "0"
        raise BenchError(f"there is no GPU {max(numbers)}", where="--gpus", fix=f"there are: {known}")
    return [names[number] for number in numbers] if count else [str(number) for number in numbers]


@contextmanager
def bound(gpus: list[str] | None) -> Iterator[None]:
    """Let processes that are started inside the block see these GPUs alone; None changes nothing."""
    if gpus is None:
        yield
        return
    with _variable(VISIBLE, ",".join(gpus)):
        yield


@contextmanager
def own_modules() -> Iterator[None]:
    """Let Python processes that are started inside the block find modules only where this process does.

    ``python -c``, as which multiprocessing starts processes, and ``python -m`` search the working folder
    before the standard library: a file ``socket.py`` in a folder of somebody else's would run.
    """
    with _variable(SAFE_PATH, "1"):
        yield


@contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    """Set an environment variable inside the block."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _visible() -> list[str]:
    return [name.strip() for name in os.environ.get(VISIBLE, "").split(",") if name.strip()]


def use_threads(count: int) -> None:
    """Compute with so many threads from now on, also in libraries that are loaded later.

    Results on a CPU depend on the number of threads, because it decides the order in which floats are added.
    """
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(count)
    threadpool_limits(count)
    os.environ["OMP_NUM_THREADS"] = str(count)


def usual_threads(parameters: int) -> int | None:
    """Return the number of threads where none is stated; None for those that the process has.

    A small model gains little from several threads, and with one its numbers depend neither on the cores of
    the machine nor on the number of jobs.

    Args:
        parameters: number of parameters of the image encoder; 0 where only its vectors are stored.
    """
    return 1 if parameters <= SMALL else None


@contextmanager
def threads(count: int | None) -> Iterator[None]:
    """Compute with so many threads inside the block; None changes nothing."""
    if count is None:
        yield
        return
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        with threadpool_limits(count):
            yield
    finally:
        torch.set_num_threads(before)


def usual_workers(device: str, processes: int = 1) -> int:
    """Return the number of data loading processes of each process; no result depends on it.

    A CPU loads between its steps: its cores have enough to do. A GPU would wait for its images.

    Args:
        device: as :func:`pick_device` takes it.
        processes: processes that share the cores of this machine; torchrun tells their number itself.
    """
    if not pick_device(device).startswith("cuda"):
        return 0
    told = os.environ.get("LOCAL_WORLD_SIZE", "")
    sharing = max(processes, int(told) if told.isdecimal() else 1)
    return min(8, len(os.sched_getaffinity(0)) // sharing)


@contextmanager
def deterministic(device: str, on_gpu: bool = False) -> Iterator[None]:
    """Let torch choose deterministic algorithms inside the block: always on a CPU, on a GPU if wanted.

    Operations that have none on this device warn and run as they are.

    Args:
        device: where it is computed.
        on_gpu: whether to do so on a GPU as well, where these algorithms are slower.
    """
    if device != "cpu" and not on_gpu:
        yield
        return
    import torch

    filling: Any = torch.utils.deterministic  # its attribute is not in torch's types
    # cuBLAS reads it when it is first used
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    cudnn = torch.backends.cudnn
    before = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    filled, chosen = (
        filling.fill_uninitialized_memory,
        (cudnn.deterministic, cudnn.benchmark),
    )
    torch.use_deterministic_algorithms(True, warn_only=True)
    filling.fill_uninitialized_memory = False  # it only helps to find faults
    cudnn.deterministic, cudnn.benchmark = True, False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
        filling.fill_uninitialized_memory = filled
        cudnn.deterministic, cudnn.benchmark = chosen


def arithmetic(device: str) -> dict[str, str]:
    """Return the kind of device and the precision in which a model would compute now, for keys of caches.

    Returns:
        ``device``, ``cpu`` or ``cuda``; ``precision``, the type of autocast where it is on, otherwise
        ``float32``, or ``tf32`` on a GPU whose convolutions or products may round to it.
    """
    import torch

    kind = "cuda" if device.startswith("cuda") else "cpu"
    if torch.is_autocast_enabled(kind):
        precision = str(torch.get_autocast_dtype(kind)).removeprefix("torch.")
    else:
        precision = "tf32" if kind == "cuda" and _rounds_to_tf32() else "float32"
    return {"device": kind, "precision": precision}


def _rounds_to_tf32() -> bool:
    import torch

    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    try:
        return cudnn.allow_tf32 or matmul.allow_tf32
    except RuntimeError:  # torch does not tell if they were set by their newer names
        newer: Any = cudnn
        return "tf32" in (matmul.fp32_precision, newer.conv.fp32_precision)


def fused(optimizer: str, device: str) -> dict[str, bool]:
    """Return the argument with which a class in ``torch.optim`` updates all weights in few kernels, on a GPU.

    On a CPU, it would save a few per cent of a step and round otherwise, so that no published number came out
    again.
    """
    return {"fused": True} if device.startswith("cuda") and optimizer in FUSED else {}


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and torch (all devices)."""
    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def progress(items: Iterable, what: str, total: int | None = None, delay: float = 0) -> Any:
    """Wrap items in a progress bar with the remaining time, on stderr, after ``delay`` seconds.

    The bar is hidden if stderr is not a terminal, which keeps logs readable. ``PRIOR_BENCH_PROGRESS``
    overrides this: 1 shows bars, and an empty value hides them.
    """
    from tqdm import tqdm

    wish = os.environ.get("PRIOR_BENCH_PROGRESS")
    shown = sys.stderr.isatty() if wish is None else bool(wish)
    return tqdm(
        items,
        desc=one_line(what),
        total=total,
        delay=delay,
        disable=not shown,
        leave=False,
        dynamic_ncols=True,
        file=bare(sys.stderr),
    )
