import copy
from functools import partial

import pytest
import torch
from tiny_prior import REPORTS, heads, tiny_prior

from benchmarks.measuring import operators
from prior_bench.api import Features, PretrainBatch
from prior_bench.errors import BenchError
from prior_bench.prior.weights import WEIGHTS

STAGES = {
    1: {"global", "local_image", "local_text"},
    2: {"global", "local_image", "local_text", "prototype"},
    3: set(WEIGHTS) - {"diversity"},
}


@pytest.fixture
def batch():
    torch.manual_seed(5)
    return PretrainBatch(torch.randn(3, 1, 64, 64), tiny_prior().text_encoder.tokenizer(REPORTS))


def features(size, sentences=5, seed=0):
    """Image features, padded sentences and mask, images, of ``size`` reports."""
    torch.manual_seed(seed)
    counts = torch.arange(size) % sentences + 1
    mask = torch.arange(sentences) < counts[:, None]
    image = Features(torch.randn(size, 32), torch.randn(size, 4, 32))
    return image, torch.randn(size, sentences, 32), mask, torch.randn(size, 1, 8, 8)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("variant", ["paper", "released", "extended"])
def test_each_stage_has_its_losses_and_trains_its_parts(batch, stage, variant):
    model = tiny_prior(stage=stage, variant=variant).train()
    losses = model.loss(batch)
    ours = {"diversity"} if variant == "extended" and stage > 1 else set()
    found = {name.removeprefix("loss_") for name in losses if name.startswith("loss_")}
    assert found == STAGES[stage] | ours
    assert all(value.isfinite() and value.ndim == 0 for value in losses.values())
    sum(value for name, value in losses.items() if name.startswith("loss")).backward()
    without = {name for name, p in model.named_parameters() if p.grad is None}
    if variant == "extended":  # sentences and images are compared without what a sentence sees
        unused = {name for name in without if name.startswith("local_cross_attention.value1.")}
        assert len(unused) == 2
        without -= unused
    later = {1: ("sentence_bank", "image_decoder", "sentence_decoder", "prototype_queries")}
    later[2] = later[1][1:]
    assert {name.split(".")[0] for name in without} == set(later.get(stage, ()))
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


def test_weights_scale_terms_and_zero_leaves_them_out():
    full = heads(stage=3)
    image, sentences, mask, images = features(4)
    assert full.weight("prototype") == full.weight("report") == 10 and full.weight("global") == 1
    assert heads(stage=3, variant="released").weight("global") == 10
    assert heads(stage=2, variant="released").weight("global") == 1
    off = {"image": 0, "local_image": 0, "local_text": 0}
    terms = heads(stage=3, weights=off).terms(image, sentences, mask, images)
    assert not set(terms) & set(off) and "report" in terms
    off = {"report": 0, "query": 0, "report_global": 0}
    assert not set(heads(stage=3, weights=off).terms(image, sentences, mask, images)) & set(off)
    with pytest.raises(BenchError, match="did you mean local_text"):
        heads(weights={"local_txt": 0})


def test_without_prototypes_sentences_stay_themselves():
    model = heads(prototypes=0, stage=3)
    image, sentences, mask, images = features(4)
    terms = model.terms(image, sentences, mask, images)
    assert set(terms) == {"global", "local_image", "local_text", "image", "report", "report_global"}


@pytest.mark.parametrize("stage", STAGES)
def test_padded_sentences_change_nothing(stage):
    model = heads(stage=stage).eval()
    image, sentences, mask, images = features(4)
    more = torch.cat([sentences, torch.full((4, 3, 32), 50.0)], 1)
    more_mask = torch.cat([mask, torch.zeros(4, 3, dtype=torch.bool)], 1)
    plain = model.terms(image, sentences, mask, images)
    padded = model.terms(image, more, more_mask, images)
    assert plain.keys() == padded.keys()
    for name in plain:
        torch.testing.assert_close(plain[name], padded[name], msg=name)


def test_batch_equals_reports_one_by_one():
    model = heads(stage=3).double().eval()
    image, sentences, mask, images = features(5)
    image, sentences, images = Features(*(x.double() for x in image[:2])), sentences.double(), images.double()
    together = model.terms(image, sentences, mask, images)
    alone = []
    for i, n in enumerate(mask.sum(1)):
        own = Features(image.global_[i : i + 1], image.local[i : i + 1])
        alone.append(model.terms(own, sentences[i : i + 1, :n], mask[i : i + 1, :n], images[i : i + 1]))
    counts = mask.sum(1).double()
    for name in ("local_image", "image", "report"):  # means over reports
        torch.testing.assert_close(together[name], torch.stack([t[name] for t in alone]).mean())
    for name in ("prototype", "query"):  # means over sentences
        each = torch.stack([t[name] for t in alone])
        torch.testing.assert_close(together[name], (each * counts).sum() / counts.sum())
    text = torch.stack([t["local_text"] for t in alone])
    torch.testing.assert_close(together["local_text"], text[counts > 1].mean())


