from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from tiny_methods import TEXTS, TOKENIZER, VIT, batch, build, train

from baselines.mgca.attention import LastAttention, clipped_weights, shifted
from baselines.mgca.heads import LocalHead
from baselines.mgca.losses import (
    instance_alignment,
    prototype_alignment,
    sinkhorn,
    token_alignment,
    token_logits,
    top_k_accuracy,
)
from baselines.mgca.schedule import FreezePrototypes
from prior_bench.encoders.image import ImageEncoder
from prior_bench.errors import BenchError
from prior_bench.parity.compare import check_fixture

FIXTURES = sorted((Path(__file__).parents[2] / "golden/mgca").glob("*.json"))


@pytest.mark.parametrize("path", FIXTURES, ids=lambda p: p.stem)
def test_fixture(path):
    outcome = check_fixture(path)
    assert outcome.errors and not outcome.problem
    assert [name for name, row in outcome.errors.items() if not all(e.passed for e in row.values())] == []


def ragged(dim=3):
    """Four pairs of six patches and one to five words, normalised, and the words' attention."""
    torch.manual_seed(0)
    patches, words = (torch.randn(4, count, dim, dtype=torch.float64) for count in (6, 5))
    mask = torch.arange(5) < torch.tensor([3, 1, 5, 4])[:, None]
    attention = torch.rand(4, 5, dtype=torch.float64) * mask
    patches, words = (F.normalize(t, dim=-1).requires_grad_() for t in (patches, words))
    return patches, words, mask, attention


def weights_by_loop(attention):
    out = torch.zeros_like(attention)
    for row, to in zip(attention, out, strict=True):
        real = row[row > 0]
        clipped = real.clamp(torch.quantile(real, 0.1), torch.quantile(real, 0.9))
        to[row > 0] = clipped / clipped.sum()
    return out


def token_loss_by_loop(tokens, others, token_mask, other_mask, weights, temperature):
    """Pair by pair, only what is real; the two directions."""
    totals = [0, 0]
    for b in range(len(tokens)):
        own, other = tokens[b][token_mask[b]], others[b][other_mask[b]]
        seen = F.normalize((own @ other.T / temperature).softmax(1) @ other, dim=1)
        logits, target = own @ seen.T / temperature, torch.arange(len(own))
        for k, scores in enumerate((logits, logits.T)):
            losses = F.cross_entropy(scores, target, reduction="none")
            totals[k] = totals[k] + (weights[b][token_mask[b]] * losses).sum() / len(tokens)
    return totals


def test_weights_equal_a_loop_over_quantiles():
    attention = ragged()[3]
    torch.testing.assert_close(clipped_weights(attention), weights_by_loop(attention), rtol=1e-12, atol=0)
    assert clipped_weights(torch.zeros(1, 4)).tolist() == [[0, 0, 0, 0]]


@pytest.mark.parametrize("dim", [3, 8])  # fewer channels than tokens, and more
@pytest.mark.parametrize("side", ["words", "patches"])
def test_batched_token_alignment_equals_a_loop(side, dim):
    patches, words, mask, attention = ragged(dim)
    every = torch.ones(4, 6, dtype=torch.bool)
    if side == "words":
        tokens, others, masks, weights = words, patches, (mask, every), clipped_weights(attention)
        ours = token_alignment(token_logits(words, patches, None, 0.1), weights, mask)
    else:
        tokens, others, masks = patches, words, (every, mask)
        weights = torch.full((4, 6), 1 / 6, dtype=torch.float64)
        ours = token_alignment(token_logits(patches, words, mask, 0.1), weights, None)
    loop = token_loss_by_loop(tokens, others, *masks, weights, 0.1)
    torch.testing.assert_close(torch.stack(ours), torch.stack(loop), rtol=1e-10, atol=1e-12)
    for one, other in zip(ours, loop, strict=True):
        one, other = (torch.autograd.grad(x, [words, patches], retain_graph=True) for x in (one, other))
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-11)
        assert one[0][~mask].abs().max() == 0


