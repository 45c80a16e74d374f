"""The paper's PRIOR, the released one and our extension: one implementation with named switches."""

from __future__ import annotations

from dataclasses import dataclass

from prior_bench.variants import extended, extension, released, switch


@dataclass(frozen=True)
class PriorVariant:
    """Departures of the released code from the paper, and extensions that are ours.

    For a departure, True is what the released code does. An extension is off in both. The
    ``metadata["doc"]`` of each field says in one line what the switch does.
    """

    scrambled_patches: bool = switch(
        "a patch is C consecutive numbers of the channel-major feature map, not the C channels of one place"
    )
    scrambled_decoder_input: bool = switch(
        "[B, N, D] is re-read as [B, D, H, W] before the image decoder, not transposed"
    )
    channel_dropout: bool = switch(
        "image 'masking' drops whole channels of the patches, not positions (our reading of the paper)"
    )
    inverse_permutation: bool = switch(
        "decoded sentences are re-ordered by the inverse of the Hungarian assignment"
    )
    padded_slots_in_l1: bool = switch(
        "empty slots are assigned and count in the report's L1 as sentences that are the zero vector"
    )
    causal_report_decoder: bool = switch("query i of the report decoder sees queries 1..i only")
    soft_prototypes: bool = switch(
        "a prototype is the softmax mixture of the bank, not one entry (straight-through); on in both "
        "presets, as which of the two the paper means could not be settled",
        paper=True,
    )
    noise_at_inference: bool = switch("Gumbel noise is drawn at inference too: predictions are random")
    kl_target_gradient: bool = switch("the KL's target distribution is not detached")
    single_sentence_reports: bool = switch(
        "a report of one sentence enters the mean of the local text loss, as an exact 0"
    )
    tenfold_global_in_stage3: bool = switch("the global loss is weighted 10 in stage 3, 1 before")
    raw_logit_scale: bool = switch("similarity multiplies the cosine by log(1/T) instead of 1/T")
    local_similarity: bool = switch(
        "similarity is softmax(global) + softmax(mean attention) / 2 over the texts compared, so it depends "
        "on which texts they are; else the scaled cosine"
    )
    sep_in_prompts: bool = switch("[SEP] enters the mean over a one-sentence text's tokens at inference")
    released_initialisation: bool = switch(
        "projections and the predictor's first layer start normal with variance 1 / inputs, decoder queries "
        "normal with variance 1, the sentence pool as torch starts linear layers; the paper does not say how "
        "they start: else torch's start, queries of 0.02, and a sentence pool of variance 1 / D"
    )
    negatives_from_other_images: bool = extension(
        "the local text loss compares what a sentence sees of its own image with what it sees of the other "
        "images of the batch, and with what their sentences see of its image; the paper's negatives are "
        "sentences of the same report"
    )
    matched_patches: bool = extension(
        "a sentence attends to the patches that match it best, by a softmax of cosines over the patches; "
        "with negatives from other images, it agrees with an image by the soft maximum of these cosines "
        "(prior_bench/prior/matching.py)"
    )
    alignment_from_sentences: bool = extension(
        "global and local alignment take the report's sentences in all stages, and so do features and "
        "scores; the paper takes their prototypes from stage 2 on; the report branch reconstructs prototypes "
        "in both"
    )
    bank_diversity: bool = extension(
        "from stage 2 on, a loss term is lower the more evenly the sentences of a batch use the bank, as for "
        "the codebooks of wav2vec 2.0 (arXiv 2006.11477); without it, training uses less and less of the bank"
    )
    repeated_sentences_spared: bool = extension(
        "an image whose report holds the same sentence word for word is no negative of this sentence"
    )


PAPER = PriorVariant()
"""Correct; the default."""
RELEASED = released(PriorVariant)
"""What the published weights were trained with."""
EXTENDED = extended(PriorVariant)
"""The paper's PRIOR with our extensions."""
