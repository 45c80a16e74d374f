"""Prototypes that start from sentences: every one can be looked up, and mixtures are close to sentences."""

import pytest
import torch
import torch.nn.functional as F

from prior_bench.errors import BenchError
from prior_bench.prior.bank_start import LENGTHS, common_length, start_from
from prior_bench.prior.prototypes import SentenceBank, usage_perplexity

CLUSTERS, DIM = 8, 16


@pytest.fixture
def sentences():
    """Eight tight clusters of ten sentences. The lengths of the clusters differ by up to four times."""
    torch.manual_seed(0)
    centres = F.normalize(torch.randn(CLUSTERS, DIM), dim=-1) * torch.linspace(2, 8, CLUSTERS)[:, None]
    return (centres[:, None] + 0.05 * torch.randn(CLUSTERS, 10, DIM)).flatten(0, 1)


def looked_up(prototypes, sentences):
    bank = SentenceBank(len(prototypes), DIM, temperature=0.9, soft=True).eval()
    bank.embed.weight.data.copy_(prototypes)
    found = bank(sentences)
    perplexity = usage_perplexity(found.logits[None], torch.ones(1, len(sentences), dtype=torch.bool))
    return float(perplexity), float((found.prototypes - sentences).abs().mean())


def test_all_prototypes_have_one_length_and_all_are_used(sentences):
    prototypes = start_from(sentences, CLUSTERS, 0.9, seed=0)
    lengths = prototypes.norm(dim=-1)
    torch.testing.assert_close(lengths, lengths[:1].expand(CLUSTERS))
    used, _ = looked_up(prototypes, sentences)
    assert used == pytest.approx(CLUSTERS, rel=1e-4), "each cluster finds its own prototype"


def test_raw_centres_hide_the_short_ones_from_the_look_up():
    long, short = torch.tensor([[10.0, 0.0]]), torch.tensor([[0.8, 0.6]])
    sentences = torch.cat([long + 0.01 * torch.eye(2), short + 0.01 * torch.eye(2)])
    assert ((sentences @ torch.cat([long, short]).T).argmax(-1) == 0).all(), "the long centre wins always"
    prototypes = start_from(sentences, 2, 0.9, seed=0)
    assert set((sentences @ prototypes.T).argmax(-1).tolist()) == {0, 1}


def test_the_length_has_the_smallest_error_of_all_that_are_tried(sentences):
    directions = F.normalize(torch.randn(CLUSTERS, DIM), dim=-1)
    unit = sentences.norm(dim=-1).median()
    errors = {float(unit * f): looked_up(unit * f * directions, sentences)[1] for f in LENGTHS}
    assert common_length(directions, sentences, 0.9) == pytest.approx(min(errors, key=errors.get))


def test_the_start_depends_on_the_seed_alone(sentences):
    assert torch.equal(start_from(sentences, 5, 0.9, seed=1), start_from(sentences, 5, 0.9, seed=1))


def test_too_few_different_sentences_are_refused(sentences):
    with pytest.raises(BenchError, match=r"3 different sentences.*4 prototypes"):
        start_from(sentences[:3].repeat(5, 1), 4, 0.9, seed=0)
