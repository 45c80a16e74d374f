"""Explanations of PRIOR: written sentences, reconstructed images, and the use of its prototypes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

from prior_bench.api import TextBatch
from prior_bench.explain.contract import Prototype, PrototypeUse
from prior_bench.prior import reconstruction as ccr
from prior_bench.prior.model import PRIOR
from prior_bench.prior.written import SentenceCorpus, encode_corpus, sentence_vectors, uses_bank, write

NEAREST = 5
"""Number of sentences shown per prototype."""

MASKING_SEED = 0
"""Seed of the mask with which images are reconstructed, so that pages are reproducible."""


class PriorExplainer:
    """PRIOR's :class:`prior_bench.explain.contract.Explainer`; before stage 3, it has at most prototypes."""

    def __init__(self, method: PRIOR, reports: Sequence[tuple[str, ...]]):
        self.model, self.reports = method, reports

    @cached_property
    def corpus(self) -> SentenceCorpus:
        """The sentences of the reports, encoded on first use."""
        return encode_corpus(self.model, self.reports)

    def write(self, images: Tensor) -> list[tuple[str, ...]] | None:
        """Write sentences for images, see :func:`prior_bench.prior.written.write`; None before stage 3."""
        return write(self.model, images, self.corpus) if self.model.stage == 3 else None

    def decoded_sentences(self, images: Tensor) -> Tensor | None:
        """Decode sentence prototypes [B, Q, D]; None before stage 3."""
        if self.model.stage != 3:
            return None
        return self.model.decode_report(self.model.encode_image(images).parts)

    def true_sentences(self, text: TextBatch) -> tuple[Tensor, Tensor]:
        """Return targets and mask of the report branch: at most Q sentences, from the bank if it is used."""
        _, targets, mask = sentence_vectors(self.model, text)
        return targets[:, : self.model.queries], mask[:, : self.model.queries]

    def reconstruct(self, images: Tensor, text: TextBatch) -> dict[str, Tensor] | None:
        """Reconstruct images from report and whole image, and from report and masked image as in training."""
        model, variant = self.model, self.model.variant
        if model.stage != 3:
            return None
        patches = model.encode_image(images).parts
        seen = model.local_cross_attention(patches, *self.true_sentences(text)).text_to_image
        devices = [patches.device] if patches.is_cuda else []
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(MASKING_SEED)
            masked = ccr.fuse(
                patches, seen, model.image_masking, variant.channel_dropout, variant.scrambled_decoder_input
            )
        return {
            "image and report": model.decode_image(patches, seen),
            "masked image and report": model.image_decoder(masked),
        }

    def prototypes(self, top: int) -> PrototypeUse | None:
        """Return the most used prototypes, chosen without noise; None if the bank is not used.

        The nearest sentences of a prototype are those in whose mixtures it has the largest weight.
        """
        if not uses_bank(self.model):
            return None
        corpus, bank = self.corpus, self.model.sentence_bank
        assert corpus.choices is not None and bank is not None, "the bank is used"
        share = corpus.choices.double() / corpus.occurrences
        weights = (bank.query(corpus.projected) / bank.temperature).softmax(1)  # [T, K]
        shown = []
        for index in share.argsort(descending=True, stable=True)[:top].tolist():
            if share[index] > 0:
                nearest = weights[:, index].argsort(descending=True, stable=True)[:NEAREST].tolist()
                sentences = tuple(corpus.texts[n] for n in nearest)
                shown.append(Prototype(index, float(share[index]), sentences))
        perplexity = float(torch.special.entr(share).sum().exp())
        return PrototypeUse(len(share), corpus.occurrences, len(corpus.texts), perplexity, tuple(shown))
