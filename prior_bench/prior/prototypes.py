"""The sentence prototype memory bank (SPB): sentences as mixtures of K learned prototypes."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from prior_bench.errors import unknown_name
from prior_bench.prior.sentences import mean_where, over_processes

_SCHEDULES = {
    "fixed": lambda progress: 1.0,
    "linear": lambda progress: 1 - 0.9 * progress,
    "exp": lambda progress: 0.1**progress,
}


def temperature_at(step: int, steps: int, start: float = 0.9, schedule: str = "fixed") -> float:
    """Return the Gumbel-softmax temperature: constant, or lowered to a tenth of ``start``.

    Raises:
        BenchError: unknown schedule.
    """
    if schedule not in _SCHEDULES:
        raise unknown_name("temperature schedule", schedule, list(_SCHEDULES))
    return start * _SCHEDULES[schedule](step / max(steps, 1))


class Lookup(NamedTuple):
    """The result of looking up sentences [..., D] in the bank.

    Attributes:
        prototypes: [..., D], the prototypes that replace the sentences.
        logits: [..., K], dot products with the bank, without noise.
        weights: [..., K], weights of the mixture.
        entry: int [...], index of the entry with the largest weight.
    """

    prototypes: Tensor
    logits: Tensor
    weights: Tensor
    entry: Tensor


class SentenceBank(nn.Module):
    """K prototypes, queried by Gumbel-softmax (PRIOR, SPB).

    Args:
        prototypes: K.
        dim: D.
        temperature: temperature of the softmax; training may lower it (:func:`temperature_at`).
        soft: return the mixture of the bank; else the entry with the largest weight, straight-through.
        always_noisy: draw noise at inference too.
    """

    def __init__(
        self,
        prototypes: int,
        dim: int,
        temperature: float = 0.9,
        soft: bool = True,
        always_noisy: bool = False,
    ):
        super().__init__()
        self.embed = nn.Embedding(prototypes, dim)
        self.soft, self.always_noisy = soft, always_noisy
        # Saved with the weights, as training changes it; double, so that no digit of it is lost.
        self.register_buffer("temperature", torch.tensor(temperature, dtype=torch.float64))

    temperature: Tensor

    def forward(self, sentences: Tensor, noise: Tensor | None = None) -> Lookup:
        """Replace sentences [..., D] by prototypes.

        Args:
            noise: [..., K] Gumbel noise to use; None draws it in training and uses none at inference.
        """
        logits = self.query(sentences)
        if noise is None and (self.training or self.always_noisy):
            noise = -torch.empty_like(logits).exponential_().log()
        noisy = logits if noise is None else logits + noise
        weights = (noisy / self.temperature).softmax(-1)
        index = weights.argmax(-1)
        if not self.soft:
            weights = F.one_hot(index, weights.shape[-1]) - weights.detach() + weights
        return Lookup(weights @ self.embed.weight, logits, weights, index)

    def query(self, sentences: Tensor) -> Tensor:
        """Return dot products of [..., D] with the bank, [..., K]."""
        return sentences @ self.embed.weight.mT


def prototype_loss(sentences: Tensor, prototypes: Tensor, mask: Tensor) -> Tensor:
    """Compute the mean absolute difference of sentences and prototypes, [B, S, D]; both get gradients."""
    return mean_where((prototypes - sentences).abs().mean(-1), mask)


def diversity_loss(logits: Tensor, temperature: Tensor | float, mask: Tensor) -> Tensor:
    """Compute the share of the bank that a batch's sentences leave unused, in [0, 1 - 1/K] (ours).

    It is 1 - exp(H) / K, with the entropy H of the weights' mean over all sentences, without noise: the
    diversity loss of wav2vec 2.0 (arXiv 2006.11477) for one codebook. Weights that are spread in every
    sentence also lower it; the prototype loss acts against them.

    Args:
        logits: [B, S, K].
        temperature: of the lookup.
        mask: bool [B, S].
    """
    mean = (logits[mask] / temperature).softmax(-1).mean(0)
    return 1 - torch.special.entr(mean).sum().exp() / logits.shape[-1]


def query_consistency(target: Tensor, predicted: Tensor, mask: Tensor) -> Tensor:
    """Compute KL(true || predicted) of the queries of the bank, per sentence.

    Args:
        target: [B, S, K] logits of the true sentences.
        predicted: [B, S, K] logits of the decoded ones.
        mask: bool [B, S].
    """
    target, predicted = target.log_softmax(-1), predicted.log_softmax(-1)
    return mean_where((target.exp() * (target - predicted)).sum(-1), mask)


def usage_perplexity(logits: Tensor, mask: Tensor) -> Tensor:
    """Compute how many prototypes the batch's sentences choose: exp of the entropy of their frequencies.

    Choices are noise-free, so that noise does not hide a collapse. At most K, and at most the number of
    sentences.

    Args:
        logits: [B, S, K].
        mask: bool [B, S].
    """
    chosen = F.one_hot(logits.argmax(-1), logits.shape[-1]) * mask[..., None]
    times = over_processes(chosen.flatten(0, -2).sum(0))
    share = times / times.sum().clamp(min=1)
    return torch.exp(torch.special.entr(share).sum())
