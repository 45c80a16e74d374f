"""The cost of an image encoder: images per second, parameters, floating-point operations, memory.

There are no predictions, so nothing is resampled and tables make no tests. Images per second and memory
depend on the machine, which the record's provenance names, and on other programs that ran on it.
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
    """Measurement of forward passes of the image encoder in evaluation mode, on random images.

    Images have the encoder's own input size; the data set is not used. The protocol sets ``batch_size`` and
    the options ``warmup`` (batches before the measurement) and ``repeats`` (measured batches). Metrics are:

    - ``images_per_second``: batch size over the median time of a batch, without decoding and resizing;
    - ``parameters``: parameters of the image encoder; ``parameters_total``: those of the method;
    - ``gflops``: 10^9 floating-point operations per image, as PyTorch counts them: convolutions, matrix
      products, attention; a multiplication and its addition count as two (ResNet-50: 8.2; others count 4.1);
    - ``peak_memory_mb``: peak of the memory allocated on a CUDA device, in 2^20 bytes; left out on a CPU.
    """

    name = "throughput"
    needs_text = False
    needs = ()
    version = 1
    machinery = ()
    metrics = METRICS
    default_protocol = "clean/throughput"
    uses_labels = False
    ranked = False  # results depend on the machine as much as on the backbone
    protocol_model = ThroughputProtocol

    def check(self, data: Manifest, protocol: Protocol) -> None:
        """Raise BenchError if the protocol cannot be used."""
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
        """Return the work: measured batches, and those before the measurement."""
        options = ThroughputProtocol.of(protocol).options
        return Work(forward=protocol.batch_size * (options.warmup + options.repeats))

    def score(self, predictions: dict[str, np.ndarray], metrics: tuple[str, ...]) -> dict[str, float]:
        """Return nothing, because there are no predictions."""
        return {}


def flops(encoder: nn.Module, images: Tensor) -> int:
    """Count the floating-point operations of one forward pass, as PyTorch does."""
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    # only the plain implementation of attention is counted on every device
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        encoder(images)
    return counter.get_total_flops()


def _timed(encoder: nn.Module, images: Tensor, options: ThroughputOptions) -> tuple[int, list[float]]:
    """Return the peak memory in bytes (0 on a CPU) and the seconds of each measured batch."""
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
