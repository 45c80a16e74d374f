"""Whether a task has changed the weights of its backbone."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from prior_bench.api import Backbone
from prior_bench.errors import BenchError


@contextmanager
def unchanged(backbone: Backbone, task: str) -> Iterator[None]:
    """Evaluate a backbone inside the block.

    Raises:
        BenchError: its weights were changed.
    """
    before = checksum(backbone)
    yield
    if checksum(backbone) != before:
        what = "the task changed the backbone's weights in place"
        raise BenchError(what, where=task, fix="train a copy (copy.deepcopy)")


def checksum(backbone: Backbone) -> int:
    """Return a CRC over the image encoder's and, where present, the method's weights and buffers."""
    import torch

    owner = backbone.method if backbone.method is not None else backbone.image_encoder
    checksum = 0
    for name, tensor in sorted(getattr(owner, "state_dict", dict)().items()):
        if isinstance(tensor, torch.Tensor):
            data = tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy().data
            checksum = zlib.crc32(data, zlib.crc32(name.encode(), checksum))
    return checksum
