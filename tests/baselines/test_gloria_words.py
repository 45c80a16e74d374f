import torch
from tiny_methods import TEXTS, TOKENIZER

from baselines.words import columns_up_to, merge_pieces, row_of_token, word_counts
from prior_bench.api import TextBatch


def test_rows_are_cls_words_and_sep():
    text = TextBatch(
        input_ids=torch.zeros(2, 6, dtype=torch.int64),
        attention_mask=torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0]]),
        sentence_index=torch.zeros(2, 6, dtype=torch.int64),
        word_index=torch.tensor([[-1, 0, 0, 1, 1, -1], [-1, 0, -1, -1, -1, -1]]),
    )
    rows = row_of_token(text)
    assert rows.tolist() == [[0, 1, 1, 2, 2, 3], [0, 1, 2, -1, -1, -1]]
    assert word_counts(text).tolist() == [2, 1]
    tokens = torch.tensor([[1.0, 2, 4, 8, 16, 32], [1, 2, 4, 8, 16, 32]])
    assert merge_pieces(tokens, rows).tolist() == [[1, 6, 24, 32], [1, 2, 4, 0]]
    assert merge_pieces(tokens, rows, 2).tolist() == [[1, 6], [1, 2]]
    assert merge_pieces(tokens, rows, 5)[:, 4].tolist() == [0, 0]
    vectors = torch.stack([tokens, -tokens], dim=-1)
    torch.testing.assert_close(merge_pieces(vectors, rows)[..., 1], -merge_pieces(tokens, rows))


def test_words_of_our_tokenizer_are_those_a_loop_finds():
    text = TOKENIZER(TEXTS)
    tokens = torch.randn(*text.input_ids.shape, 3)
    merged = merge_pieces(tokens, row_of_token(text))
    for b in range(len(TEXTS)):
        for word in range(int(text.word_index[b].max()) + 1):
            torch.testing.assert_close(merged[b, word + 1], tokens[b][text.word_index[b] == word].sum(0))


def test_columns():
    assert columns_up_to(torch.tensor([3, 0]), 4, first=1).tolist() == [
        [False, True, True, False],
        [False] * 4,
    ]


def test_padding_gets_no_gradient():
    tokens = torch.randn(2, 4, requires_grad=True)
    merge_pieces(tokens, torch.tensor([[0, 1, 1, 2], [0, 1, -1, -1]])).sum().backward()
    assert tokens.grad.tolist() == [[1, 1, 1, 1], [1, 1, 0, 0]]
