"""What an image encoder costs: images per second, parameters, floating-point operations, memory.

Nothing is predicted, so there is nothing to resample and tables make no test. Images per second and memory
belong to the machine that the record's provenance names, and to what else ran on it.
"""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING

from prior_bench.api import Backbone, Method, Protocol, RunContext, TaskResult, Work
from prior_bench.data.manifest import Manifest

from .protocols.throughput import METRICS, ThroughputOptions, ThroughputProtocol

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn


class Throughput:
    """Forward passes of the image encoder in evaluation mode, on random images of its own input size.

    Data are not looked at; any data set will do. Protocol: ``batch_size``; options ``warmup`` (batches before
    the clock runs) and ``repeats`` (batches that are timed). Metrics:

    - ``images_per_second``: batch size over the median time of a batch; decoding and resizing are not in it;
    - ``parameters``: of the image encoder; ``parameters_total``: of the whole method, where there is one;
    - ``gflops``: 10^9 floating-point operations per image, as PyTorch counts them: convolutions, matrix
      products, attention; a multiplication and its addition are two (ResNet-50: 8.2, where others say 4.1);
    - ``peak_memory_mb``: the most that was allocated on a CUDA device, in 2^20 bytes; left out on a CPU.
    """

    name = "throughput"
    needs_text = False
    needs = ()
    version = 1
    machinery = ()
    metrics = METRICS
    default_protocol = "clean/throughput"
    uses_labels = False
    ranked = False  # its numbers belong to a machine as much as to a backbone
    protocol_model = ThroughputProtocol

    def check(self, data: Manifest, protocol: Protocol) -> None:
        """Raise BenchError where the protocol does not fit."""
        ThroughputProtocol.of(protocol)

    def run(self, backbone: Backbone, data: Manifest, protocol: Protocol, context: RunContext) -> TaskResult:
        """Measure one backbone; the history has the images per second of each batch."""
        import torch

        from prior_bench.features.extract import evaluating

        options, spec = ThroughputProtocol.of(protocol).options, backbone.input
        with evaluating(backbone.image_encoder, context.device):
            images = torch.randn(protocol.batch_size, spec.channels, spec.size, spec.size).to(context.device)
            values = {"gflops": flops(backbone.image_encoder, images[:1]) / 1e9}
            memory, seconds = _timed(backbone.image_encoder, images, options)
        values |= {
            "images_per_second": protocol.batch_size / median(seconds),
            "parameters": float(_parameters(backbone.image_encoder)),
        }
        if backbone.method is not None:
            values["parameters_total"] = float(_parameters(backbone.method))
        if memory:
            values["peak_memory_mb"] = memory / 2**20
        return TaskResult(
            metrics={name: values[name] for name in protocol.metrics if name in values},
            predictions={},
            split={"input": list(images.shape), "threads": torch.get_num_threads()},
            history=[{"images_per_second": protocol.batch_size / one} for one in seconds],
        )

    def estimate(self, protocol: Protocol, sizes: tuple[int, int, int], fraction: float) -> Work | None:
        """The batches that are timed, and those before the clock runs."""
        options = ThroughputProtocol.of(protocol).options
        return Work(forward=protocol.batch_size * (options.warmup + options.repeats))

    def score(self, predictions: dict[str, np.ndarray], metrics: tuple[str, ...]) -> dict[str, float]:
        """Nothing: there are no predictions."""
        return {}


def flops(encoder: nn.Module, images: Tensor) -> int:
    """Floating-point operations of one forward pass, as PyTorch counts them."""
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    # only the plain way of computing attention is counted on every device
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        encoder(images)
    return counter.get_total_flops()


def _timed(encoder: nn.Module, images: Tensor, options: ThroughputOptions) -> tuple[int, list[float]]:
    """Peak memory in bytes (0 on a CPU) and the seconds of each timed batch."""
    import torch

    cuda, seconds = images.is_cuda, []
    if cuda:
        torch.cuda.reset_peak_memory_stats(images.device)
    for _ in range(options.warmup + options.repeats):
        begun = time.perf_counter()
        encoder(images)
        if cuda:
            torch.cuda.synchronize(images.device)
        seconds.append(time.perf_counter() - begun)
    return torch.cuda.max_memory_allocated(images.device) if cuda else 0, seconds[options.warmup :]


def _parameters(module: nn.Module | Method) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
