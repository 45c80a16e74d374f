"""InfoNCE between images and texts, with negatives from all processes."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from prior_bench.losses.gather import all_gather, rank


def info_nce(image: Tensor, text: Tensor, temperature: float | Tensor) -> tuple[Tensor, Tensor]:
    """Compute the cross-entropy of finding the partner by cosine similarity (van den Oord et al. 2018).

    Args:
        image, text: [B, D]; row i of one belongs to row i of the other. They need not be normalised.
        temperature: divisor of the cosines.

    Returns:
        The losses image-to-text (each image chooses among all texts) and text-to-image, each the mean over
        this process's B rows.
    """
    image, text = F.normalize(image, dim=-1), F.normalize(text, dim=-1)
    partner = torch.arange(len(image), device=image.device) + rank() * len(image)
    image_to_text = F.cross_entropy(image @ all_gather(text).T / temperature, partner)
    text_to_image = F.cross_entropy(text @ all_gather(image).T / temperature, partner)
    return image_to_text, text_to_image


class Temperature(nn.Module):
    """A temperature that is fixed or learned through its logarithm (CLIP, Radford et al. 2021, sec. 2.5).

    Args:
        initial: initial value.
        learnable: whether the temperature is a parameter.
        minimum: lower bound of a learned temperature.
    """

    def __init__(self, initial: float, learnable: bool = False, minimum: float = 0.01):
        super().__init__()
        self.minimum = minimum if learnable else 0.0
        self.value = initial
        log_inverse = torch.tensor(-math.log(initial))
        self.logit_scale = nn.Parameter(log_inverse) if learnable else None

    def forward(self) -> float | Tensor:
        """Return the current temperature."""
        if self.logit_scale is None:
            return self.value
        return torch.exp(-self.logit_scale).clamp(min=self.minimum)
