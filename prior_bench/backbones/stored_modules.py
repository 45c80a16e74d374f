"""Placeholders for the encoders of a backbone of which only vectors are stored."""

from __future__ import annotations

from typing import Any, NoReturn

from torch import nn

from prior_bench.api import InputSpec
from prior_bench.errors import BenchError


def _refuse(*_: Any) -> NoReturn:
    what = "only vectors are stored; there is no network to encode anything else"
    raise BenchError(what, where="embeddings", fix="use the model itself")


class StoredImageEncoder(nn.Module):
    """An image encoder that has only declarations; its ``input`` is not known and has no meaning."""

    def __init__(self, dim: int):
        super().__init__()
        self.dim, self.input = dim, InputSpec()

    def forward(self, images: Any) -> NoReturn:
        """Refuse to encode."""
        _refuse()


class StoredMethod(nn.Module):
    """A method that says that images can be compared with texts, by the stored vectors alone."""

    local_features = False
    encode_image = encode_text = similarity = staticmethod(_refuse)

    def __init__(self, image_encoder: StoredImageEncoder):
        super().__init__()
        self.image_encoder = image_encoder
        self.text_encoder: Any = None