def test_single_sentence_reports_dilute_the_released_local_text_loss():
    image, sentences, mask, _ = features(5)
    single = (mask.sum(1) == 1).float().mean()
    paper, released = (
        heads(variant=name).terms(image, sentences, mask)["local_text"] for name in ("paper", "released")
    )
    torch.testing.assert_close(released, paper * (1 - single))


def test_long_reports_are_cut_in_stage_3():
    image, sentences, mask, images = features(4)
    model = heads(queries=2, stage=3).eval()
    cut = model.terms(image, sentences[:, :2], mask[:, :2], images)
    for name, value in model.terms(image, sentences, mask, images).items():
        torch.testing.assert_close(value, cut[name])


def test_matching_in_paper_and_released():
    targets = torch.randn(1, 5, 32)
    real = torch.tensor([[True, True, True, False, False]])
    targets = targets * real[..., None]
    order = torch.tensor([4, 0, 2, 1, 3])  # neither its own inverse
    decoded = (targets + 5 * ~real[..., None])[:, order]
    ordered, counted = heads(queries=5).match(decoded, targets, real)
    assert torch.equal(ordered[:, :3], targets[:, :3]) and torch.equal(counted, real)
    ordered, counted = heads(queries=5, variant="released").match(decoded, targets, real)
    assert not torch.allclose(ordered[:, :3], targets[:, :3]) and counted.all()


def test_kl_target_is_held_fixed_in_the_paper_only():
    true, predicted = torch.randn(2, 1, 3, 12)
    mask = torch.ones(1, 3, dtype=torch.bool)
    for variant, moves in (("paper", False), ("released", True)):
        leaf = true.clone().requires_grad_()
        loss = heads(variant=variant).query_loss(leaf, predicted.clone().requires_grad_(), mask)
        (gradient,) = torch.autograd.grad(loss, leaf, allow_unused=True)
        assert (gradient is not None) == moves


def test_similarity_of_paper_and_released():
    image, sentences, mask, _ = features(4)
    paper = heads(stage=2).eval()
    text = Features(paper.global_text_attention(sentences, mask), sentences, mask)
    cosine = torch.cosine_similarity(image.global_[:, None], text.global_[None], dim=-1)
    torch.testing.assert_close(paper.similarity(image, text), cosine * 100, rtol=1e-4, atol=1e-4)
    released = heads(stage=2, variant="released").eval()
    score = released.similarity(image, text)
    torch.testing.assert_close(score.sum(1), torch.full((4,), 1.5))
    expected = (cosine * torch.tensor(100.0).log()).softmax(1)
    expected = expected + released.local_similarity(image, text).softmax(1) / 2
    torch.testing.assert_close(score, expected)


def test_encoders_to_joint_space(batch):
    model = tiny_prior(stage=2)
    image, text = model.encode_image(batch.images), model.encode_text(batch.text)
    assert image.global_.shape == (3, 32) and image.local.shape == (3, 4, 32)
    assert text.global_.shape == (3, 32) and text.mask.sum(1).tolist() == [3, 1, 2]
    assert model.similarity(image, text).shape == (3, 3)
    assert torch.equal(text.global_, model.encode_text(batch.text).global_)
    scrambled = tiny_prior(stage=2, variant={"scrambled_patches": True}).eval().encode_image(batch.images)
    assert torch.equal(scrambled.global_, image.global_)
    assert not torch.allclose(scrambled.local, image.local)


def test_prototypes_enter_the_text_features_from_stage_2_on(batch):
    model = tiny_prior(stage=1)
    before = model.encode_text(batch.text)
    model.stage = 2
    after = model.encode_text(batch.text)
    assert not torch.allclose(before.local[before.mask], after.local[after.mask])


def test_sep_enters_one_sentence_prompts_only(batch):
    paper, with_sep = (
        tiny_prior(stage=1, variant={"sep_in_prompts": switch}).eval().encode_text(batch.text)
        for switch in (False, True)
    )
    same = [torch.allclose(*pair) for pair in zip(paper.global_, with_sep.global_, strict=True)]
    assert same == [True, False, True]


def test_stage_is_saved_with_the_weights_and_checked():
    model = tiny_prior(stage=3)
    other = tiny_prior(stage=1)
    other.load_state_dict(copy.deepcopy(model.state_dict()))
    assert other.stage == 3
    with pytest.raises(BenchError, match="must be 1, 2 or 3"):
        model.stage = 4


@pytest.mark.parametrize("stage", STAGES)
def test_number_of_operators_does_not_grow_with_the_batch(stage):
    model = heads(stage=stage).train()

    def step(given):
        sum(value for name, value in model.terms(*given).items() if name != "perplexity").backward()

    counts = [operators(partial(step, features(size))) for size in (8, 64)]
    assert counts[1] <= 1.1 * counts[0]
