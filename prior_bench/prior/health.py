"""Health values of PRIOR's training, in addition to those of all methods (``Method.health``)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
import torch.nn.functional as F

from prior_bench.api import PretrainBatch
from prior_bench.prior.sentences import sentence_codes


def bank_health(model: Any, batches: Iterable[PretrainBatch]) -> dict[str, float]:
    """Measure how many prototypes the sentences of all batches together choose, without noise.

    Args:
        model: a PRIOR in evaluation mode.
        batches: reports whose sentences are looked up.

    Returns:
        ``prototype_perplexity``, from 1 to K, and ``prototype_share``, the perplexity over the smaller of K
        and the number of distinct sentences; empty before stage 2 or without a bank.
    """
    if model.stage < 2 or model.sentence_bank is None:
        return {}
    chosen, sentences = torch.zeros(len(model.sentence_bank.embed.weight), dtype=torch.float64), set()
    for batch in batches:
        found, mask = model.sentences(model.text_encoder(batch.text).tokens, batch.text.sentence_index)
        logits = model.sentence_bank.query(found[mask])
        chosen += F.one_hot(logits.argmax(-1), logits.shape[-1]).sum(0).double().cpu()
        codes = sentence_codes(batch.text.input_ids, batch.text.sentence_index)
        sentences |= set(codes[mask].tolist())
    share = chosen / chosen.sum().clamp(min=1)
    perplexity = torch.special.entr(share).sum().exp().item()
    return {
        "prototype_perplexity": perplexity,
        "prototype_share": perplexity / max(min(len(chosen), len(sentences)), 1),
    }


def chance_losses(model: Any, pairs: int) -> dict[str, float]:
    """Return the weighted global loss at chance level, the logarithm of the number of pairs in a batch."""
    return {"loss_global": model.weight("global") * math.log(pairs)}
