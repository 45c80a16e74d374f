import json
from pathlib import Path

import prior_oracle as oracle
import pytest
import torch

from prior_bench.errors import BenchError
from prior_bench.prior.prototypes import (
    SentenceBank,
    prototype_loss,
    query_consistency,
    temperature_at,
    usage_perplexity,
)

SPB = Path(__file__).parents[1] / "golden" / "prior" / "spb.json"


@pytest.fixture
def ragged():
    torch.manual_seed(1)
    return torch.randn(3, 4, 8), torch.arange(4) < torch.tensor([4, 1, 2])[:, None]


def test_bank_loss_and_kl_equal_a_loop_over_sentences(ragged):
    sentences, mask = (t.double() if t.is_floating_point() else t for t in ragged)
    bank = SentenceBank(5, 8, temperature=0.7).double()
    noise = torch.randn(3, 4, 5).double()
    found = bank(sentences, noise)
    predicted = bank.query(sentences.flip(1))
    looped = [
        oracle.bank_lookup(sentences[b, s], bank.embed.weight, noise[b, s], 0.7)
        for b, s in mask.nonzero().tolist()
    ]
    mixtures = torch.stack([mixture for mixture, _ in looped])
    torch.testing.assert_close(found.prototypes[mask], mixtures)
    expected = (mixtures - sentences[mask]).abs().mean()
    torch.testing.assert_close(prototype_loss(sentences, found.prototypes, mask), expected)
    pairs = zip((logits for _, logits in looped), predicted[mask], strict=True)
    expected = torch.stack([oracle.kl(*pair) for pair in pairs]).mean()
    torch.testing.assert_close(query_consistency(found.logits, predicted, mask), expected)


def test_temperature_follows_the_official_schedules():
    stored = json.loads(SPB.read_text())["temperature_schedule"]
    for schedule, values in stored["values"].items():
        ours = [temperature_at(t, stored["max_step"], stored["temp"], schedule) for t in stored["steps"]]
        assert ours == pytest.approx(values, rel=1e-12)
    with pytest.raises(BenchError, match="did you mean linear"):
        temperature_at(0, 1, schedule="liner")


def test_noise_only_in_training(ragged):
    sentences, _ = ragged
    bank = SentenceBank(5, 8).train()
    assert not torch.equal(bank(sentences).weights, bank(sentences).weights)
    bank.eval()
    torch.testing.assert_close(bank(sentences).weights, (bank.query(sentences) / 0.9).softmax(-1))
    noisy = SentenceBank(5, 8, always_noisy=True).eval()
    assert not torch.equal(noisy(sentences).weights, noisy(sentences).weights)


def test_drawn_noise_has_the_gumbel_distribution():
    torch.manual_seed(0)
    bank = SentenceBank(3, 2).train()
    with torch.no_grad():
        bank.embed.weight.copy_(torch.tensor([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]]))
    chosen = bank(torch.tensor([1.0, 0.0]).expand(20000, 2)).entry
    share = torch.bincount(chosen, minlength=3) / 20000
    torch.testing.assert_close(share, torch.tensor([0.0, 1.0, 2.0]).softmax(0), atol=0.015, rtol=0)


def test_hard_prototypes_are_entries_and_pass_gradients(ragged):
    sentences, _ = ragged
    sentences.requires_grad_()
    bank = SentenceBank(5, 8, soft=False).eval()
    found = bank(sentences)
    torch.testing.assert_close(found.prototypes, bank.embed.weight[found.entry])
    (gradient,) = torch.autograd.grad(found.prototypes.pow(2).sum(), sentences)
    assert gradient.abs().sum() > 0


def test_perplexity_counts_the_prototypes_in_use():
    logits = torch.eye(4)[None]  # four sentences, each chooses another prototype
    assert usage_perplexity(logits, torch.ones(1, 4, dtype=torch.bool)) == pytest.approx(4)
    assert usage_perplexity(logits, torch.tensor([[True, True, False, False]])) == pytest.approx(2)
    assert usage_perplexity(torch.zeros(1, 4, 4), torch.ones(1, 4, dtype=torch.bool)) == pytest.approx(1)
