import prior_oracle as oracle
import pytest
import torch

from prior_bench.prior.alignment import (
    SigmoidCrossAttention,
    global_loss,
    predictor,
    simsiam_loss,
    within_report_loss,
)
from prior_bench.prior.pooling import SentenceAttentionPool

DIM, PATCHES = 16, 9
COUNTS = [3, 1, 5, 2]


@pytest.fixture
def ragged():
    """Patches [B, N, D], padded sentences with rubbish on the padding, their mask; all in float64."""
    torch.manual_seed(0)
    mask = torch.arange(6) < torch.tensor(COUNTS)[:, None]
    patches = torch.randn(len(COUNTS), PATCHES, DIM, dtype=torch.float64, requires_grad=True)
    sentences = torch.randn(len(COUNTS), 6, DIM, dtype=torch.float64, requires_grad=True)
    return patches, sentences, mask


def attention():
    return SigmoidCrossAttention(DIM).double()


def gradients(scalar, *leaves):
    return torch.autograd.grad(scalar, leaves, retain_graph=True)


def test_pool_equals_a_loop_over_reports(ragged):
    _, sentences, mask = ragged
    pool = SentenceAttentionPool(DIM, heads=4).double()
    pooled = pool(sentences, mask)
    layers = dict(pool.named_children())
    looped = torch.stack([oracle.attention_pool(sentences[i, :n], layers, 4) for i, n in enumerate(COUNTS)])
    torch.testing.assert_close(pooled, looped, rtol=1e-12, atol=1e-12)
    ours, theirs = (gradients(x.pow(2).sum(), sentences)[0] for x in (pooled, looped))
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)


def test_local_alignment_equals_a_loop_over_reports(ragged):
    patches, sentences, mask = ragged
    module, head = attention(), predictor(DIM).double()
    scale = torch.tensor(7.0, dtype=torch.float64)
    seen = module(patches, sentences, mask)
    image = simsiam_loss(patches, seen.text_to_image, head)
    text = within_report_loss(sentences, seen.image_to_text, mask, scale)
    loop_image, loop_text = [], []
    for i, n in enumerate(COUNTS):
        u, s = patches[i], sentences[i, :n]
        to_image, from_image, to_text, from_text = oracle.cross_attention(u, s, module)
        torch.testing.assert_close(seen.image_attention[i, :, :n], from_image)
        torch.testing.assert_close(seen.text_attention[i, :n], from_text)
        loop_image.append(oracle.simsiam(u, to_image, head))
        loop_text.append(oracle.in_report_contrast(s, to_text, scale))
    loop_image, loop_text = torch.stack(loop_image), torch.stack(loop_text)
    torch.testing.assert_close(image, loop_image, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(text, loop_text, rtol=1e-12, atol=1e-12)
    leaves = (patches, sentences, module.value1.weight, head[0].weight)
    ours = gradients(image.sum() + text.sum(), *leaves)
    theirs = gradients(loop_image.sum() + loop_text.sum(), *leaves)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-9, atol=1e-12)


def test_no_attention_is_paid_to_padding(ragged):
    patches, sentences, mask = ragged
    seen = attention()(patches, sentences, mask)
    assert not seen.image_attention.transpose(1, 2)[~mask].any()
    assert seen.image_attention.transpose(1, 2)[mask].gt(0).all()


def test_one_sentence_has_no_contrast_and_no_sentence_no_nan(ragged):
    patches, sentences, mask = ragged
    mask = mask.clone()
    mask[0] = False
    seen = attention()(patches, sentences, mask)
    losses = within_report_loss(sentences, seen.image_to_text, mask, torch.tensor(100.0))
    assert losses[0] == 0 and losses[1] == 0 and losses[2] > 0
    total = losses.sum() + simsiam_loss(patches, seen.text_to_image, predictor(DIM).double()).sum()
    for gradient in gradients(total, patches, sentences):
        assert gradient.isfinite().all()
    assert not gradients(losses.sum(), sentences)[0][~mask].any()


def test_mean_attention_of_all_pairs_equals_pair_by_pair(ragged):
    patches, sentences, mask = ragged
    module = attention()
    scores = module.mean_attention(patches, sentences, mask, chunk=3)
    for i in range(len(COUNTS)):
        for t, n in enumerate(COUNTS):
            _, from_image, _, from_text = oracle.cross_attention(patches[i], sentences[t, :n], module)
            expected = (from_image.mean() + from_text.mean()) / 2
            torch.testing.assert_close(scores[i, t], expected)


def test_global_loss_equals_the_formula():
    torch.manual_seed(0)
    image, text = torch.randn(2, 5, DIM, dtype=torch.float64)
    scale = torch.tensor(2.0, dtype=torch.float64)
    expected = oracle.symmetric_info_nce(image, text, scale.exp())
    torch.testing.assert_close(global_loss(image, text, scale), expected)


def test_perfect_global_alignment_costs_nothing():
    vectors = torch.eye(6)
    assert global_loss(vectors, 3 * vectors, torch.tensor(100.0).log()) < 1e-6
