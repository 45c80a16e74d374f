"""Lengths of reports in tokens, and how many exceed the papers' maximum lengths."""

from __future__ import annotations

from collections.abc import Mapping

from prior_bench.data.manifest import Manifest
from prior_bench.data.texts.reports import POLICIES

Report = tuple[str, ...]
VOCABULARY = 4000
"""Size of the vocabulary that is trained if no tokenizer is given, as in pre-training."""
UNLIMITED = 1_000_000


def token_lengths(manifest: Manifest, tokenizer: str | None = None) -> tuple[dict[Report, int], list[str]]:
    """Count the tokens of each report, including [CLS] and [SEP], and describe the lengths.

    Args:
        manifest: data set; without reports, both results are empty.
        tokenizer: folder, ``tokenizer.json`` or ``vocab.txt``; by default one is trained on the reports.

    Raises:
        BenchError: the tokenizer cannot be read.
    """
    if not manifest.has("reports"):
        return {}, []
    from prior_bench.checkpoints.vocabulary import read_tokenizer
    from prior_bench.encoders.tokenizer import ReportTokenizer

    reports = list(dict.fromkeys(manifest.table["report"].dropna()))
    if tokenizer:
        made, which = read_tokenizer(tokenizer, UNLIMITED), tokenizer
    else:
        made = ReportTokenizer.train(reports, VOCABULARY, UNLIMITED)
        which = f"a vocabulary of {made.vocab_size:,} trained on these reports (--tokenizer names another)"
    lengths = dict(zip(reports, made.lengths(reports), strict=True))
    return lengths, [f"tokens are word pieces of {which}", _beyond_budgets(lengths)]


def _beyond_budgets(lengths: Mapping[Report, int]) -> str:
    users: dict[int, list[str]] = {}
    for name, policy in POLICIES.items():
        users.setdefault(policy.max_tokens, []).append(name)
    beyond = [
        f"{sum(length > budget for length in lengths.values()):,} at {budget} ({', '.join(users[budget])})"
        for budget in sorted(users)
    ]
    return f"of {len(lengths):,} distinct reports, the token limits cut: {'; '.join(beyond)}"
