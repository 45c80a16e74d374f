"""Checkers of the fixtures of the official GLoRIA (entry point ``prior_bench.parity``)."""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from prior_bench.losses.contrastive import info_nce
from prior_bench.parity.checker import Checker
from prior_bench.parity.fixture import FixtureCase

from ..token_fixtures import text_batch
from ..words import columns_up_to, merge_pieces, row_of_token
from .losses import attend, local_loss, matching


def checkers() -> dict[str, Checker]:
    """Return the checkers by fixture."""
    stored_in_float32 = {"out.class_sim.*": 1e-5, "out.global_sim": 1e-5}
    return {
        "global_loss": Checker(global_loss),
        "local_loss": Checker(local),
        "aggregate_tokens": Checker(aggregate_tokens),
        "zero_shot": Checker(zero_shot, float64=stored_in_float32),
    }


def _regions(maps: Tensor) -> Tensor:
    return maps.flatten(2).mT


def _released_matching(regions: Tensor, words: Tensor, mask: Tensor, case: FixtureCase, pool: str) -> Tensor:
    temps = case.hyper["temp1"], case.hyper["temp2"]
    return matching(regions, words, mask, *temps, pool=pool, divided=False, double_softmax=True)


def global_loss(case: FixtureCase) -> dict[str, Tensor]:
    """Compute the cross-entropies of cosines in both directions."""
    image_to_text, text_to_image = info_nce(case["in.image"], case["in.text"], 1 / case.hyper["temp3"])
    return {
        "out.loss_i2t": image_to_text,
        "out.loss_t2i": text_to_image,
        **case.gradients(image_to_text + text_to_image),
    }


def local(case: FixtureCase) -> dict[str, Tensor]:
    """Compute attention, scores and losses of the released local loss, and the whole loss."""
    hyper = case.hyper
    regions, words, counts = _regions(case["in.image_local"]), case["in.words"].mT, case["in.cap_lens"]
    mask = columns_up_to(counts, words.shape[1])
    attention = attend(regions, words, mask, hyper["temp1"], double_softmax=True)
    grid = case.shape("in.image_local")[2:]
    found = {
        f"out.attn.{i}": attention[i, i, :n].unflatten(-1, grid)[None] for i, n in enumerate(counts.tolist())
    }
    losses = {}
    for pool in ("sum", "mean"):
        score = partial(_released_matching, case=case, pool=pool)
        losses[pool] = local_loss(regions, words, mask, hyper["temp3"], score)
        found |= {
            f"out.{pool}.sim": hyper["temp3"] * score(regions, words, mask),
            f"out.{pool}.loss_i2t": losses[pool][0],
            f"out.{pool}.loss_t2i": losses[pool][1],
            **case.gradients(losses[pool][0] + losses[pool][1], f"{pool}."),
        }
    whole = info_nce(case["in.image_global"], case["in.text_global"], 1 / hyper["temp3"])
    total = hyper["local_weight"] * sum(losses["sum"]) + hyper["global_weight"] * sum(whole)
    return {**found, "out.total": total}


def aggregate_tokens(case: FixtureCase) -> dict[str, Tensor]:
    """Compute the words of the last layers, by layer and summed, and the sentence."""
    layers = case["in.hidden"][-case.hyper["last_n_layers"] :]
    rows = row_of_token(text_batch(case["in.ids"], case.fixture.meta["vocab"]))
    width = rows.shape[1]
    by_layer = merge_pieces(layers.flatten(0, 1), rows.repeat(len(layers), 1), width)
    words = merge_pieces(layers.sum(0), rows, width)
    return {
        "out.aggregated": by_layer.unflatten(0, layers.shape[:2]).transpose(0, 1),
        "out.words": words.mT,
        "out.sent": words.mean(1),
        **case.gradients((words**2).sum(), "words_sq."),
    }


def zero_shot(case: FixtureCase) -> dict[str, Tensor]:
    """Compute similarities with prompts and classes, with prompts counted in characters and in words."""
    prompts = case.fixture.meta["prompts"]
    owner = torch.tensor([k for k, name in enumerate(prompts) for _ in prompts[name]])
    image, text = (F.normalize(case[f"in.{name}_global"], dim=-1) for name in ("image", "prompt"))
    regions, words = _regions(case["in.image_local"]), case["in.prompt_words"].mT[:, 1:]
    cosines = image @ text.T
    found = {"out.global_sim": cosines}
    for name, counts in (("charlen", "in.cap_lens_released"), ("wordlen", "in.cap_lens_words")):
        mask = columns_up_to(case[counts], words.shape[1])
        local = _released_matching(regions, words, mask, case=case, pool="max")
        both = (local + cosines) / 2
        classes = torch.stack([both[:, owner == k].amax(1) for k in range(len(prompts))], dim=1)
        spread = classes.std(0, correction=0)
        found |= {
            f"out.local_sim.{name}": local,
            f"out.class_sim.raw.{name}": classes,
            f"out.class_sim.normalized.{name}": (classes - classes.mean(0)) / spread,
        }
    return found
