"""Outputs of PRIOR's parts, computed separately from the inputs of their fixtures."""

from __future__ import annotations

import torch
from torch import Tensor

from prior_bench.encoders.attention import AttentionPool2d
from prior_bench.losses.contrastive import info_nce
from prior_bench.parity.fixture import FixtureCase
from prior_bench.prior import reconstruction as ccr
from prior_bench.prior.alignment import (
    SigmoidCrossAttention,
    global_loss,
    predictor,
    simsiam_loss,
    within_report_loss,
)
from prior_bench.prior.decoders import ImageDecoder, ReportDecoder
from prior_bench.prior.parity.shared import decoder_arguments, mask_of, padded
from prior_bench.prior.pooling import SentenceAttentionPool
from prior_bench.prior.prototypes import SentenceBank, prototype_loss, query_consistency
from prior_bench.prior.sentences import gather_sentences


def sentence_gather(case: FixtureCase) -> dict[str, Tensor]:
    """Compute means over tokens, without and with a gap in the sentence numbers."""
    found: dict[str, Tensor] = {}
    for gap in ("", "_gap"):
        sentences, mask = gather_sentences(case["in.tokens"], case[f"in.sentence_index{gap}"])
        flat = sentences[mask]
        (gradient,) = torch.autograd.grad((flat * case[f"in.cot{gap}"]).sum(), [case["in.tokens"]])
        found |= {
            f"out.counts{gap}": mask.sum(1),
            f"out.sentences{gap}": flat,
            f"grad.in.tokens{gap}": gradient,
        }
    return found


def sentence_attention_pool(case: FixtureCase) -> dict[str, Tensor]:
    """Compute a report's vector from its sentences."""
    pool = case.load(SentenceAttentionPool(case.hyper["embed_dim"], case.hyper["num_heads"]))
    mask = mask_of(case["in.counts"])
    pooled = pool(padded(case["in.sentences"], mask), mask)
    return {"out.pooled": pooled, **case.gradients((pooled * case["in.cot"]).sum())}


def image_attention_pool(case: FixtureCase) -> dict[str, Tensor]:
    """Compute an image's vector from its last feature map."""
    channels, height, width = case.shape("in.x")[1:]
    pool = case.load(AttentionPool2d((height, width), channels, case.hyper["num_heads"]))
    pooled = pool(case["in.x"])
    return {"out.pooled": pooled, **case.gradients((pooled * case["in.cot"]).sum())}


def local_feature_layout(case: FixtureCase) -> dict[str, Tensor]:
    """Return the patches of a feature map, in the correct order and scrambled as released."""
    patches = case["in.x"].flatten(2).mT
    return {
        "out.correct": patches,
        "out.released": ccr.scramble(patches),
        "out.global_mean": patches.mean(1),
    }


def global_alignment(case: FixtureCase) -> dict[str, Tensor]:
    """Compute the symmetric InfoNCE with a learned scale."""
    image, text, scale = case["in.image"], case["in.text"], case["w.logit_scale"]
    loss = global_loss(image, text, scale)
    image_to_text, text_to_image = info_nce(image, text, torch.exp(-scale))
    return {
        "out.loss": loss,
        "out.loss_i2t": image_to_text,
        "out.loss_t2i": text_to_image,
        **case.gradients(loss),
    }


def local_cross_attention(case: FixtureCase) -> dict[str, Tensor]:
    """Compute sigmoid attention in both directions for one pair."""
    attention = case.load(SigmoidCrossAttention(case.hyper["embed_dim"]))
    image, text = case["in.image"][None], case["in.text"][None]
    seen = attention(image, text, torch.ones(text.shape[:2], dtype=torch.bool))
    found = {
        "text_to_image_embed": seen.text_to_image[0],
        "text_to_image_attn": seen.image_attention[0],
        "image_to_text_embed": seen.image_to_text[0],
        "image_to_text_attn": seen.text_attention[0],
    }
    scalar = sum((value * case[f"in.cot.{name}"]).sum() for name, value in found.items())
    return {**{f"out.{name}": value for name, value in found.items()}, **case.gradients(scalar)}


def local_alignment(case: FixtureCase) -> dict[str, Tensor]:
    """Compute the two losses of the local alignment module."""
    dim = case.hyper["embed_dim"]
    attention = case.load(SigmoidCrossAttention(dim), "local_cross_attention.")
    head = case.load(predictor(dim), "predictor.")
    mask = mask_of(case["in.counts"])
    sentences = padded(case["in.sentences"], mask)
    seen = attention(case["in.image"], sentences, mask)
    image = simsiam_loss(case["in.image"], seen.text_to_image, head)
    text = within_report_loss(sentences, seen.image_to_text, mask, case["w.local_logit_scale"].exp())
    return {
        "out.per_sample.image": image,
        "out.per_sample.text": text,
        "out.local_image_loss": image.mean(),
        "out.local_text_loss": text.mean(),
        "out.text_to_image_embed": seen.text_to_image,
        **case.gradients(image.mean() + text.mean()),
    }


