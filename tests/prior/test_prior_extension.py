"""PRIOR's extensions: other negatives, matched patches, an evenly used bank, alignment without it."""

import pytest
import torch
import torch.nn.functional as F
from tiny_prior import REPORTS, tiny_prior

from prior_bench.api import PretrainBatch
from prior_bench.prior.alignment import SigmoidCrossAttention, across_images_loss, within_report_loss
from prior_bench.prior.matching import SHARPNESS, MatchedCrossAttention, soft_maximum
from prior_bench.prior.prototypes import diversity_loss
from prior_bench.prior.sentences import gather_sentences, reports_with, sentence_codes

DIM, PATCHES = 16, 9
COUNTS = [3, 1, 2]


@pytest.fixture
def ragged():
    torch.manual_seed(0)
    mask = torch.arange(4) < torch.tensor(COUNTS)[:, None]
    patches = torch.randn(len(COUNTS), PATCHES, DIM, dtype=torch.float64)
    sentences = torch.randn(len(COUNTS), 4, DIM, dtype=torch.float64)
    return patches, sentences, mask


ATTENTIONS = [SigmoidCrossAttention, MatchedCrossAttention]


def test_a_sentence_agrees_with_an_image_by_its_view_of_it(ragged):
    patches, sentences, mask = ragged
    module = SigmoidCrossAttention(DIM).double()
    found = module.agreement(patches, sentences)
    for image in range(len(COUNTS)):
        seen = patches[[image]].expand_as(patches)
        views = module(seen, sentences, mask).image_to_text  # what the paper contrasts, of this image
        expected = F.cosine_similarity(sentences, views, dim=-1)
        torch.testing.assert_close(found[..., image][mask], expected[mask])


@pytest.mark.parametrize("with_spared", [False, True])
def test_the_loss_equals_a_loop_over_sentences(ragged, with_spared):
    patches, sentences, mask = ragged
    agreement = SigmoidCrossAttention(DIM).double().agreement(patches, sentences)
    spared = torch.zeros(3, 4, 3, dtype=torch.bool)
    if with_spared:
        spared[0, 1, 2] = spared[2, 0, 0] = spared[1, 0, 1] = True  # the last is an own image: it stays
    scale = torch.tensor(5.0, dtype=torch.float64)
    score = scale * agreement

    expected = []
    for b, count in enumerate(COUNTS):
        of_report = []
        for s in range(count):
            match = score[b, s, b]
            images = [score[b, s, c] for c in range(3) if c != b and not spared[b, s, c]]
            others = [
                score[o, t, b] for o in range(3) if o != b for t in range(COUNTS[o]) if not spared[o, t, b]
            ]
            to_image = torch.stack([match, *images]).logsumexp(0) - match
            to_sentence = torch.stack([match, *others]).logsumexp(0) - match
            of_report.append((to_image + to_sentence) / 2)
        expected.append(torch.stack(of_report).mean())
    found = across_images_loss(agreement, mask, scale, spared if with_spared else None)
    torch.testing.assert_close(found, torch.stack(expected), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_padded_sentences_change_nothing_and_have_no_gradient(ragged, attention):
    patches, sentences, mask = ragged
    module, scale = attention(DIM).double(), torch.tensor(5.0, dtype=torch.float64)

    def loss(sentences):
        return across_images_loss(module.agreement(patches, sentences), mask, scale)

    leaf = sentences.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(leaf).sum(), leaf)
    assert gradient.isfinite().all() and not gradient[~mask].any() and gradient[mask].any(-1).all()
    other = torch.where(mask[..., None], sentences, torch.full_like(sentences, 7.0))
    torch.testing.assert_close(loss(other), loss(sentences))


def test_a_loss_that_does_not_look_at_the_image_is_told_from_one_that_does():
    """Views that carry their own query only: the paper's loss is satisfied by them, ours is at chance."""
    torch.manual_seed(0)
    sentences = torch.randn(8, 3, DIM)
    mask = torch.ones(8, 3, dtype=torch.bool)
    scale = torch.tensor(20.0)
    paper = within_report_loss(sentences, sentences, mask, scale)
    blind = torch.ones(8, 3, 8)  # every image gives the sentence itself back
    ours = across_images_loss(blind, mask, scale)
    assert paper.max() < 1e-3
    assert ours.min() > torch.tensor(8.0).log(), "no better than choosing among eight images at random"


