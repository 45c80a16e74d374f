import torch

from baselines.token_fixtures import text_batch
from prior_bench.encoders.tokenizer import ReportTokenizer


def test_words_are_counted_as_the_tokenizer_counts_them():
    tokenizer = ReportTokenizer.train([("no pleural effusion .", "[ no pneumothorax ] .")] * 3, 200)
    batch = tokenizer(
        [
            ("no 7 effusion [ 8 [MASK] .",),  # digits are unknown
            ("7",),
            ("no pneumothorax , effusions .",),
        ]
    )
    pieces = [tokenizer.tokens(row.tolist()) for row in batch.input_ids]
    assert pieces[0][2] == "[UNK]" and pieces[0][4] == "["
    vocabulary = {piece: int(i) for row, ids in zip(pieces, batch.input_ids, strict=True)
                  for piece, i in zip(row, ids, strict=True)}  # fmt: skip
    again = text_batch(batch.input_ids, vocabulary)
    for name, ours, theirs in zip(batch._fields, again, batch, strict=True):
        assert torch.equal(ours, theirs), name
