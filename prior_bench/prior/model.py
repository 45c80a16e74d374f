"""PRIOR (Cheng et al., ICCV 2023, arXiv 2307.12577): from a batch of images and reports to its losses.

Stage 1 aligns, stage 2 replaces sentences by prototypes, stage 3 reconstructs image and report from each
other. Shapes: B pairs, N patches, S sentences (padded), Q queries, K prototypes, D channels.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from prior_bench.api import Features, PretrainBatch, TextBatch
from prior_bench.encoders.image import ImageEncoder
from prior_bench.encoders.text import TextEncoder
from prior_bench.errors import BenchError
from prior_bench.prior import reconstruction as ccr
from prior_bench.prior.alignment import (
    SigmoidCrossAttention,
    across_images_loss,
    global_loss,
    predictor,
    simsiam_loss,
    within_report_loss,
)
from prior_bench.prior.decoders import ImageDecoder, ReportDecoder
from prior_bench.prior.health import bank_health, chance_losses
from prior_bench.prior.host_copy import HostCopy
from prior_bench.prior.initialisation import start_as_released
from prior_bench.prior.injected import NOTHING_INJECTED, Injected
from prior_bench.prior.matching import MatchedCrossAttention
from prior_bench.prior.pooling import SentenceAttentionPool
from prior_bench.prior.prototypes import (
    SentenceBank,
    diversity_loss,
    prototype_loss,
    query_consistency,
    usage_perplexity,
)
from prior_bench.prior.sentences import (
    gather_sentences,
    mean_where,
    most_sentences,
    reports_with,
    sentence_codes,
    with_sep,
)
from prior_bench.prior.variants import PriorVariant
from prior_bench.prior.weights import Weights, weights_of_stages
from prior_bench.schema.base import Count, Dropout, Index, Positive, Probability
from prior_bench.variants import Fits, resolve


class PRIOR(nn.Module):
    """PRIOR as a :class:`prior_bench.api.Method`. State-dict names follow the released checkpoint.

    The output map of the attention pool is the global text projection; there is no other one.

    Args:
        image_encoder: :class:`ImageEncoder` or its arguments (paper: ResNet-50, one channel,
            ``pool="attention"``).
        text_encoder: :class:`TextEncoder` or its arguments (paper: Bio_ClinicalBERT).
        embed_dim: D; must be divisible by the 8 heads of the sentence pool and by 2**4.
        prototypes: K; 0 leaves the sentence prototype bank out.
        queries: Q, the largest number of sentences that stage 3 reconstructs; longer reports are cut.
        variant: ``"paper"``, ``"released"``, ``"extended"`` (ours), or switches (see
            :mod:`prior_bench.prior.variants`).
        weights: changes to :data:`prior_bench.prior.weights.WEIGHTS`; three of them, one for each stage, if
            the stages differ.
        stage: 1, 2 or 3, the stage to start in; training raises it.
        temperature, local_temperature: initial values of the learned temperatures.
        prototype_temperature: temperature of the Gumbel-softmax.
        image_masking: share of the image's patches that are masked before reconstruction.
        decoder_layers, decoder_heads, decoder_hidden, decoder_positions, decoder_dropout: of the report
            decoder (see :class:`ReportDecoder`); heads default to D / 64, hidden to 4 D.
        image_blocks: up-samplings of the image decoder; 2**blocks is the stride of a patch.
        checkpoint_decoders: less memory in stage 3: the decoders' activations are computed again in the
            backward pass. The result is the same.
    """

    version = 2
    """2: the released variant starts its layers as the released code does."""

    def __init__(
        self,
        image_encoder: dict[str, Any] | nn.Module,
        text_encoder: dict[str, Any] | nn.Module,
        embed_dim: Count = 768,
        prototypes: Index = 512,
        queries: Count = 16,
        variant: Annotated[str | dict[str, Any] | PriorVariant, Fits(PriorVariant)] = "paper",
        weights: Weights | Sequence[Weights] | None = None,
        stage: Annotated[int, Field(ge=1, le=3)] = 1,
        temperature: Positive = 0.01,
        local_temperature: Positive = 0.01,
        prototype_temperature: Positive = 0.9,
        image_masking: Probability = 0.5,
        decoder_layers: Count = 8,
        decoder_heads: Count | None = None,
        decoder_hidden: Count | None = None,
        decoder_positions: Count = 512,
        decoder_dropout: Dropout = 0.1,
        image_blocks: Count = 5,
        checkpoint_decoders: bool = False,
    ):
        super().__init__()
        self.variant, self.stage_weights = resolve(variant, PriorVariant), weights_of_stages(weights or {})
        self.queries, self.image_masking = queries, image_masking
        self.image_encoder: Any = _made(ImageEncoder, image_encoder)
        self.text_encoder: Any = _made(TextEncoder, text_encoder)
        self.register_buffer("_stage", torch.tensor(1))
        self._stage_on_host = HostCopy()
        self.stage = stage

        self.global_image_projection = nn.Linear(self.image_encoder.dim, embed_dim)
        self.local_image_projection = nn.Linear(self.image_encoder.local_dim, embed_dim)
        self.local_text_projection = nn.Linear(self.text_encoder.dim, embed_dim)
        self.global_text_attention = SentenceAttentionPool(embed_dim)
        self.logit_scale = nn.Parameter(torch.tensor(-math.log(temperature)))

        attention = MatchedCrossAttention if self.variant.matched_patches else SigmoidCrossAttention
        self.local_cross_attention = attention(embed_dim)
        self.predictor = predictor(embed_dim)
        self.local_logit_scale = nn.Parameter(torch.tensor(-math.log(local_temperature)))

        self.sentence_bank = None
        if prototypes:
            self.sentence_bank = SentenceBank(
                prototypes,
                embed_dim,
                prototype_temperature,
                soft=self.variant.soft_prototypes,
                always_noisy=self.variant.noise_at_inference,
            )

        self.image_decoder = ImageDecoder(2 * embed_dim, image_blocks, checkpoint=checkpoint_decoders)
        self.prototype_queries = nn.Parameter(torch.randn(1, queries, embed_dim) * 0.02)
        self.sentence_decoder = ReportDecoder(
            embed_dim,
            decoder_layers,
            decoder_heads or max(embed_dim // 64, 1),
            decoder_hidden or 4 * embed_dim,
            decoder_positions,
            decoder_dropout,
            causal=self.variant.causal_report_decoder,
            checkpoint=checkpoint_decoders,
        )
        if self.variant.released_initialisation:
            start_as_released(self)

    _stage: Tensor

    @property
    def stage(self) -> int:
        """The stage: 1 aligns, 2 adds prototypes, 3 adds reconstruction; it is saved with the weights."""
        return self._stage_on_host.of(self._stage)

    @stage.setter
    def stage(self, stage: int) -> None:
        if stage not in (1, 2, 3):
            raise BenchError(f"stage is {stage!r}; must be 1, 2 or 3", where="PRIOR.stage")
        self._stage_on_host.fill(self._stage, stage)

    @property
    def weights(self) -> dict[str, float]:
        """Weights of the loss terms in the current stage."""
        return self.stage_weights[self.stage - 1]

    @property
    def random_evaluation(self) -> bool:
        """Whether features and similarities are random, as they are with the released weights."""
        return self.variant.noise_at_inference

    # --- encoders ---------------------------------------------------------------------------------------

    def encode_image(self, images: Tensor) -> Features:
        """Map images [B, C, H, W] to the joint space: global [B, D] and patches [B, N, D]."""
        features = self.image_encoder(images)
        patches = ccr.scramble(features.local) if self.variant.scrambled_patches else features.local
        return Features(
            self.global_image_projection(features.global_), self.local_image_projection(patches), None
        )

    def encode_text(self, text: TextBatch) -> Features:
        """Map texts to the joint space: global [T, D]; sentences, or from stage 2 prototypes, [T, S, D].

        They remain sentences with ``alignment_from_sentences``.
        """
        index = with_sep(text) if self.variant.sep_in_prompts else text.sentence_index
        return self.embed_text(self.text_encoder(text).tokens, index, most=most_sentences(text))

    def embed_text(
        self,
        tokens: Tensor,
        sentence_index: Tensor,
        noise: Tensor | None = None,
        most: int | None = None,
    ) -> Features:
        """Map token features [T, L, D'] to the joint space.

        Args:
            noise: as in :class:`SentenceBank`.
            most: as in :func:`gather_sentences`.
        """
        parts, mask = self.sentences(tokens, sentence_index, most)
        aligned_by_bank = not self.variant.alignment_from_sentences
        if aligned_by_bank and self.stage > 1 and self.sentence_bank is not None:
            parts = self.sentence_bank(parts, noise).prototypes
        return Features(self.global_text_attention(parts, mask), parts, mask)

    def sentences(
        self, tokens: Tensor, sentence_index: Tensor, most: int | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return projected sentences [B, S, D] and their mask: an affine map of the mean over tokens."""
        sentences, mask = gather_sentences(tokens, sentence_index, most)
        return self.local_text_projection(sentences), mask

    # --- losses -----------------------------------------------------------------------------------------

    def loss(self, batch: PretrainBatch) -> dict[str, Tensor]:
        """Compute the weighted terms of the current stage, as ``loss_<term>``, and the bank's perplexity."""
        image, text, most = self.encode_image(batch.images), batch.text, most_sentences(batch.text)
        sentences, mask = self.sentences(self.text_encoder(text).tokens, text.sentence_index, most)
        codes = None
        if self.variant.repeated_sentences_spared:
            codes = sentence_codes(text.input_ids, text.sentence_index, most)
        terms = self.terms(image, sentences, mask, batch.images, codes=codes)
        perplexity = terms.pop("perplexity", None)
        losses = {f"loss_{name}": self.weight(name) * term for name, term in terms.items()}
        return losses if perplexity is None else {**losses, "prototype_perplexity": perplexity}

    def health(self, batches: Iterable[PretrainBatch]) -> dict[str, float]:
        """Measure the use of the prototypes (:mod:`prior_bench.prior.health`), which training reports."""
        return bank_health(self, batches)

    def chance_losses(self, pairs: int) -> dict[str, float]:
        """Return the losses of a model that has learned nothing, in a batch of ``pairs``."""
        return chance_losses(self, pairs)

    def weight(self, term: str) -> float:
        """Return the factor of a term in the total of the current stage."""
        tenfold = term == "global" and self.stage == 3 and self.variant.tenfold_global_in_stage3
        return self.weights[term] * (10 if tenfold else 1)

    def terms(
        self,
        image: Features,
        sentences: Tensor,
        mask: Tensor,
        images: Tensor | None = None,
        injected: Injected = NOTHING_INJECTED,
        codes: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Compute the terms of the current stage, without their weights.

        Args:
            image: in the joint space.
            sentences: [B, S, D], projected.
            mask: bool [B, S].
            images: [B, C, H, W], what stage 3 reconstructs.
            injected: for parity.
            codes: int64 [B, S], equal where two sentences are the same word for word
                (:func:`sentence_codes`); None if repeated sentences count as negatives.
        """
        terms: dict[str, Tensor] = {}
        logits: Tensor | None = None
        patches = image.parts
        if self.stage == 3:
            sentences, mask = sentences[:, : self.queries], mask[:, : self.queries]
            codes = codes if codes is None else codes[:, : self.queries]
        targets = sentences
        if self.stage > 1 and self.sentence_bank is not None:
            bank = self.sentence_bank(sentences, injected.sentence_noise)
            if self.weights["prototype"]:
                terms["prototype"] = prototype_loss(sentences, bank.prototypes, mask)
            if self.variant.bank_diversity and self.weights["diversity"]:
                terms["diversity"] = diversity_loss(bank.logits, self.sentence_bank.temperature, mask)
            terms["perplexity"] = usage_perplexity(bank.logits, mask)
            targets, logits = bank.prototypes, bank.logits
        if not self.variant.alignment_from_sentences:
            sentences = targets
        report = self.global_text_attention(sentences, mask)
        if self.weights["global"]:
            terms["global"] = global_loss(image.global_, report, self.logit_scale)

        seen = self.local_cross_attention(patches, sentences, mask)
        if self.weights["local_image"]:
            terms["local_image"] = simsiam_loss(patches, seen.text_to_image, self.predictor).mean()
        if self.weights["local_text"]:
            terms["local_text"] = self._local_text(patches, sentences, seen.image_to_text, mask, codes)
        if self.stage == 3:
            if self.weights["image"]:
                assert images is not None, "stage 3 reconstructs images"
                terms["image"] = ccr.image_loss(self.decode_image(patches, seen.text_to_image), images)
            if any(self.weights[name] for name in ("report", "query", "report_global")):
                terms |= self._report(patches, targets, mask, report, logits, injected)
        return terms

    def _local_text(
        self, patches: Tensor, sentences: Tensor, attended: Tensor, mask: Tensor, codes: Tensor | None
    ) -> Tensor:
        scale = self.local_logit_scale.exp()
        if self.variant.negatives_from_other_images:
            agreement = self.local_cross_attention.agreement(patches, sentences)
            spared = None if codes is None else reports_with(codes, mask)
            return across_images_loss(agreement, mask, scale, spared).mean()
        losses = within_report_loss(sentences, attended, mask, scale)
        if self.variant.single_sentence_reports:
            return losses.mean()
        return mean_where(losses, mask.sum(1) > 1)

    def decode_image(self, patches: Tensor, attended: Tensor) -> Tensor:
        """Decode images [B, 1, H, W] from masked patches [B, N, D] and the sentences they see [B, N, D]."""
        drop = self.image_masking if self.training else 0.0
        variant = self.variant
        fused = ccr.fuse(patches, attended, drop, variant.channel_dropout, variant.scrambled_decoder_input)
        return self.image_decoder(fused)

    def decode_report(self, patches: Tensor) -> Tensor:
        """Decode sentence prototypes [B, Q, D], in no order, from patches [B, N, D]."""
        return self.sentence_decoder(self.prototype_queries.expand(len(patches), -1, -1), patches)

    def _report(
        self,
        patches: Tensor,
        sentences: Tensor,
        mask: Tensor,
        report: Tensor,
        logits: Tensor | None,
        injected: Injected,
    ) -> dict[str, Tensor]:
        empty = self.queries - sentences.shape[1]
        real = F.pad(mask, (0, empty))
        targets = F.pad(sentences * mask[..., None], (0, 0, 0, empty))
        decoded = self.decode_report(patches)
        ordered, counted = self.match(decoded, targets, real, injected.assignment)

        terms = {"report": ccr.report_loss(ordered, targets, counted)}
        summary = ordered
        if self.sentence_bank is not None:
            if self.weights["query"]:
                assert logits is not None, "a bank that is used has looked the sentences up"
                predicted = self.sentence_bank.query(ordered[:, : sentences.shape[1]])
                terms["query"] = self.query_loss(logits, predicted, mask)
            summary = self.sentence_bank(ordered, injected.decoded_noise).prototypes
        if self.weights["report_global"]:
            summary = self.global_text_attention(summary, real)
            terms["report_global"] = global_loss(summary, report, self.logit_scale)
        return terms

    def match(
        self, decoded: Tensor, targets: Tensor, real: Tensor, assignment: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return decoded sentences [B, Q, D] in the order of their targets, and the slots that count.

        Args:
            targets: [B, Q, D], zero where not real.
            real: bool [B, Q].
            assignment: int [B, Q], to use instead of the Hungarian one.
        """
        all_count = self.variant.padded_slots_in_l1
        if assignment is None:
            cost = ccr.matching_cost(decoded, targets)
            # An empty slot costs any query the same: the real targets are matched as if alone.
            assignment = ccr.assign(cost if all_count else cost.masked_fill(~real[:, None, :], 0))
        ordered = ccr.reorder(decoded, assignment, self.variant.inverse_permutation)
        return ordered, torch.ones_like(real) if all_count else real

    def query_loss(self, true: Tensor, predicted: Tensor, mask: Tensor) -> Tensor:
        """Compute the KL consistency of bank queries, logits [B, S, K]; the true ones are the target."""
        return query_consistency(true if self.variant.kl_target_gradient else true.detach(), predicted, mask)

    # --- similarity -------------------------------------------------------------------------------------

    def similarity(self, image: Features, text: Features) -> Tensor:
        """Compute the scaled cosine of the global features, [images, texts] (see ``local_similarity``)."""
        logits = self.global_similarity(image, text)
        if not self.variant.local_similarity:
            return logits
        return logits.softmax(1) + self.local_similarity(image, text).softmax(1) / 2

    def global_similarity(self, image: Features, text: Features) -> Tensor:
        """Compute the cosine times the logit scale, [images, texts]."""
        scale = self.logit_scale if self.variant.raw_logit_scale else self.logit_scale.exp()
        return scale * F.normalize(image.global_, dim=-1) @ F.normalize(text.global_, dim=-1).T

    def local_similarity(self, image: Features, text: Features) -> Tensor:
        """Compute the mean sigmoid attention of both directions, [images, texts], in (0, 1)."""
        sentences = text.parts
        mask = text.mask if text.mask is not None else torch.ones(sentences.shape[:2], dtype=torch.bool)
        return self.local_cross_attention.mean_attention(image.parts, sentences, mask.to(sentences.device))

    # --- pictures ---------------------------------------------------------------------------------------

    attention_over = "sentences"

    def attention(self, image: Features, text: Features) -> Tensor | None:
        """Return LAM's attention [B, S, N] in (0, 1) of each sentence; None for scrambled patches."""
        if self.variant.scrambled_patches:
            return None
        return self.local_cross_attention(image.local, text.local, text.mask).text_attention


def _made(kind: type, encoder: dict[str, Any] | nn.Module) -> Any:
    return kind(**encoder) if isinstance(encoder, dict) else encoder
