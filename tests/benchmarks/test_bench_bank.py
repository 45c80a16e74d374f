import torch

from benchmarks.bank import share, started, train


def sentences():
    """Eight clusters, of which the first has most sentences."""
    torch.manual_seed(0)
    centres = 3 * torch.eye(8, 16)
    return (centres[[0] * 60 + list(range(8)) * 8] + 0.1 * torch.randn(124, 16)).float()


def test_a_bank_from_sentences_is_used_and_one_of_noise_is_not():
    found = sentences()
    assert share(started(8, found, "sentences"), found) > 0.5
    aside = torch.nn.functional.one_hot(torch.tensor([3] * 8), 16).float()
    same = started(8, found, "noise")
    same.embed.weight.data = aside  # all alike: the first of them takes every sentence
    assert share(same, found) == 1 / 8


def test_training_lowers_the_error():
    found = sentences()
    before = train(started(16, found, "noise"), found, 0, 0.0)
    assert train(started(16, found, "noise"), found, 60, 0.0) < before
