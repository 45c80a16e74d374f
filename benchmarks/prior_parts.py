"""The parts of PRIOR's step after the encoders, each by itself: ours, and the loop's."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks import prior_loop
from benchmarks.prior_inputs import QUERIES, Inputs
from prior_bench.api import Features
from prior_bench.prior import reconstruction as ccr
from prior_bench.prior.alignment import global_loss, simsiam_loss
from prior_bench.prior.model import PRIOR
from prior_bench.prior.prototypes import prototype_loss

Function = Callable[..., object]


class Part(NamedTuple):
    """Part of a step.

    Attributes:
        stage: the first in which it runs.
        ours, loop: functions of the inputs; None where the loop has nothing of its own.
        inputs: tensors, those of the loop may be lists.
    """

    stage: int
    ours: Function
    inputs: tuple[Tensor, ...]
    loop: Function | None
    loop_inputs: tuple[object, ...] = ()


def heads(model: PRIOR, inputs: Inputs) -> dict[str, Tensor]:
    """All of the stage's terms, from the encoders' features."""
    image = Features(
        model.global_image_projection(inputs.pooled), model.local_image_projection(inputs.patches), None
    )
    sentences, mask = model.sentences(inputs.tokens, inputs.index)
    terms = model.terms(image, sentences, mask, inputs.images, inputs.injected)
    terms.pop("perplexity", None)
    return terms


def step(module: nn.Module, function: Function, inputs: tuple[object, ...]) -> tuple[Tensor, ...]:
    """Forward, then the gradients of all inputs and weights with an arbitrary gradient of the outputs."""
    outputs = [t for t in _tensors(function(*inputs)) if t.requires_grad]
    leaves = [t for t in (*_tensors(inputs), *module.parameters()) if t.requires_grad]
    gradients = [torch.ones((), dtype=t.dtype).expand_as(t).contiguous() for t in outputs]
    return torch.autograd.grad(outputs, leaves, gradients, allow_unused=True)


def parts(model: PRIOR, inputs: Inputs) -> dict[str, Part]:
    """Every part, fed with what precedes it in stage 3 (whose earlier parts are those of stages 1 and 2)."""
    with torch.no_grad():
        pooled, patches, tokens = inputs.features
        pooled, patches = model.global_image_projection(pooled), model.local_image_projection(patches)
        sentences, mask = model.sentences(tokens, inputs.index)
        bank = model.sentence_bank(sentences, inputs.injected.sentence_noise)
        report = model.global_text_attention(bank.prototypes, mask)
        seen = model.local_cross_attention(patches, bank.prototypes, mask).text_to_image
        decoded = model.decode_report(patches)
    wide = (0, 0, 0, QUERIES - sentences.shape[1])
    targets, real = F.pad(bank.prototypes * mask[..., None], wide), F.pad(mask, wide[2:])
    ordered, _ = model.match(decoded, targets, real)
    leaves = (pooled, patches, sentences, bank.prototypes, report, seen, decoded, ordered)
    pooled, patches, sentences, prototypes, report, seen, decoded, ordered = (
        leaf.detach().requires_grad_() for leaf in leaves
    )
    split, replaced, sorted_ = (_by_report(x, mask) for x in (sentences, prototypes, ordered))
    true, noise = bank.logits.detach(), inputs.injected

    def project(pooled: Tensor, patches: Tensor, tokens: Tensor) -> object:
        return (
            model.global_image_projection(pooled),
            model.local_image_projection(patches),
            model.sentences(tokens, inputs.index)[0],
        )

    def replace(sentences: Tensor) -> object:
        found = model.sentence_bank(sentences, noise.sentence_noise)
        return found.prototypes, found.logits, prototype_loss(sentences, found.prototypes, mask)

    def align_locally(patches: Tensor, sentences: Tensor) -> object:
        seen = model.local_cross_attention(patches, sentences, mask)
        image = simsiam_loss(patches, seen.text_to_image, model.predictor).mean()
        return image, model._local_text(patches, sentences, seen.image_to_text, mask, None)

    def match(decoded: Tensor) -> object:
        ordered, counted = model.match(decoded, targets, real)
        predicted = model.sentence_bank.query(ordered[:, : mask.shape[1]])
        return ccr.report_loss(ordered, targets, counted), model.query_loss(true, predicted, mask)

    def match_in_loop(decoded: Tensor) -> object:
        ordered, loss = prior_loop.match(decoded, [report.detach() for report in replaced])
        return loss, prior_loop.consistency(model, true[mask], ordered)

    def align_decoded(ordered: Tensor) -> object:
        summary = model.sentence_bank(ordered, noise.decoded_noise).prototypes
        return global_loss(model.global_text_attention(summary, real), report, model.logit_scale)

    def decode_image(patches: Tensor, seen: Tensor) -> object:
        return ccr.image_loss(model.decode_image(patches, seen), inputs.images)

    loop = {
        function: partial(function, model)
        for function in (prior_loop.replace, prior_loop.pool, prior_loop.align, prior_loop.reconstruct_image)
    }
    return {
        "projections": Part(
            1,
            project,
            inputs.features,
            partial(prior_loop.project, model, index=inputs.index),
            inputs.features,
        ),
        "prototype bank (SPB)": Part(
            2, replace, (sentences,), partial(loop[prior_loop.replace], noise=noise.sentence_noise), (split,)
        ),
        "sentence pooling": Part(
            1,
            lambda x: model.global_text_attention(x, mask),
            (prototypes,),
            loop[prior_loop.pool],
            (replaced,),
        ),
        "global loss": Part(
            1,
            lambda image, text: global_loss(image, text, model.logit_scale),
            (pooled, report),
            loop[prior_loop.align],
            (pooled, report),
        ),
        "local alignment (LAM)": Part(
            1,
            align_locally,
            (patches, prototypes),
            lambda x, reports: prior_loop.align_locally(model, x, reports)[:2],
            (patches, replaced),
        ),
        "image decoder": Part(
            3,
            decode_image,
            (patches, seen),
            partial(loop[prior_loop.reconstruct_image], images=inputs.images),
            (patches, seen),
        ),
        "report decoder": Part(3, model.decode_report, (patches,), None),
        "matching, L1 and KL": Part(3, match, (decoded,), match_in_loop, (decoded,)),
        "global loss of decoded": Part(
            3,
            align_decoded,
            (ordered,),
            lambda reports: prior_loop.align_decoded(model, reports, report, noise.decoded_noise),
            (sorted_,),
        ),
    }


def _by_report(x: Tensor, mask: Tensor) -> list[Tensor]:
    return [row[:count].detach().requires_grad_() for row, count in zip(x, mask.sum(1).tolist(), strict=True)]


def _tensors(value: object) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    return [tensor for item in value for tensor in _tensors(item)]