def test_a_sentence_attends_to_the_patch_that_matches_it():
    torch.manual_seed(0)
    mask = torch.ones(2, 3, dtype=torch.bool)
    sentences = torch.randn(2, 3, DIM, dtype=torch.float64)
    module = MatchedCrossAttention(DIM).double()
    for layer in (module.query2, module.key1):
        torch.nn.init.eye_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    patches = torch.randn(2, PATCHES, DIM, dtype=torch.float64)
    patches[1, 4] = 3 * sentences[1, 2]  # a place of image 1 shows what this sentence says
    attention = module.text_attention(patches, sentences)
    torch.testing.assert_close(attention.sum(-1), torch.ones(2, 3, dtype=torch.float64))
    assert attention[1, 2].argmax() == 4
    torch.testing.assert_close(module(patches, sentences, mask).text_attention, attention)
    agreement = module.agreement(patches, sentences)
    assert agreement[1, 2].argmax() == 1


def test_agreement_is_the_soft_maximum_of_cosines(ragged):
    patches, sentences, mask = ragged
    module = MatchedCrossAttention(DIM).double()
    found = module.agreement(patches, sentences)
    query = module.query2(sentences[0, 1])
    cosines = F.cosine_similarity(query, module.key1(patches[2]), dim=-1)
    expected = torch.exp(SHARPNESS * cosines).mean().log() / SHARPNESS
    torch.testing.assert_close(found[0, 1, 2], expected)
    assert cosines.mean() < expected < cosines.max()
    mean_over_sentences = torch.stack([found[b][mask[b]].mean(0) for b in range(3)], 1)
    torch.testing.assert_close(module.mean_attention(patches, sentences, mask, chunk=2), mean_over_sentences)


def test_the_soft_maximum_of_equal_values_is_their_value():
    torch.testing.assert_close(soft_maximum(torch.full((2, 5), 0.3)), torch.full((2,), 0.3))


def test_sentence_codes_are_equal_for_equal_sentences_only():
    tokenizer = tiny_prior().text_encoder.tokenizer
    texts = [("heart is normal.", "lungs are clear."), ("lungs are clear.",), ("clear are lungs.",)]
    batch = tokenizer(texts)
    codes = sentence_codes(batch.input_ids, batch.sentence_index)
    _, mask = gather_sentences(torch.zeros(*batch.input_ids.shape, 1), batch.sentence_index)
    assert codes.shape == mask.shape
    assert codes[0, 1] == codes[1, 0] and codes[0, 0] != codes[0, 1]
    assert codes[2, 0] != codes[1, 0], "the order of the words counts"
    found = reports_with(codes, mask)
    assert found[0].tolist() == [[True, False, False], [True, True, False]]
    assert found[1, 0].tolist() == [True, True, False] and found[2, 0].tolist() == [False, False, True]


def test_codes_close_the_gap_of_a_sentence_without_tokens():
    ids, index = torch.tensor([[5, 6, 7]]), torch.tensor([[1, 3, 3]])
    codes = sentence_codes(ids, index)
    (alone,) = sentence_codes(torch.tensor([[6, 7]]), torch.tensor([[1, 1]]))
    assert codes[0, 1] == alone[0] and codes[0, 2] == 0


def test_each_extension_changes_the_terms_that_it_is_about():
    torch.manual_seed(5)
    text = tiny_prior().text_encoder.tokenizer(REPORTS)
    batch = PretrainBatch(torch.randn(len(REPORTS), 1, 64, 64), text)
    aligned = {"loss_global", "loss_local_image", "loss_local_text", "loss_image", "loss_report_global"}
    changed = {
        "extended": aligned,
        "matched_patches": {"loss_local_text"},
        "negatives_from_other_images": {"loss_local_text"},
        "alignment_from_sentences": aligned,
        "bank_diversity": set(),
    }

    def losses(variant):
        torch.manual_seed(0)
        return tiny_prior(stage=3, variant=variant).eval().loss(batch)

    paper = losses("paper")
    for name, expected in changed.items():
        found = losses(name if name == "extended" else {name: True})
        assert {k for k, v in paper.items() if not torch.equal(v, found[k])} == expected, name
        assert set(found) - set(paper) == ({"loss_diversity"} if "bank" in name or "ext" in name else set())


