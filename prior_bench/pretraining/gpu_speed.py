"""Ways in which a GPU may train faster with slightly other numbers. A CPU computes as always."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prior_bench.pretraining.config import PretrainConfig


def chosen(config: PretrainConfig, device: str) -> dict[str, Any]:
    """Return the settings that a run on ``device`` has, for its record; empty on a CPU."""
    if device == "cpu":
        return {}
    return {
        "precision": precision(config.precision),
        "tf32": config.tf32,
        "cudnn_benchmark": config.cudnn_benchmark,
        "compile": config.compile,
    }


def precision(wanted: str) -> str:
    """Return the precision of the forward pass on this GPU: ``auto`` is bfloat16 where it has it."""
    if wanted != "auto":
        return wanted
    import torch

    return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float16"


@contextmanager
def applied(config: PretrainConfig, method: Any, device: str) -> Iterator[None]:
    """Train with the config's settings inside the block; nothing changes on a CPU.

    Compiled are both encoders, whose shapes repeat. Where deterministic algorithms are wanted, cuDNN tries
    none.

    Args:
        config: the config.
        method: the method that is trained.
        device: where it is trained.
    """
    import torch

    if device == "cpu":
        yield
        return
    products, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = products.allow_tf32, cudnn.allow_tf32, cudnn.benchmark
    encoders = [method.image_encoder, method.text_encoder] if config.compile else []
    products.allow_tf32, cudnn.allow_tf32 = config.tf32 == "all", config.tf32 != "none"
    cudnn.benchmark = config.cudnn_benchmark and not torch.are_deterministic_algorithms_enabled()
    for encoder in encoders:
        encoder.compile()
    try:
        yield
    finally:
        products.allow_tf32, cudnn.allow_tf32, cudnn.benchmark = before
        for encoder in encoders:
            encoder._compiled_call_impl = None  # weights are saved and used as they are
