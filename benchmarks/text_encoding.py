"""Text encoding of real reports by padding: ``python -m benchmarks.text_encoding``.

The reports are the Open-i ones (``pip install 'prior-bench[test]'`` brings them). Batches are grouped by
length and padded to their longest report, as in pre-training; the same batches are also padded to 256 tokens.
Tokens are counted over all reports, and for batches in random order too; times are of a sample of batches,
forward only, in turns, for BERT-base and a small BERT with random weights. Both paddings are checked to give
the same.
"""

import argparse
import random
import statistics
import sys
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.measuring import in_turns, median_ratio
from benchmarks.openi import reports
from prior_bench.api import TextBatch
from prior_bench.encoders.text import TextEncoder
from prior_bench.encoders.tokenizer import ReportTokenizer
from prior_bench.errors import BenchError
from prior_bench.pretraining.batching import LengthGroupedBatches

MAX_TOKENS = 256
VOCABULARY = 8000
SMALL = {"hidden_size": 256, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 1024}
MODELS = {"small BERT (4 x 256)": (SMALL, 8), "BERT-base (12 x 768)": ({}, 1)}
"""Config, and how many times as many batches as BERT-base are timed."""

Texts = list[tuple[str, ...]]


class Reports:
    """What :class:`LengthGroupedBatches` groups."""

    def __init__(self, texts: Texts):
        self.texts = texts

    def __len__(self) -> int:
        return len(self.texts)

    def draw_text(self, epoch: int, index: int) -> tuple[str, ...]:
        return self.texts[index]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument(
        "--batches", type=int, default=4, help="timed with BERT-base; more with the small one"
    )
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--small-only", action="store_true")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)

    texts = reports()
    tokenizer = ReportTokenizer.train(texts, VOCABULARY, MAX_TOKENS)
    orders = batch_orders(texts, options.batch)
    show_tokens(tokenizer.lengths(texts), orders)
    for name, (config, times) in MODELS.items():
        if options.small_only and config is not SMALL:
            continue
        torch.manual_seed(0)
        encoder = TextEncoder(config=dict(config), tokenizer=tokenizer).eval()
        show_times(
            name, encoder, texts, orders["grouped by length"], options.batches * times, options.repeats
        )


def batch_orders(texts: Texts, size: int) -> dict[str, list[list[int]]]:
    """Indices of the reports of each batch, in both orders."""
    grouped = [[index for _, index in batch] for batch in LengthGroupedBatches(Reports(texts), size)]
    order = random.Random(0).sample(range(len(texts)), len(grouped) * size)
    shuffled = [order[start : start + size] for start in range(0, len(order), size)]
    return {"grouped by length": grouped, "in random order": shuffled}


def show_tokens(lengths: list[int], orders: dict[str, list[list[int]]]) -> None:
    """Tokens, padding included, that an epoch encodes."""
    longest = max(lengths)
    print(f"{len(lengths)} reports of {statistics.mean(lengths):.0f} tokens on average, {longest} at most")
    for name, batches in orders.items():
        full = sum(len(batch) * MAX_TOKENS for batch in batches)
        padded = sum(len(batch) * max(lengths[i] for i in batch) for batch in batches)
        real = sum(lengths[i] for batch in batches for i in batch)
        print(
            f"  {name:20}{full / padded:6.2f} x fewer tokens than at {MAX_TOKENS}; {real / padded:.0%} real"
        )


@torch.no_grad()
def show_times(
    name: str, encoder: TextEncoder, texts: Texts, batches: list[list[int]], count: int, repeats: int
) -> None:
    """Time a sample of the batches both ways and check that the outputs agree."""
    count = min(count, len(batches))
    batches = random.Random(1).sample(batches, count)
    short = [encoder.tokenizer([texts[i] for i in batch]) for batch in batches]
    full = [padded(batch, MAX_TOKENS) for batch in short]
    ways = {"longest": partial(encoded, encoder, short), "full": partial(encoded, encoder, full)}
    difference = (ways["longest"]() - ways["full"]()).abs().max()
    assert difference < 1e-4, f"padding changes the output by {difference}"
    times = in_turns(ways, repeats)
    longest, whole = (statistics.median(times[way]) * 1e3 / count for way in ways)
    ratio = median_ratio(times["full"], times["longest"])
    print(
        f"  {name:22}{longest:8.1f} ms a batch padded to its longest,{whole:9.1f} ms to {MAX_TOKENS}: "
        f"{ratio:.2f} x ({count} batches; difference {difference:.0e})",
        flush=True,
    )


def padded(batch: TextBatch, length: int) -> TextBatch:
    """The batch with more padding, up to ``length`` tokens."""
    missing, fill = length - batch.input_ids.shape[1], (0, 0, -1, -1)
    return TextBatch(*(F.pad(ids, (0, missing), value=value) for ids, value in zip(batch, fill, strict=True)))


def encoded(encoder: TextEncoder, batches: list[TextBatch]) -> Tensor:
    return torch.cat([encoder(batch).pooled for batch in batches])


if __name__ == "__main__":
    try:
        main()
    except BenchError as error:
        sys.exit(f"error: {error}")
