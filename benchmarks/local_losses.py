"""Local losses of GLoRIA and MGCA, batched, against a loop over captions.

``python -m benchmarks.local_losses``. Both sides compute the same numbers (checked first), forward and
backward, one thread. Captions have 12 to 18 words, as in a batch that is grouped by length. Prints
the median ratio of paired runs, and the operators dispatched at two batch sizes.
"""

import argparse
import statistics
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from baselines.gloria.losses import local_loss, matching
from baselines.mgca.attention import clipped_weights
from baselines.mgca.losses import token_alignment, token_logits
from benchmarks.measuring import in_turns, median_ratio, operators

TEMPS = (4.0, 5.0, 10.0)
TEMPERATURE = 0.1
SIZES = {
    "sample benchmark": {"regions": 49, "dim": 128, "mgca_dim": 128},
    "paper": {"regions": 361, "dim": 768, "mgca_dim": 128},
}
"""Regions and channels: of the sample configs, and of a 299 pixel image in ResNet-50."""


def features(batch: int, regions: int, dim: int) -> tuple[Tensor, Tensor, Tensor]:
    """Regions [B, R, D], words [B, W, D] and their mask."""
    torch.manual_seed(0)
    counts = torch.randint(12, 19, (batch,))
    mask = torch.arange(int(counts.max())) < counts[:, None]
    vectors = torch.randn(batch, regions, dim), torch.randn(*mask.shape, dim)
    return *(F.normalize(v, dim=-1).requires_grad_() for v in vectors), mask


# --- GLoRIA ---------------------------------------------------------------------------------------------


def gloria_batched(regions: Tensor, words: Tensor, mask: Tensor) -> Tensor:
    score = partial(matching, temp1=TEMPS[0], temp2=TEMPS[1])
    return sum(local_loss(regions, words, mask, TEMPS[2], score))


def gloria_loop(regions: Tensor, words: Tensor, mask: Tensor) -> Tensor:
    columns = []
    for caption, count in zip(words, mask.sum(1).tolist(), strict=True):
        text = caption[:count].expand(len(regions), -1, -1)  # [B, n, D]
        attention = (TEMPS[0] * regions @ text.mT).softmax(dim=1)
        seen = attention.mT @ regions
        cosines = F.cosine_similarity(seen, text, dim=2)
        columns.append((TEMPS[1] * cosines).logsumexp(1) / TEMPS[1])
    scores = TEMPS[2] * torch.stack(columns, dim=1)
    partner = torch.arange(len(scores))
    return F.cross_entropy(scores, partner) + F.cross_entropy(scores.T, partner)


# --- MGCA -----------------------------------------------------------------------------------------------


def mgca_batched(patches: Tensor, words: Tensor, mask: Tensor) -> Tensor:
    word_weights = clipped_weights(_attention(mask))
    patch_weights = clipped_weights(_attention(torch.ones(patches.shape[:2], dtype=torch.bool)))
    logits = token_logits(words, patches, None, TEMPERATURE)
    word = token_alignment(logits, word_weights, mask)
    logits = token_logits(patches, words, mask, TEMPERATURE)
    patch = token_alignment(logits, patch_weights, None)
    return sum(word) + sum(patch)


def mgca_loop(patches: Tensor, words: Tensor, mask: Tensor) -> Tensor:
    word_attention, counts = _attention(mask), mask.sum(1).tolist()
    patch_attention = _attention(torch.ones(patches.shape[:2], dtype=torch.bool))
    total = 0
    for b, count in enumerate(counts):
        word, patch = words[b, :count], patches[b]
        total = total + _one_side(word, patch, word_attention[b, :count])
        total = total + _one_side(patch, word, patch_attention[b])
    return total / len(patches)


def _one_side(tokens: Tensor, others: Tensor, attention: Tensor) -> Tensor:
    clipped = attention.clamp(torch.quantile(attention, 0.1), torch.quantile(attention, 0.9))
    weights = clipped / clipped.sum()
    gathered = F.normalize((tokens @ others.T / TEMPERATURE).softmax(1) @ others, dim=1)
    logits, partner = tokens @ gathered.T / TEMPERATURE, torch.arange(len(tokens))
    losses = [F.cross_entropy(scores, partner, reduction="none") for scores in (logits, logits.T)]
    return (weights * losses[0]).sum() + (weights * losses[1]).sum()


def _attention(mask: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return (0.1 + torch.rand(mask.shape, generator=generator)) * mask


# --- measuring ------------------------------------------------------------------------------------------


def step(loss: Callable[..., Tensor], inputs: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, ...]:
    """The loss and its gradients."""
    value = loss(*inputs)
    return value, *torch.autograd.grad(value, inputs[:2])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--small", type=int, default=8, help="the other batch for counting operators")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    pairs = {"GLoRIA": (gloria_batched, gloria_loop, "dim"), "MGCA": (mgca_batched, mgca_loop, "mgca_dim")}
    title = f"operators at B={options.small} -> {options.batch}"
    print(f"{'':26}{'batched':>10}{'loop':>10}{'loop/batched':>14}   {title}")
    for size, shape in SIZES.items():
        for name, (batched, loop, dim) in pairs.items():
            inputs = features(options.batch, shape["regions"], shape[dim])
            for ours, theirs in zip(step(batched, inputs), step(loop, inputs), strict=True):
                torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-5)
            ways = {"batched": partial(step, batched, inputs), "loop": partial(step, loop, inputs)}
            times = in_turns(ways, options.repeats)
            fast, slow = map(statistics.median, times.values())
            ratio = median_ratio(times["loop"], times["batched"])
            few = features(options.small, shape["regions"], shape[dim])
            counts = [
                " -> ".join(str(operators(partial(step, way, some))) for some in (few, inputs))
                for way in (batched, loop)
            ]
            print(
                f"{name + ', ' + size:26}{fast * 1e3:7.1f} ms{slow * 1e3:7.1f} ms{ratio:12.2f} x"
                f"   batched {counts[0]}, loop {counts[1]}"
            )


if __name__ == "__main__":
    main()