def test_sinkhorn_shares_prototypes_equally_and_by_hand():
    scores = torch.rand(12, 4, dtype=torch.float64)
    codes = sinkhorn(scores, 0.5, iterations=50)
    torch.testing.assert_close(codes.sum(1), torch.ones(12, dtype=torch.float64))
    torch.testing.assert_close(codes.sum(0), torch.full((4,), 3.0, dtype=torch.float64))
    powers = torch.exp(scores / 0.5)
    once = powers / powers.sum(0)
    torch.testing.assert_close(sinkhorn(scores, 0.5, iterations=1), once / once.sum(1, keepdim=True))
    opposite = torch.tensor([[1.0, -1.0], [-1.0, 1.0]])
    torch.testing.assert_close(sinkhorn(opposite, 0.05), torch.eye(2))


def test_codes_carry_no_gradient():
    torch.manual_seed(0)
    image, text, prototypes = (F.normalize(torch.randn(n, 4), dim=1).requires_grad_() for n in (6, 6, 3))
    from_text, _ = prototype_alignment(image, text, prototypes, 0.2, 0.05)
    assert torch.autograd.grad(from_text, [image], allow_unused=True) == (None,)


def test_instances():
    image, text = torch.randn(4, 3), torch.randn(4, 3)
    for one, other in zip(
        instance_alignment(image, text, 0.1), instance_alignment(image, text, 0.1, True), strict=True
    ):
        torch.testing.assert_close(one, other)
    assert top_k_accuracy(image, image, 1) == 1
    assert top_k_accuracy(torch.eye(3), torch.eye(3).roll(1, 0), 1) == 0
    assert top_k_accuracy(torch.eye(3), torch.eye(3).roll(1, 0), 3) == 1


def test_masked_head_maps_and_counts_the_real_places_only():
    head = LocalHead(3, 5, 4)
    vectors, mask = torch.randn(2, 4, 3), torch.tensor([[1, 1, 0, 0], [1, 1, 1, 0]]).bool()
    masked = head(vectors, mask)
    torch.testing.assert_close(masked[mask], LocalHead.forward(head, vectors[mask][None])[0])
    assert masked[~mask].abs().max() == 0
    vectors[~mask] = 1e6
    torch.testing.assert_close(head(vectors, mask), masked)


def test_last_attention_is_timms_own():
    encoder = ImageEncoder(**VIT).eval()
    layer, seen = encoder.model.blocks[-1].attn, []
    layer.fused_attn = False
    layer.attn_drop.register_forward_hook(lambda _, inputs, output: seen.append(output))
    with LastAttention(encoder.model).watch() as ours:
        encoder(torch.randn(2, 1, 64, 64))
    torch.testing.assert_close(ours[0], seen[0][:, :, 0, 1:].mean(1))
    encoder(torch.randn(2, 1, 64, 64))
    assert len(ours) == 1, "nothing is recorded outside the block"


def test_a_vit_without_cls_is_refused():
    image = dict(VIT, model_args=dict(VIT["model_args"], class_token=False, global_pool="avg"))
    with pytest.raises(BenchError, match="CLS"):
        build("mgca", image, hidden_dim=16, prototypes=5)


# --- the method -----------------------------------------------------------------------------------------


def mgca(image=None, **arguments):
    return build("mgca", *([image] if image else []), hidden_dim=16, prototypes=5, **arguments)


VARIANTS = ["paper", "released", dict(plain_attention=False)]


@pytest.mark.parametrize("image", [None, VIT], ids=["cnn", "vit"])
@pytest.mark.parametrize("variant", VARIANTS, ids=["paper", "released", "learned"])
def test_every_parameter_learns_and_the_loss_falls(image, variant):
    method = mgca(image, variant=variant)
    losses = train(method, 12)
    assert losses[-1] < losses[0] - 0.1
    assert [name for name, p in method.named_parameters() if p.grad is None] == []


