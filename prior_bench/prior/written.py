"""Reports written by PRIOR: the sentences of a corpus that are nearest to the decoded sentence prototypes.

The paper does not say which of the Q slots are written. The rule here depends on the variant:

- ``padded_slots_in_l1`` (released): empty slots were trained as zero vectors. A slot that is nearer to the
  zero vector than to any sentence is empty; all other slots are written.
- otherwise (paper): slots without a matched sentence were not trained, so that empty slots cannot be
  recognised. The number of written sentences is the median of the training reports, and the sentences most
  similar to the image are written.

In both cases, a sentence that is nearest to several slots is written once, and the sentences are in the order
of their similarity to the image.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

import torch
from torch import Tensor

from prior_bench.api import Features, TextBatch
from prior_bench.explain.inputs import tokenised
from prior_bench.pictures.choice import spread
from prior_bench.prior.model import PRIOR

MOST_REPORTS = 10_000
"""Largest number of reports of a corpus that are encoded; they are evenly spaced."""

_AT_ONCE = 32


class SentenceCorpus(NamedTuple):
    """The T distinct sentences of a corpus, as PRIOR encodes them within their reports.

    The occurrences of a sentence differ in their context; their vectors are averaged.

    Attributes:
        texts: T sentences.
        projected: [T, D], before the bank.
        features: features as one-sentence reports; ``local`` is [T, 1, D], from the bank if it is used.
        typical: median number of sentences in a report.
        occurrences: number of occurrences of all sentences together.
        choices: int64 [K], number of occurrences that choose each prototype (without noise), or None.
    """

    texts: tuple[str, ...]
    projected: Tensor
    features: Features
    typical: int
    occurrences: int
    choices: Tensor | None

    @property
    def vectors(self) -> Tensor:
        """The vectors [T, D] that decoded sentences are compared with."""
        return self.features.parts[:, 0]


def uses_bank(model: PRIOR) -> bool:
    """Return whether sentences are replaced by prototypes (from stage 2 on)."""
    return model.stage > 1 and model.sentence_bank is not None


def sentence_vectors(model: PRIOR, text: TextBatch) -> tuple[Tensor, Tensor, Tensor]:
    """Compute the sentences of texts and the report branch's targets in stage 3, without noise.

    Returns:
        Projected sentences [B, S, D], targets [B, S, D] (from the bank if it is used) and mask, bool [B, S].
    """
    projected, mask = model.sentences(model.text_encoder(text).tokens, text.sentence_index)
    bank = model.sentence_bank
    if bank is None or not uses_bank(model):
        return projected, projected, mask
    silent = projected.new_zeros(())
    return projected, bank(projected, silent).prototypes, mask


@torch.no_grad()
def encode_corpus(
    model: PRIOR, reports: Sequence[tuple[str, ...]], most: int = MOST_REPORTS
) -> SentenceCorpus:
    """Encode the sentences of at most ``most`` reports; those that the tokenizer cuts off are left out."""
    reports = spread(reports, most)
    device = next(model.parameters()).device
    texts, projected, targets = [], [], []
    for start in range(0, len(reports), _AT_ONCE):
        some = reports[start : start + _AT_ONCE]
        batch = tokenised(model, some, str(device))
        before, after, mask = sentence_vectors(model, batch)
        for report, index in zip(some, batch.sentence_index, strict=True):
            texts += [report[n - 1] for n in index.unique().tolist() if n > 0]
        projected.append(before[mask])
        targets.append(after[mask])
    place = {text: n for n, text in enumerate(dict.fromkeys(texts))}
    member = torch.tensor([place[text] for text in texts], device=device)
    occurrences = torch.cat(projected)
    choices = None
    if model.sentence_bank is not None and uses_bank(model):
        logits = model.sentence_bank.query(occurrences)
        choices = logits.argmax(1).bincount(minlength=logits.shape[1])
    sentences, vectors = _means(occurrences, member)[:, None], _means(torch.cat(targets), member)[:, None]
    pooled = model.global_text_attention(
        sentences if model.variant.alignment_from_sentences else vectors,
        torch.ones_like(vectors[..., 0], dtype=torch.bool),
    )
    typical = max(1, round(median(len(report) for report in reports)))
    return SentenceCorpus(
        tuple(place), sentences[:, 0], Features(pooled, vectors), typical, len(texts), choices
    )


def _means(vectors: Tensor, member: Tensor) -> Tensor:
    """Average the rows of [N, D] that have the same number in ``member`` [N], to [T, D]."""
    total = vectors.new_zeros(int(member.max()) + 1, vectors.shape[1]).index_add(0, member, vectors)
    return total / member.bincount()[:, None]


@torch.no_grad()
def write(model: PRIOR, images: Tensor, corpus: SentenceCorpus) -> list[tuple[str, ...]]:
    """Return the sentences that PRIOR in stage 3 writes for images [B, C, H, W], by this module's rule."""
    image = model.encode_image(images)
    decoded = model.decode_report(image.parts)
    similarity = model.global_similarity(image, corpus.features)
    return [
        tuple(corpus.texts[n] for n in chosen_sentences(model, slots, corpus, scores))
        for slots, scores in zip(decoded, similarity, strict=True)
    ]


def chosen_sentences(model: PRIOR, slots: Tensor, corpus: SentenceCorpus, similarity: Tensor) -> list[int]:
    """Return the positions in the corpus of the sentences that are written for one image, in order.

    Args:
        model: the method.
        slots: decoded sentences [Q, D].
        corpus: T sentences.
        similarity: similarity of each sentence to the image, [T].
    """
    distance, nearest = torch.cdist(slots.float(), corpus.vectors.float(), p=1).min(1)
    if model.variant.padded_slots_in_l1:
        nearest = nearest[distance <= slots.abs().sum(1)]
    ranked = sorted(set(nearest.tolist()), key=lambda n: (-float(similarity[n]), n))
    return ranked if model.variant.padded_slots_in_l1 else ranked[: corpus.typical]
