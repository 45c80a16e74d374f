"""The method: an image is the mean of its pixels, times a sign; texts are those of the mock method."""

from torch import Tensor

from prior_bench.api import Features
from prior_bench.mock import MockImageEncoder, MockMethod


class MeanPixel(MockImageEncoder):
    """All features are the mean pixel; dark is negative, bright positive, for a sign of 1."""

    sign = 1.0

    def forward(self, images: Tensor) -> Features:
        """Global features [B, 32]."""
        mean = images.mean((1, 2, 3))
        return Features(self.sign * mean[:, None].repeat(1, self.dim))


class Brightness(MockMethod):
    """``sign`` -1 sees everything the wrong way round."""

    def __init__(self, sign: float = 1.0):
        super().__init__()
        self.image_encoder = MeanPixel()
        self.image_encoder.sign = sign
