import torch

from prior_bench.prior.sentences import gather_sentences, masked_mean, mean_where


def test_sentences_are_means_of_their_tokens():
    tokens = torch.tensor([[[9.0], [1.0], [3.0], [5.0], [9.0]], [[9.0], [2.0], [9.0], [9.0], [9.0]]])
    index = torch.tensor([[-1, 1, 1, 2, -1], [-1, 1, -1, -1, -1]])
    sentences, mask = gather_sentences(tokens, index)
    assert sentences.tolist() == [[[2.0], [5.0]], [[2.0], [0.0]]]
    assert mask.tolist() == [[True, True], [True, False]]


def test_later_sentences_move_up_over_a_gap():
    tokens = torch.arange(6.0).reshape(1, 6, 1)
    sentences, mask = gather_sentences(tokens, torch.tensor([[-1, 1, 1, 4, 2, -1]]))
    assert sentences[mask].flatten().tolist() == [1.5, 4.0, 3.0]
    assert mask[0].tolist() == [True, True, True, False]


def test_report_without_sentence_is_all_padding():
    sentences, mask = gather_sentences(torch.ones(2, 3, 4), torch.full((2, 3), -1))
    assert sentences.shape == (2, 1, 4)
    assert not mask.any() and not sentences.any()


def test_masked_means_ignore_padding_and_survive_emptiness():
    values = torch.tensor([[1.0, 3.0, 77.0], [5.0, 77.0, 77.0], [77.0, 77.0, 77.0]])
    mask = torch.tensor([[True, True, False], [True, False, False], [False, False, False]])
    assert masked_mean(values, mask).tolist() == [2.0, 5.0, 0.0]
    assert masked_mean(values[..., None], mask).tolist() == [[2.0], [5.0], [0.0]]
    assert mean_where(values, mask) == 3.0
    assert mean_where(values, torch.zeros_like(mask)) == 0.0
