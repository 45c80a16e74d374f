"""What PRIOR's training can be watched for, besides what all methods are (``Method.health``)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
import torch.nn.functional as F

from prior_bench.api import PretrainBatch, TextBatch


def bank_health(model: Any, batches: Iterable[PretrainBatch]) -> dict[str, float]:
    """How many prototypes the sentences of all batches together choose, without noise.

    Args:
        model: a PRIOR in evaluation mode.
        batches: reports whose sentences are looked up.

    Returns:
        ``prototype_perplexity``, from 1 to K, and ``prototype_share``, that over the smaller of K and the
        number of distinct sentences; nothing before stage 2, or without a bank.
    """
    if model.stage < 2 or model.sentence_bank is None:
        return {}
    chosen, sentences = torch.zeros(len(model.sentence_bank.embed.weight), dtype=torch.float64), set()
    for batch in batches:
        found, mask = model.sentences(model.text_encoder(batch.text).tokens, batch.text.sentence_index)
        logits = model.sentence_bank.query(found[mask])
        chosen += F.one_hot(logits.argmax(-1), logits.shape[-1]).sum(0).double().cpu()
        sentences |= distinct_sentences(batch.text)
    share = chosen / chosen.sum().clamp(min=1)
    perplexity = torch.special.entr(share).sum().exp().item()
    return {
        "prototype_perplexity": perplexity,
        "prototype_share": perplexity / max(min(len(chosen), len(sentences)), 1),
    }


def distinct_sentences(text: TextBatch) -> set[tuple[int, ...]]:
    """The sentences of texts, as the ids of their tokens."""
    found = set()
    for ids, index in zip(text.input_ids.tolist(), text.sentence_index.tolist(), strict=True):
        for number in {n for n in index if n > 0}:
            found.add(tuple(token for token, n in zip(ids, index, strict=True) if n == number))
    return found


def chance_losses(model: Any, pairs: int) -> dict[str, float]:
    """The global loss where no report is told from another: the logarithm of the batch, weighted."""
    return {"loss_global": model.weight("global") * math.log(pairs)}
