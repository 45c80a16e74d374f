"""PRIOR's heads and losses the plain way: one report after the other, one sentence after the other.

Written from the paper. It loops where the released code does (gathering sentences, pooling, local alignment,
matching) and is batched where that is (projections, bank, global loss, decoders). It borrows the weights of
:class:`PRIOR` and gives the same numbers; a report's sentences are a tensor [n, D] in a list.
"""

import torch
import torch.nn.functional as F
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from benchmarks.prior_inputs import Inputs
from prior_bench.prior.model import PRIOR

Reports = list[Tensor]


def losses(model: PRIOR, inputs: Inputs) -> dict[str, Tensor]:
    """The terms of the model's stage."""
    pooled, patches, reports = project(model, *inputs.features, inputs.index)
    terms, logits = {}, None
    if model.stage > 1:
        reports, logits, terms["prototype"] = replace(model, reports, inputs.injected.sentence_noise)
    summary = pool(model, reports)
    terms["global"] = align(model, pooled, summary)
    terms["local_image"], terms["local_text"], attended = align_locally(model, patches, reports)
    if model.stage == 3:
        terms["image"] = reconstruct_image(model, patches, attended, inputs.images)
        decoded = model.decode_report(patches)  # batched in the released code too
        ordered, terms["report"] = match(decoded, reports)
        terms["query"] = consistency(model, logits, ordered)
        terms["report_global"] = align_decoded(model, ordered, summary, inputs.injected.decoded_noise)
    return terms


def project(
    model: PRIOR, pooled: Tensor, patches: Tensor, tokens: Tensor, index: Tensor
) -> tuple[Tensor, Tensor, Reports]:
    tokens = model.local_text_projection(tokens)
    reports = []
    for row, numbers in zip(tokens, index, strict=True):
        sentences = [row[numbers == n].mean(0) for n in range(1, int(numbers.max()) + 1)]
        reports.append(torch.stack(sentences))
    return model.global_image_projection(pooled), model.local_image_projection(patches), reports


def replace(model: PRIOR, reports: Reports, noise: Tensor) -> tuple[Reports, Tensor, Tensor]:
    """Prototypes by report, logits [n, K] and the prototype loss."""
    counts, flat = [len(report) for report in reports], torch.cat(reports)
    bank = model.sentence_bank.embed.weight
    logits = flat @ bank.T
    prototypes = ((logits + _flat(noise, counts)) / model.sentence_bank.temperature).softmax(-1) @ bank
    return list(prototypes.split(counts)), logits, F.l1_loss(prototypes, flat)


def pool(model: PRIOR, reports: Reports) -> Tensor:
    attention, pooled = model.global_text_attention, []
    for report in reports:
        tokens = torch.cat([report.mean(0, keepdim=True), report])
        query, key, value = (
            layer(x).unflatten(-1, (attention.heads, -1)).transpose(0, 1)
            for layer, x in (
                (attention.q_proj, tokens[:1]),
                (attention.k_proj, tokens),
                (attention.v_proj, tokens),
            )
        )
        weights = (query @ key.mT / key.shape[-1] ** 0.5).softmax(-1)
        pooled.append(attention.c_proj((weights @ value).flatten()))
    return torch.stack(pooled)


def align(model: PRIOR, image: Tensor, text: Tensor) -> Tensor:
    logits = model.logit_scale.exp() * F.normalize(image, dim=1) @ F.normalize(text, dim=1).T
    partner = torch.arange(len(logits))
    return (F.cross_entropy(logits, partner) + F.cross_entropy(logits.T, partner)) / 2


def align_locally(model: PRIOR, patches: Tensor, reports: Reports) -> tuple[Tensor, Tensor, Tensor]:
    """Local image loss, local text loss, and the sentences as each patch sees them [B, N, D]."""
    maps, scale = model.local_cross_attention, model.local_logit_scale.exp()
    image_losses, text_losses, attended = [], [], []
    for patch, report in zip(patches, reports, strict=True):
        from_image = torch.sigmoid(maps.scale * maps.query1(patch) @ maps.key2(report).T)
        from_text = torch.sigmoid(maps.scale * maps.query2(report) @ maps.key1(patch).T)
        seen, found = from_image @ maps.value2(report), from_text @ maps.value1(patch)
        first = F.cosine_similarity(model.predictor(patch), seen.detach(), dim=1).mean()
        second = F.cosine_similarity(model.predictor(seen), patch.detach(), dim=1).mean()
        image_losses.append(-(first + second) / 2)
        logits = scale * F.normalize(report, dim=1) @ F.normalize(found, dim=1).T
        partner = torch.arange(len(report))
        text_losses.append((F.cross_entropy(logits, partner) + F.cross_entropy(logits.T, partner)) / 2)
        attended.append(seen)
    return torch.stack(image_losses).mean(), torch.stack(text_losses).mean(), torch.stack(attended)


def reconstruct_image(model: PRIOR, patches: Tensor, attended: Tensor, images: Tensor) -> Tensor:
    """Up-sampling, then convolution, in the usual memory layout."""
    side = int(patches.shape[1] ** 0.5)
    x = torch.cat([patches.mT, attended.mT], 1).reshape(len(patches), -1, side, side).contiguous()
    for block in model.image_decoder.blocks:
        x = block.conv2(block.conv1(F.interpolate(x, scale_factor=2, mode="nearest")))
    return F.l1_loss(model.image_decoder.output_head(x), images)


def match(decoded: Tensor, reports: Reports) -> tuple[Reports, Tensor]:
    """Decoded sentences in the order of the true ones, by report, and their mean absolute error."""
    ordered, errors = [], []
    for found, report in zip(decoded, reports, strict=True):
        cost = torch.cdist(found.detach().double(), report.detach().double(), p=1)
        query, target = linear_sum_assignment(cost.numpy())
        ordered.append(found[torch.from_numpy(query[target.argsort()])])
        errors.append(F.l1_loss(ordered[-1], report))
    return ordered, torch.stack(errors).mean()


def consistency(model: PRIOR, logits: Tensor, ordered: Reports) -> Tensor:
    target = logits.detach().log_softmax(-1)
    predicted = (torch.cat(ordered) @ model.sentence_bank.embed.weight.T).log_softmax(-1)
    return F.kl_div(predicted, target, reduction="batchmean", log_target=True)


def align_decoded(model: PRIOR, ordered: Reports, summary: Tensor, noise: Tensor) -> Tensor:
    replaced, _, _ = replace(model, ordered, noise)
    return align(model, pool(model, replaced), summary)


def _flat(noise: Tensor, counts: list[int]) -> Tensor:
    return torch.cat([row[:count] for row, count in zip(noise, counts, strict=True)])
