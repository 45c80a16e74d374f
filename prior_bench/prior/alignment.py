"""Alignment of images and reports: global, and local by sigmoid cross-attention (LAM)."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from prior_bench.losses.contrastive import info_nce
from prior_bench.prior.sentences import masked_mean


def global_loss(image: Tensor, text: Tensor, logit_scale: Tensor) -> Tensor:
    """Compute the symmetric InfoNCE with the negatives of all processes (PRIOR, global alignment).

    Args:
        image, text: each [B, D].
        logit_scale: logarithm of the inverse temperature, scalar, learned and not clamped.
    """
    image_to_text, text_to_image = info_nce(image, text, torch.exp(-logit_scale))
    return (image_to_text + text_to_image) / 2


class CrossAttention(NamedTuple):
    """The attention between patches and sentences of the same pair, and the attended vectors.

    Attributes:
        text_to_image: [B, N, D], for each patch the sentences that it attends to.
        image_attention: [B, N, S] in (0, 1); 0 on padded sentences.
        image_to_text: [B, S, D], for each sentence the patches that it attends to; values of padded sentences
            are arbitrary.
        text_attention: [B, S, N] in (0, 1).
    """

    text_to_image: Tensor
    image_attention: Tensor
    image_to_text: Tensor
    text_attention: Tensor


class SigmoidCrossAttention(nn.Module):
    """Single-head attention in both directions with a sigmoid instead of a softmax (PRIOR, LAM).

    With a sigmoid, a patch can belong to several sentences or to none. The layers with number 1 are applied
    to patches, those with number 2 to sentences.
    """

    def __init__(self, dim: int):
        super().__init__()
        self.scale = dim**-0.5
        for name in ("query1", "key1", "value1", "query2", "key2", "value2"):
            setattr(self, name, nn.Linear(dim, dim))

    query1: nn.Linear
    key1: nn.Linear
    value1: nn.Linear
    query2: nn.Linear
    key2: nn.Linear
    value2: nn.Linear

    def forward(self, patches: Tensor, sentences: Tensor, mask: Tensor) -> CrossAttention:
        """Compute the attention from patches [B, N, D], sentences [B, S, D] and their mask, bool [B, S].

        There are many more patches than sentences. Therefore, the layers for patches are applied to the other
        factor of their product: the result is the same with S / N of the work.
        """
        from_image = torch.sigmoid(self.scale * _dots(self.query1, patches, self.key2(sentences)).mT)
        from_image = from_image.masked_fill(~mask[:, None, :], 0)
        from_text = self.text_attention(patches, sentences)
        weighted = F.linear(from_text @ patches, self.value1.weight)  # from_text @ value1(patches), no bias
        image_to_text = weighted + from_text.sum(-1, keepdim=True) * self.value1.bias
        return CrossAttention(from_image @ self.value2(sentences), from_image, image_to_text, from_text)

    def text_attention(self, patches: Tensor, sentences: Tensor) -> Tensor:
        """Compute how much each sentence attends to each patch, [B, S, N]; arguments as in ``forward``."""
        return torch.sigmoid(self.scale * _dots(self.key1, patches, self.query2(sentences)))

    def agreement(self, patches: Tensor, sentences: Tensor) -> Tensor:
        """Compute how well every sentence agrees with every image, [B, S, B] in [-1, 1].

        Entry (b, s, c) is the cosine of sentence s of report b and its view of image c, the patches that it
        attends to; c = b gives the view ``image_to_text``. Memory grows with B * S * B * D.

        Args:
            patches: [B, N, D].
            sentences: [B, S, D].
        """
        keys = self.key1(patches)
        scores = torch.einsum("bsd,cnd->bscn", self.query2(sentences), keys)
        seen = torch.sigmoid(self.scale * scores)
        views = torch.einsum("bscn,cnd->bscd", seen, self.value1(patches))
        return torch.einsum("bsd,bscd->bsc", F.normalize(sentences, dim=-1), F.normalize(views, dim=-1))

    def mean_attention(self, patches: Tensor, sentences: Tensor, mask: Tensor, chunk: int = 16) -> Tensor:
        """Compute the mean attention of every image and every text, averaged over both directions.

        Args:
            patches: [I, N, D].
            sentences: [T, S, D].
            mask: bool [T, S].
            chunk: number of images at a time; memory grows with chunk x T x N x S.

        Returns:
            [I, T].
        """
        query2, key2 = self.query2(sentences), self.key2(sentences)
        rows = []
        for some in patches.split(chunk):
            from_image = torch.sigmoid(self.scale * torch.einsum("ind,tsd->tsin", self.query1(some), key2))
            from_text = torch.sigmoid(self.scale * torch.einsum("tsd,ind->tsin", query2, self.key1(some)))
            rows.append(masked_mean((from_image + from_text).mean(-1) / 2, mask).T)
        return torch.cat(rows)


def _dots(layer: nn.Linear, many: Tensor, few: Tensor) -> Tensor:
    """Compute the dot products of ``few`` [B, S, D] and ``layer(many)`` [B, N, D], as [B, S, N]."""
    return (few @ layer.weight) @ many.mT + (few @ layer.bias)[..., None]


def predictor(dim: int) -> nn.Sequential:
    """Build SimSiam's prediction head, with D, D/2 and D channels."""
    return nn.Sequential(nn.Linear(dim, dim // 2), nn.ReLU(), nn.Linear(dim // 2, dim))


def simsiam_loss(patches: Tensor, attended: Tensor, head: nn.Module) -> Tensor:
    """Compute the symmetric negative cosine of each side's prediction and the other, detached side.

    Args:
        patches: [B, N, D].
        attended: [B, N, D], for each patch the sentences that it attends to.
        head: the predictor.

    Returns:
        [B], one value in [-1, 1] per report.
    """

    def agreement(predicted: Tensor, target: Tensor) -> Tensor:
        return F.cosine_similarity(head(predicted), target.detach(), dim=-1).mean(-1)

    return -(agreement(patches, attended) + agreement(attended, patches)) / 2


def within_report_loss(sentences: Tensor, attended: Tensor, mask: Tensor, scale: Tensor) -> Tensor:
    """Compute the symmetric InfoNCE between a report's sentences and the patches that they attend to.

    Negatives are the other sentences of the same report, so that the loss of a report with one sentence is
    exactly 0.

    Args:
        sentences: [B, S, D].
        attended: [B, S, D], for each sentence the patches that it attends to.
        mask: bool [B, S].
        scale: inverse temperature, scalar.

    Returns:
        [B], one value per report.
    """
    logits = scale * F.normalize(sentences, dim=-1) @ F.normalize(attended, dim=-1).mT
    # finite, so that the gradient of padded sentences is 0 and not NaN
    nothing = torch.finfo(logits.dtype).min
    match = logits.diagonal(dim1=1, dim2=2)
    to_attended = logits.masked_fill(~mask[:, None, :], nothing).logsumexp(2) - match
    to_sentence = logits.masked_fill(~mask[:, :, None], nothing).logsumexp(1) - match
    return masked_mean((to_attended + to_sentence) / 2, mask)


def across_images_loss(
    agreement: Tensor, mask: Tensor, scale: Tensor, spared: Tensor | None = None
) -> Tensor:
    """Compute the symmetric InfoNCE between sentences and images (not in PRIOR).

    From sentence to image, the sentence's own image is compared with the other images of the batch. All of
    them are seen with the same sentence as query, so that information on the query in what it sees is no
    advantage. From image to sentence, each sentence of the image's own report is compared with all sentences
    of the other reports.

    Args:
        agreement: [B, S, B], of each sentence and each image; see :meth:`SigmoidCrossAttention.agreement`.
        mask: bool [B, S].
        scale: inverse temperature, scalar.
        spared: bool [B, S, B], images that are not negatives of a sentence; the own image always counts.

    Returns:
        [B], one value per report.
    """
    count = len(agreement)
    logits = scale * agreement
    own = torch.eye(count, dtype=torch.bool, device=logits.device)[:, None]  # [B, 1, B]
    match = logits.diagonal(dim1=0, dim2=2).T  # [B, S]
    nothing = torch.finfo(logits.dtype).min
    negative = ~own if spared is None else ~own & ~spared
    to_image = logits.masked_fill(~(negative | own), nothing).logsumexp(2) - match
    others = logits.masked_fill(~(negative & mask[..., None]), nothing).flatten(0, 1).logsumexp(0)  # [B]
    to_sentence = torch.logaddexp(match, others[:, None]) - match
    return masked_mean((to_image + to_sentence) / 2, mask)