@pytest.mark.parametrize("variant", ["paper", "released"])
def test_features_do_not_depend_on_the_batch(variant):
    method = mgca(variant=variant).eval()
    together, image = method.encode_text(TOKENIZER(TEXTS)), method.encode_image(batch().images)
    assert image.local.shape == (4, 16, 8)
    similarity = method.similarity(image, together)
    for i, text in enumerate(TEXTS):
        alone = method.encode_text(TOKENIZER([text]))
        torch.testing.assert_close(alone.global_[0], together.global_[i])
        torch.testing.assert_close(method.similarity(image, alone)[:, 0], similarity[:, i])
        torch.testing.assert_close(alone.local[0][alone.mask[0]], together.local[i][together.mask[i]])


def test_the_papers_loss_does_not_see_padding():
    method = mgca()
    once, text = method.loss(batch()), batch().text
    longer = type(text)(*(F.pad(t, (0, 4), value=v) for t, v in zip(text, (0, 0, -1, -1), strict=True)))
    again = method.loss(batch()._replace(text=longer))
    for name in once:
        torch.testing.assert_close(again[name], once[name])


def test_words_and_their_attention():
    text = TOKENIZER([("Clear heart.",), ("No pleural effusion.",)])
    tokens = torch.arange(text.input_ids.shape[1]).expand(2, -1)[..., None].double()
    attention = torch.rand(2, tokens.shape[1]) * text.attention_mask
    words, mask, of_words = mgca().words(tokens, text, attention)
    first = text.word_index[0]
    want = [attention[0][first == k].sum() for k in range(3)]
    torch.testing.assert_close(of_words[0, :3], torch.stack(want))
    assert mask.sum(1).tolist() == [3, 4] and words[0, 1, 0] == (tokens[0, :, 0][first == 1]).sum()

    words, mask, of_words = mgca(variant="released").words(tokens, text, attention)
    later = shifted(attention)
    want = [later[0][first == k].sum() for k in range(3)]
    torch.testing.assert_close(of_words[0, :3], torch.stack(want))
    assert mask.sum(1).tolist() == [4, 5] and words.shape[1] == TOKENIZER.max_tokens - 1
    assert of_words[:, 3:][mask[:, 3:]][0] == 0, "[SEP] gets a pad's attention"


def test_released_loses_the_end_of_a_text_that_fills_all_tokens():
    method = mgca(variant="released")
    text = TOKENIZER([("Clear. " * 30,), ("Clear.",)])
    tokens = torch.ones(*text.input_ids.shape, 1)
    _, mask, _ = method.words(tokens, text, torch.rand(text.input_ids.shape))
    counts = text.word_index.amax(1) + 1
    assert mask.sum(1).tolist() == [counts[0] - 1, counts[1] + 1]


def test_prototypes_are_frozen_in_the_first_epoch():
    method, hook = mgca(), FreezePrototypes(epochs=1)
    for epoch, frozen in ((0, True), (1, False)):
        hook.before_train_epoch(SimpleNamespace(model=SimpleNamespace(method=method), epoch=epoch))
        method.zero_grad()
        method.loss(batch())["loss_prototype"].backward()
        assert (method.prototype_layer.weight.grad.abs().max() == 0) == frozen


def test_prototypes_are_unit_vectors_and_only_the_released_are_overwritten():
    for variant, kept in (("paper", True), ("released", False)):
        method = mgca(variant=variant).eval()
        before = method.prototype_layer.weight.detach().clone()
        torch.testing.assert_close(method.prototypes().norm(dim=1), torch.ones(5))
        assert torch.equal(method.prototype_layer.weight, before) == kept


def test_variant_and_weights_scale_the_terms():
    paper = mgca(variant=dict(summed_instance_loss=False))
    summed = mgca(variant=dict(summed_instance_loss=True, summed_token_loss=True, unit_weights=True))
    one, other = paper.loss(batch()), summed.loss(batch())
    torch.testing.assert_close(other["loss_instance"], 2 * one["loss_instance"])
    torch.testing.assert_close(other["loss_token"], 2 * one["loss_token"] / 0.7)
    torch.testing.assert_close(other["loss_prototype"], one["loss_prototype"] / 0.5)
    with pytest.raises(BenchError, match="instance"):
        mgca(weights=dict(instances=2.0))
