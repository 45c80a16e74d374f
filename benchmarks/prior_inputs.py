"""A PRIOR without encoders, and what encoders would hand it: features of reports of 4 to 12 sentences."""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from prior_bench.prior.injected import Injected
from prior_bench.prior.model import PRIOR

PATCHES = 49
FEWEST, MOST = 4, 12
"""Sentences of a report."""
PROTOTYPES, QUERIES = 512, 16


class Inputs(NamedTuple):
    """Features of B pairs as the encoders give them, and what is drawn in a step.

    Attributes:
        pooled: [B, C].
        patches: [B, 49, C].
        tokens: [B, L, E].
        index: int [B, L], the sentence of each token.
        images: [B, 1, S, S].
        injected: Gumbel noise for both lookups in the bank.
    """

    pooled: Tensor
    patches: Tensor
    tokens: Tensor
    index: Tensor
    images: Tensor
    injected: Injected

    @property
    def features(self) -> tuple[Tensor, Tensor, Tensor]:
        """What has a gradient."""
        return self.pooled, self.patches, self.tokens


class NoEncoder(nn.Module):
    """Stands for an encoder; only its widths matter."""

    def __init__(self, dim: int):
        super().__init__()
        self.dim = self.local_dim = dim


def widths(dim: int) -> tuple[int, int]:
    """Channels of the image and of the text encoder: at D = 768 those of ResNet-50 and BERT-base."""
    return (2048, 768) if dim == 768 else (2 * dim, dim)


def make_model(
    dim: int,
    stage: int,
    image_size: int = 224,
    layers: int = 8,
    checkpoint: bool = False,
    variant: str = "paper",
) -> PRIOR:
    """PRIOR as in the paper at D = 768. Dropout and masking are off, so that two ways can be compared."""
    torch.manual_seed(0)
    image, text = map(NoEncoder, widths(dim))
    blocks = int(math.log2(image_size / math.isqrt(PATCHES)))
    return PRIOR(
        image,
        text,
        embed_dim=dim,
        prototypes=PROTOTYPES,
        queries=QUERIES,
        variant=variant,
        stage=stage,
        image_masking=0.0,
        decoder_layers=layers,
        decoder_dropout=0.0,
        image_blocks=blocks,
        checkpoint_decoders=checkpoint,
    ).train()


def make_inputs(batch: int, dim: int, image_size: int = 224) -> Inputs:
    """Sentences of 6 to 10 tokens; the first report has the most sentences, so that S does not vary."""
    generator = torch.Generator().manual_seed(1)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    def draw(low: int, high: int, size: int) -> list[int]:
        return torch.randint(low, high + 1, (size,), generator=generator).tolist()

    counts = [MOST, *draw(FEWEST, MOST, batch - 1)]
    rows = []
    for count in counts:
        lengths = torch.tensor(draw(6, 10, count))
        rows.append(torch.arange(1, count + 1).repeat_interleave(lengths))
    index = nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=-1)

    def gumbel(sentences: int) -> Tensor:
        uniform = torch.rand((batch, sentences, PROTOTYPES), generator=generator)
        return -(-uniform.clamp(1e-6, 1 - 1e-6).log()).log()

    image, text = widths(dim)
    features = normal(batch, image), normal(batch, PATCHES, image), normal(*index.shape, text)
    return Inputs(
        *(feature.requires_grad_() for feature in features),
        index,
        normal(batch, 1, image_size, image_size),
        Injected(gumbel(MOST), gumbel(QUERIES)),
    )