def sentence_bank(case: FixtureCase) -> dict[str, Tensor]:
    """Compute a look-up in the bank, its loss, and the KL divergence of queries."""
    size, dim = case.shape("w.embed.weight")
    bank = case.load(SentenceBank(size, dim, temperature=case.hyper["tau"]))
    features = case["in.features"]
    every = torch.ones(len(features), dtype=torch.bool)
    looked_up = bank(features, case["in.gumbel"])
    loss = prototype_loss(features, looked_up.prototypes, every)
    kl = query_consistency(looked_up.logits, bank.query(case["in.predicted"]), every)
    return {
        "out.mixture": looked_up.prototypes,
        "out.loss": loss,
        "out.index": looked_up.entry,
        "out.logits": looked_up.logits,
        "out.kl": kl,
        **case.gradients((looked_up.prototypes * case["in.cot"]).sum() + loss, "forward."),
        **case.gradients(kl, "kl."),
    }


def sentence_decoder(case: FixtureCase) -> dict[str, Tensor]:
    """Compute the output of the report decoder, with and without the causal mask."""
    found: dict[str, Tensor] = {}
    for name, causal in (("causal", True), ("full", False)):
        decoder = case.load(_report_decoder(case, causal), unused=("embeddings.word_embeddings.*",))
        decoded = decoder(case["in.queries"], case["in.image"])
        found |= {f"out.{name}": decoded, **case.gradients((decoded * case["in.cot"]).sum(), f"{name}.")}
    return found


def image_reconstruction(case: FixtureCase) -> dict[str, Tensor]:
    """Compute the image branch, scrambled and not, with batch statistics and with running statistics."""
    found: dict[str, Tensor] = {}
    for mode in ("train", "eval"):
        for name, scrambled in (("released", True), ("correct", False)):
            decoder = case.load(_image_decoder(case)).train(mode == "train")
            drop = case.hyper.get("dropout2d", 0.0)
            patches, attended = case["in.image_embed"], case["in.text_to_image_embed"]
            decoded = decoder(ccr.fuse(patches, attended, drop, True, scrambled))
            loss = ccr.image_loss(decoded, case["in.image"])
            start = f"{mode}.{name}."
            found |= {f"out.{start}loss": loss, f"out.{start}output": decoded}
            found |= {f"out.{start}after.{key}": value.clone() for key, value in decoder.named_buffers()}
            found |= case.gradients(loss, start)
    return found


def report_reconstruction(case: FixtureCase) -> dict[str, Tensor]:
    """Compute matching, L1 loss and KL divergence of the report branch."""
    decoded, targets = case["in.logits"], case["in.protos"]
    real = case["in.mask"].detach() > 0
    size, dim = case.shape("w.sentence_bank.embed.weight")
    bank = case.load(SentenceBank(size, dim), "sentence_bank.")
    true = padded(case["in.query_logits"], real)
    assignment = _assignment(case, "out.hungarian.col", decoded, targets)
    found = {"out.hungarian.col": assignment}
    for name, inverse in (("released", True), ("fixed", False)):
        ordered = ccr.reorder(decoded, assignment, inverse)
        report = case.hyper["lambda_proto"] * ccr.report_loss(ordered, targets, torch.ones_like(real))
        kl = query_consistency(true, bank.query(ordered), real)
        found |= {
            f"out.{name}.spg_loss": report,
            f"out.{name}.kl_loss": kl,
            f"out.{name}.logits_stacks": ordered[real],
            **case.gradients(report + kl, f"{name}."),
        }
    return found


def _assignment(case: FixtureCase, name: str, decoded: Tensor, targets: Tensor) -> Tensor:
    """Return our assignment, or the stored one if its cost is equal (empty slots are interchangeable)."""
    cost = ccr.matching_cost(decoded, targets)
    ours, stored = ccr.assign(cost), case[name]
    ours_cost, stored_cost = (cost.gather(2, a[..., None]).sum((1, 2)) for a in (ours, stored))
    return torch.where(torch.isclose(ours_cost, stored_cost, rtol=1e-6)[:, None], stored, ours)


def _report_decoder(case: FixtureCase, causal: bool) -> ReportDecoder:
    return ReportDecoder(case.shape("in.queries")[-1], **decoder_arguments(case), causal=causal)


def _image_decoder(case: FixtureCase) -> ImageDecoder:
    sizes = tuple(case.hyper["sizes"])
    return ImageDecoder(case.hyper["in_channels"], len(sizes), sizes)