def test_a_repeated_sentence_is_spared_by_its_own_switch():
    torch.manual_seed(5)
    reports = [("lungs are clear.", "heart is large."), ("lungs are clear.",), ("edema.",)]
    text = tiny_prior().text_encoder.tokenizer(reports)
    batch = PretrainBatch(torch.randn(3, 1, 64, 64), text)
    values = []
    for spared in (False, True):
        torch.manual_seed(0)
        variant = dict(base="extended", repeated_sentences_spared=spared)
        values.append(float(tiny_prior(variant=variant).eval().loss(batch)["loss_local_text"]))
    assert values[1] < values[0], "fewer negatives"


def test_diversity_is_the_unused_share_of_the_bank():
    mask = torch.tensor([[True, True, False], [True, True, False]])
    one_each = 50 * torch.eye(4).view(2, 2, 4)
    padded = torch.cat([one_each, torch.full((2, 1, 4), 7.0)], 1)
    assert diversity_loss(padded, 0.9, mask) == pytest.approx(0, abs=1e-5)
    same = torch.zeros(2, 3, 4)
    same[..., 1] = 50
    assert diversity_loss(same, 0.9, mask) == pytest.approx(3 / 4)
    two = torch.zeros(2, 3, 4)
    two[0, :, 1] = two[1, :, 3] = 50
    assert diversity_loss(two, 0.9, mask) == pytest.approx(1 / 2)
    warm = torch.tensor([[[1.0, 0.0, 0.0, 0.0]]])
    weights = (warm / 0.5).softmax(-1).flatten().double()
    expected = 1 - float(torch.exp(-(weights * weights.log()).sum())) / 4
    assert diversity_loss(warm, 0.5, torch.tensor([[True]])) == pytest.approx(expected)


def test_only_the_extension_asks_for_an_evenly_used_bank():
    text = tiny_prior().text_encoder.tokenizer(REPORTS)
    batch = PretrainBatch(torch.randn(len(REPORTS), 1, 64, 64), text)

    def losses(stage, **variant):
        torch.manual_seed(0)
        return tiny_prior(stage=stage, variant=variant or "paper").eval().loss(batch)

    assert "loss_diversity" not in losses(3)
    assert "loss_diversity" not in losses(1, bank_diversity=True)
    for stage in (2, 3):
        found = losses(stage, bank_diversity=True)["loss_diversity"]
        assert 0 < float(found) < 1 and found.requires_grad
    torch.manual_seed(0)
    light = tiny_prior(stage=2, variant="extended", weights=dict(diversity=0.25)).eval().loss(batch)
    full = losses(2, base="extended")
    assert float(light["loss_diversity"]) == pytest.approx(float(full["loss_diversity"]) / 4)


@pytest.mark.parametrize("stage", [1, 2, 3])
def test_features_and_alignment_depend_on_the_bank_unless_they_take_sentences(stage):
    text = tiny_prior().text_encoder.tokenizer(REPORTS)
    batch = PretrainBatch(torch.randn(len(REPORTS), 1, 64, 64), text)
    for pooled in (False, True):
        torch.manual_seed(0)
        model = tiny_prior(stage=stage, variant=dict(alignment_from_sentences=pooled)).eval()
        with torch.no_grad():
            before, before_loss = model.encode_text(text), model.loss(batch)
            model.sentence_bank.embed.weight.mul_(-2)
            after, after_loss = model.encode_text(text), model.loss(batch)
        depends = stage > 1 and not pooled
        assert torch.equal(before.global_, after.global_) != depends
        assert torch.equal(before_loss["loss_global"], after_loss["loss_global"]) != depends
        assert torch.equal(before.local, after.local) != depends
        for name in ("loss_local_image", "loss_local_text"):
            assert torch.equal(before_loss[name], after_loss[name]) != depends
        if stage == 3:
            assert not torch.equal(before_loss["loss_report"], after_loss["loss_report"]), "its targets"
