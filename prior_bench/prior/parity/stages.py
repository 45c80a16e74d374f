"""Outputs of the whole method without encoders: its three training stages, and zero-shot."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from prior_bench.api import Features
from prior_bench.parity.fixture import FixtureCase
from prior_bench.prior.injected import Injected
from prior_bench.prior.model import PRIOR
from prior_bench.prior.parity.shared import decoder_arguments, layers, padded
from prior_bench.prior.sentences import gather_sentences
from prior_bench.prior.variants import RELEASED, PriorVariant

TERMS = {
    "global": "global_alignment_loss",
    "local_image": "local_image_loss",
    "local_text": "local_text_loss",
    "prototype": "proto_loss_",
    "image": "rec_image_loss",
    "report": "spg_loss",
    "query": "kl_loss",
    "report_global": "gpa_loss",
}
"""Official names of the terms, by our names."""
STAGE3 = {
    "released": RELEASED,
    "perm_fixed": replace(RELEASED, inverse_permutation=False),
    "perm_full": replace(RELEASED, inverse_permutation=False, causal_report_decoder=False),
    "all_fixed": replace(
        RELEASED, inverse_permutation=False, causal_report_decoder=False, scrambled_decoder_input=False
    ),
}
"""Variants of the stage-3 fixture."""


class _Given(nn.Module):
    """Placeholder for an encoder whose output is in the fixture."""

    def __init__(self, dim: int):
        super().__init__()
        self.dim = self.local_dim = dim


def _model(case: FixtureCase, variant: PriorVariant, stage: int) -> PRIOR:
    """Build PRIOR with the sizes and weights of a fixture, without encoders."""
    hyper, tensors = case.hyper, case.fixture.tensors
    weight = "w.local_text_projection.weight"
    arguments: dict[str, Any] = {}
    if "w.sentence_decoder.embeddings.LayerNorm.weight" in tensors:
        found = decoder_arguments(case, "sentence_decoder.")
        arguments = {f"decoder_{name}": value for name, value in found.items()}
        arguments["image_blocks"] = layers(case, r"w\.image_decoder\.blocks\.(\d+)\.")
    else:
        arguments = {"decoder_layers": 0, "image_blocks": 0}  # the fixture may have only batch statistics
    lambda_proto = hyper.get("lambda_proto", 1)
    model = PRIOR(
        _Given(hyper["embed_dim"]),
        _Given(case.shape(weight)[1] if weight in tensors else hyper["embed_dim"]),
        embed_dim=hyper["embed_dim"],
        prototypes=hyper["spb_k"],
        queries=hyper.get("num_queries", 1),
        variant=variant,
        weights={"prototype": lambda_proto, "report": lambda_proto},
        stage=stage,
        prototype_temperature=hyper["tau"],
        image_masking=0.0,
        **arguments,
    )
    return case.load(model, unused=() if "decoder_heads" in arguments else ("image_decoder.*",))


def stage(case: FixtureCase) -> dict[str, Tensor]:
    """Compute all terms of a training stage and their total from projected features."""
    number = int(case.fixture.name.removeprefix("stage"))
    variants = STAGE3 if number == 3 else {"released": RELEASED}
    found: dict[str, Tensor] = {}
    for name, variant in variants.items():
        model = _model(case, variant, number)
        sentences, mask = gather_sentences(case["in.tokens"], case["in.sentence_index"])
        image = Features(case["in.global_image"], case["in.local_image"])
        injected, used = Injected(), mask
        if number > 1:
            used = mask[:, : model.queries] if number == 3 else mask
            injected = injected._replace(sentence_noise=padded(case["in.gumbel0"], used))
        if number == 3:
            slots = F.pad(used, (0, model.queries - used.shape[1]))
            injected = injected._replace(decoded_noise=padded(case["in.gumbel1"], slots))
        if number == 3 and name == "released":
            stored = case["out.released.hungarian.col"]
            found["out.released.hungarian.col"] = stored
            injected = injected._replace(assignment=stored)
        images = case["in.image"] if number == 3 else None
        terms = model.terms(image, sentences, mask, images, injected)
        total = cast(Tensor, sum(model.weight(term) * terms[term] for term in TERMS if term in terms))
        found |= {f"out.{name}.loss": total, **case.gradients(total, f"{name}.")}
        for term, official in TERMS.items():
            if term in terms:
                factor = 1 if term == "global" else model.weight(term)
                found[f"out.{name}.{official}"] = factor * terms[term]
    return found


def zero_shot(case: FixtureCase) -> dict[str, Tensor]:
    """Compute class probabilities from prompts and images."""
    exp = replace(RELEASED, raw_logit_scale=False)
    # The released code pads to a fixed length and drops the first and last column: [CLS] and padding.
    hidden, mask = case["in.prompt_hidden"][:, 1:-1], case["in.prompt_mask"][:, 1:-1]
    index = torch.where(mask > 0, 1, -1)
    noise = case["in.gumbel"]
    found: dict[str, Tensor] = {}
    for name, variant, drawn in (
        ("released", RELEASED, noise),
        ("exp", exp, noise),
        ("nonoise", RELEASED, torch.zeros_like(noise)),
    ):
        model = _model(case, variant, stage=3).eval()
        text = model.embed_text(hidden, index, drawn)
        image = Features(case["in.global_image"], case["in.local_image"])
        probability = model.similarity(image, text)
        found |= {
            f"out.{name}.prompt_local": text.parts.flatten(0, 1),
            f"out.{name}.prompt_global": text.global_,
            f"out.{name}.global_logits": model.global_similarity(image, text),
            f"out.{name}.local_logits": model.local_similarity(image, text),
            f"out.{name}.prob": probability,
            f"out.{name}.pred": probability.argmax(1),
        }
    return found
