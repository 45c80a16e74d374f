"""Checkers of the fixtures of the official MGCA (entry point ``prior_bench.parity``)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from prior_bench.parity.checker import Checker
from prior_bench.parity.fixture import FixtureCase

from ..token_fixtures import text_batch
from ..words import merge_pieces, row_of_token
from .attention import clipped_weights, shifted, uniform_weights
from .heads import GlobalHead, LocalHead
from .losses import (
    instance_alignment,
    prototype_alignment,
    sinkhorn,
    token_alignment,
    token_logits,
    top_k_accuracy,
)
from .model import cut_full_texts


def checkers() -> dict[str, Checker]:
    """Return the checkers by fixture."""
    return {
        "losses_resnet_50": Checker(losses),
        "losses_vit_base": Checker(losses),
        "aggregate_tokens": Checker(aggregate_tokens),
        "global_head": Checker(head),
        "local_head": Checker(head),
    }


def losses(case: FixtureCase) -> dict[str, Tensor]:
    """Compute the three released alignments; a fixture with an attention map is that of a ViT."""
    image, text = case["in.image"], case["in.text"]
    prototypes = F.normalize(case["w.prototypes"], dim=-1).detach().requires_grad_()
    return {
        **_instances(case, image, text),
        **_tokens(case),
        **_prototypes(case, F.normalize(image, dim=-1), F.normalize(text, dim=-1), prototypes),
    }


def _instances(case: FixtureCase, image: Tensor, text: Tensor) -> dict[str, Tensor]:
    to_text, to_image = instance_alignment(image, text, case.hyper["softmax_temperature"])
    return {
        "out.ita_i2t": to_text,
        "out.ita_t2i": to_image,
        "out.ita": to_text + to_image,
        "out.acc1": 100 * top_k_accuracy(image, text, 1)[None],
        "out.acc5": 100 * top_k_accuracy(image, text, 5)[None],
        **case.gradients(to_text + to_image, "ita."),
    }


def _tokens(case: FixtureCase) -> dict[str, Tensor]:
    temperature, is_vit = case.hyper["local_temperature"], "in.attention_map" in case.fixture.tensors
    words, patches = F.normalize(case["in.words"], dim=-1), F.normalize(case["in.patches"], dim=-1)
    word_weights = clipped_weights(case["in.word_attn"].detach())
    if is_vit:
        patch_weights = clipped_weights(case["in.attention_map"].detach().mean(1)[:, 0, 1:])
    else:
        patch_weights = uniform_weights(patches)
    logits = token_logits(words, patches, None, temperature)
    word = token_alignment(logits, word_weights, None)
    logits = token_logits(patches, words, ~case["in.pad_mask"], temperature, normalise=not is_vit)
    patch = token_alignment(logits, patch_weights, None)
    total = sum(word) / 2 + sum(patch) / 2
    return {
        "out.word_weights": word_weights,
        "out.patch_weights": patch_weights,
        "out.word_1": word[0],
        "out.word_2": word[1],
        "out.patch_1": patch[0],
        "out.patch_2": patch[1],
        "out.local": total,
        **case.gradients(total, "local."),
    }


def _prototypes(case: FixtureCase, image: Tensor, text: Tensor, prototypes: Tensor) -> dict[str, Tensor]:
    hyper = case.hyper
    balance = (hyper["epsilon"], hyper["sinkhorn_iterations"])
    from_text, from_image = prototype_alignment(image, text, prototypes, hyper["proto_temperature"], *balance)
    total = (from_text + from_image) / 2
    (gradient,) = torch.autograd.grad(total, [prototypes], retain_graph=True)
    return {
        "out.prototypes_normalized": prototypes,
        "out.img_code": sinkhorn(image @ prototypes.T, *balance),
        "out.report_code": sinkhorn(text @ prototypes.T, *balance),
        "out.proto_i2t": from_text,
        "out.proto_t2i": from_image,
        "out.proto": total,
        **case.gradients(total, "proto."),
        "grad.proto.w.prototypes": gradient,
    }


def aggregate_tokens(case: FixtureCase) -> dict[str, Tensor]:
    """Compute words and the attention to them, as released and aligned."""
    text = text_batch(case["in.ids"], case.fixture.meta["vocab"])
    tokens, attention = case["in.hidden"], case["in.attention"][:, :, 0].mean(1)
    rows = row_of_token(text)
    width = rows.shape[1]
    variants = {"released": (cut_full_texts(rows)[0], shifted(attention)), "aligned": (rows, attention)}
    found: dict[str, Tensor] = {}
    for name, (kept, weights) in variants.items():
        words = merge_pieces(tokens, kept, width)
        found |= {
            f"out.{name}.report": words[:, 0],
            f"out.{name}.words": words[:, 1:],
            f"out.{name}.word_attn": merge_pieces(weights, kept, width)[:, 1:],
        }
    return found


def head(case: FixtureCase) -> dict[str, Tensor]:
    """Compute a projection head with batch statistics and with running statistics."""
    kind = LocalHead if len(case.shape("in.x")) == 3 else GlobalHead
    hidden, in_dim = case.shape("w.head.0.weight")[:2]
    out_dim = case.shape("w.head.3.weight")[0]
    found: dict[str, Tensor] = {}
    for mode in ("train", "eval"):
        module = case.load(kind(in_dim, hidden, out_dim)).train(mode == "train")
        mapped = module(case["in.x"])
        found |= {f"out.{mode}": mapped, **case.gradients((mapped * case["in.cot"]).sum(), f"{mode}.")}
    return found
