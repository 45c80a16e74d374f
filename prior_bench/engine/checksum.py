"""Whether a task has changed the weights of its backbone."""

from __future__ import annotations

import zlib

from prior_bench.api import Backbone


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
