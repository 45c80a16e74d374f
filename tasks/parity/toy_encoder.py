"""A small convolutional network with planted weights, which takes the place of an image encoder."""

from torch import Tensor, nn

from prior_bench.api import InputSpec

from .planted import planted

WIDTH = 4


class ToyEncoder(nn.Module):
    """A convolution, BatchNorm and the mean over the image: [B, 3, S, S] to [B, 4]."""

    dim = WIDTH
    input = InputSpec()

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, WIDTH, 3)
        self.norm = nn.BatchNorm2d(WIDTH)
        self.convolution.weight.data = planted(WIDTH, 3, 3, 3, scale=0.3)
        self.convolution.bias = nn.Parameter(planted(WIDTH, start=1.0))

    def forward(self, images: Tensor) -> Tensor:
        """Return features [B, 4]."""
        features: Tensor = self.norm(self.convolution(images)).relu().mean(dim=(2, 3))
        return features
