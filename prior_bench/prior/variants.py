"""The paper's PRIOR and the released one: one code, a set of named switches between them."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

from prior_bench.errors import unknown_name


def _switch(effect: str, *, paper: bool = False) -> bool:
    return field(default=paper, metadata={"doc": effect})


@dataclass(frozen=True)
class Variant:
    """Departures of the released code from the paper; True is what the released code does.

    Each field's ``metadata["doc"]`` says in one line what the switch does.
    """

    scrambled_patches: bool = _switch(
        "a patch is C consecutive numbers of the channel-major feature map, not the C channels of one place"
    )
    scrambled_decoder_input: bool = _switch(
        "[B, N, D] is re-read as [B, D, H, W] before the image decoder, not transposed"
    )
    channel_dropout: bool = _switch(
        "image 'masking' drops whole channels of the patches, not positions (our reading of the paper)"
    )
    inverse_permutation: bool = _switch(
        "decoded sentences are re-ordered by the inverse of the Hungarian assignment"
    )
    padded_slots_in_l1: bool = _switch(
        "empty slots are assigned and count in the report's L1 as sentences that are the zero vector"
    )
    causal_report_decoder: bool = _switch("query i of the report decoder sees queries 1..i only")
    soft_prototypes: bool = _switch(
        "a prototype is the softmax mixture of the bank, not one entry (straight-through); on in both "
        "presets, as which of the two the paper means could not be settled",
        paper=True,
    )
    noise_at_inference: bool = _switch("Gumbel noise is drawn at inference too: predictions are random")
    kl_target_gradient: bool = _switch("the KL's target distribution is not detached")
    single_sentence_reports: bool = _switch(
        "a report of one sentence enters the mean of the local text loss, as an exact 0"
    )
    tenfold_global_in_stage3: bool = _switch("the global loss is weighted 10 in stage 3, 1 before")
    raw_logit_scale: bool = _switch("similarity multiplies the cosine by log(1/T) instead of 1/T")
    local_similarity: bool = _switch(
        "similarity is softmax(global) + softmax(mean attention) / 2 over the texts compared, so it depends "
        "on which texts they are; else the scaled cosine"
    )
    sep_in_prompts: bool = _switch("[SEP] enters the mean over a one-sentence text's tokens at inference")


PAPER = Variant()
"""Correct; the default."""
RELEASED = Variant(**{switch.name: True for switch in fields(Variant)})
"""What the published weights were trained with."""
PRESETS = {"paper": PAPER, "released": RELEASED}


def resolve(variant: str | dict[str, Any] | Variant) -> Variant:
    """A variant from its name, or from switches on top of a preset (``{"base": "released", ...}``).

    Raises:
        BenchError: unknown preset or switch, with the nearest known ones.
    """
    if isinstance(variant, Variant):
        return variant
    if isinstance(variant, str):
        if variant not in PRESETS:
            raise unknown_name("variant", variant, list(PRESETS), where="PRIOR(variant=...)")
        return PRESETS[variant]
    changes = dict(variant)
    base = resolve(changes.pop("base", "paper"))
    known = [switch.name for switch in fields(Variant)]
    for name in changes:
        if name not in known:
            raise unknown_name("switch", name, known, where="PRIOR(variant=...)")
    return replace(base, **changes)
