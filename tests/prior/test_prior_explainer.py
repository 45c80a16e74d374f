import pytest
import torch
from tiny_prior import REPORTS, tiny_prior

from prior_bench.prior.explainer import PriorExplainer


@pytest.fixture
def images():
    return torch.randn(3, 1, 64, 64, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def explained():
    """The explainer of a model of stage 3, and its reports as a batch."""
    model = tiny_prior()
    with torch.no_grad():
        yield PriorExplainer(model, REPORTS), model.text_encoder.tokenizer(REPORTS)


def test_nothing_is_shown_before_its_stage(images):
    with torch.no_grad():
        for stage, prototypes in ((1, False), (2, True)):
            model = tiny_prior(stage=stage)
            explainer = PriorExplainer(model, REPORTS)
            assert explainer.write(images) is None and explainer.decoded_sentences(images) is None
            assert explainer.reconstruct(images, model.text_encoder.tokenizer(REPORTS)) is None
            assert (explainer.prototypes(3) is not None) == prototypes
        assert PriorExplainer(tiny_prior(prototypes=0), REPORTS).prototypes(3) is None


def test_the_image_is_decoded_as_in_training_without_masking(explained, images):
    explainer, text = explained
    model, found = explainer.model, explainer.reconstruct(images, text)
    sentences, mask = explainer.true_sentences(text)
    patches = model.encode_image(images).local
    seen = model.local_cross_attention(patches, sentences, mask).text_to_image
    # bit for bit: what an untrained decoder gives hardly depends on what it is given
    assert torch.equal(found["image and report"], model.decode_image(patches, seen))
    assert not torch.equal(found["image and report"], model.decode_image(patches, 2 * seen))
    masked = found["masked image and report"]
    assert masked.shape == (3, 1, 64, 64) and not torch.allclose(masked, found["image and report"])


def test_the_mask_is_the_same_each_time_and_leaves_the_generator_alone(explained, images):
    explainer, text = explained
    torch.manual_seed(7)
    before = torch.get_rng_state()
    first = explainer.reconstruct(images, text)["masked image and report"]
    assert torch.equal(before, torch.get_rng_state())
    torch.testing.assert_close(explainer.reconstruct(images, text)["masked image and report"], first)


def test_reports_longer_than_the_queries_are_cut(images):
    with torch.no_grad():
        model = tiny_prior(queries=2)
        explainer = PriorExplainer(model, REPORTS)
        targets, mask = explainer.true_sentences(model.text_encoder.tokenizer(REPORTS))
        assert targets.shape[1] == 2 and explainer.decoded_sentences(images).shape == (3, 2, 32)


def test_prototype_use_counts_occurrences(explained):
    explainer, _ = explained
    bank = explainer.model.sentence_bank
    corpus = explainer.corpus
    # six occurrences, of which "No effusion." is two: it alone chooses prototype 5, all others choose 0
    with torch.no_grad():
        own, others = corpus.texts.index("No effusion."), corpus.projected.mean(0)
        bank.embed.weight.zero_()
        bank.embed.weight[5] = 50 * (corpus.projected[own] - others)
    choices = bank.query(corpus.projected).argmax(1)
    explainer.__dict__["corpus"] = corpus._replace(choices=torch.tensor([4, 0, 0, 0, 0, 2] + [0] * 6))
    use = explainer.prototypes(top=3)
    assert (use.count, use.sentences, use.distinct) == (12, 6, 5)
    assert [(p.index, round(p.share, 3)) for p in use.top] == [(0, 0.667), (5, 0.333)]
    assert choices[own] == 5 and use.top[1].sentences[0] == "No effusion."
    share = torch.tensor([4, 2]) / 6
    assert use.perplexity == pytest.approx(float(torch.exp(-(share * share.log()).sum())), rel=1e-5)


def test_attention_is_lams_and_scrambled_patches_have_none(images):
    model = tiny_prior()
    with torch.no_grad():
        image, text = model.encode_image(images), model.encode_text(model.text_encoder.tokenizer(REPORTS))
        attention = model.attention(image, text)
        expected = model.local_cross_attention(image.local, text.local, text.mask).text_attention
        assert attention.shape == (3, 3, 4) and torch.equal(attention, expected)
        scrambled = tiny_prior(variant="released")
        assert scrambled.attention(scrambled.encode_image(images), text) is None
