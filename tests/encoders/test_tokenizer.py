import pickle
import random
import subprocess
import sys

import pytest
import torch

from prior_bench.encoders import tokenizer as tokenizer_module
from prior_bench.encoders.tokenizer import ReportTokenizer
from prior_bench.errors import BenchError

CORPUS = [
    ("The heart is enlarged.", "No pleural effusion."),
    ("Right-sided pneumothorax.", "Left basilar atelectasis is seen."),
    ("Small pleural effusion is seen on the left.",),
]


@pytest.fixture(scope="module")
def tokenizer():
    return ReportTokenizer.train(CORPUS, vocab_size=400, max_tokens=16)


def test_sentences_and_words_by_hand(tokenizer):
    batch = tokenizer([("The heart is enlarged.", "No effusion."), ("Right-sided!",)])
    assert tokenizer.tokens(batch.input_ids[0]) == [
        *("[CLS]", "the", "heart", "is", "enlarged", ".", "no", "effusion", ".", "[SEP]"),
    ]
    assert batch.sentence_index[0].tolist() == [-1, 1, 1, 1, 1, 1, 2, 2, 2, -1]
    assert batch.word_index[0].tolist() == [-1, 0, 1, 2, 3, 4, 5, 6, 7, -1]
    assert tokenizer.tokens(batch.input_ids[1])[:5] == ["[CLS]", "right", "-", "sided", "[UNK]"]
    assert batch.sentence_index[1].tolist() == [-1, 1, 1, 1, 1, -1, -1, -1, -1, -1]
    assert batch.attention_mask.sum(1).tolist() == [10, 6]
    assert all(column.dtype == torch.int64 and column.shape == (2, 10) for column in batch)


def test_pieces_of_a_word_share_its_index(tokenizer):
    batch = tokenizer([("effusions heart",)])  # a word the corpus does not have
    tokens = tokenizer.tokens(batch.input_ids[0])
    assert tokens[:2] == ["[CLS]", "effusion"] and tokens[2].startswith("##")
    pieces = len(tokens) - 3
    assert batch.word_index[0].tolist() == [-1, *[0] * pieces, 1, -1]
    assert set(batch.sentence_index[0, 1:-1].tolist()) == {1}


def test_empty_sentences_keep_their_number(tokenizer):
    batch = tokenizer([("The heart.", "", "No effusion.")])
    assert batch.sentence_index[0].tolist() == [-1, 1, 1, 1, 3, 3, 3, -1]


def test_truncation_keeps_the_last_separator(tokenizer):
    batch = tokenizer([("the heart is enlarged " * 10,), ("heart",)])
    assert batch.input_ids.shape[1] == 16
    assert tokenizer.tokens(batch.input_ids[0])[-1] == "[SEP]"
    assert batch.sentence_index[0].tolist() == [-1, *[1] * 14, -1]
    assert tokenizer.lengths([("heart",), ("the heart is enlarged " * 10,)]) == [3, 16]


def test_json_and_pickle_round_trips(tokenizer):
    text = CORPUS[0]
    for again in (ReportTokenizer.from_json(tokenizer.to_json()), pickle.loads(pickle.dumps(tokenizer))):
        assert again.to_json() == tokenizer.to_json() and again.max_tokens == 16
        assert all(torch.equal(a, b) for a, b in zip(again([text]), tokenizer([text]), strict=True))


def test_training_gives_the_same_vocabulary_in_another_process():
    # few merges, many ties: what a hash map's order would decide
    draw = random.Random(0)
    corpus = [tuple("".join(draw.choices("abcdefgh", k=5)) for _ in range(60))]
    code = (
        "import sys; from prior_bench.encoders.tokenizer import ReportTokenizer;"
        f"sys.stdout.write(ReportTokenizer.train({corpus}, 90).to_json())"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ReportTokenizer.train(corpus, 90).to_json() == other.stdout


def test_no_text_is_an_error():
    with pytest.raises(BenchError, match="no text"):
        ReportTokenizer.train([], 100)


def test_letters_are_those_of_all_texts_normalised():
    texts = [
        ("Œdème ÀÉ ΣΑΣ İ ǆ.", "한국어 각", "心脏扩大\u0301"),
        ("e\u0301\u0327 a\u200b\tb\n\x00", "🫁 ﬁ ½"),
        ("",),
    ]
    joined = [" ".join(text) for text in texts]
    normalise = tokenizer_module._word_piece({}).normalizer.normalize_str
    plain = {c for text in joined for c in normalise(text) if not c.isspace()}
    found = {c for raw in tokenizer_module.characters(joined) for c in normalise(raw) if not c.isspace()}
    assert found == plain and len(plain) > 20
    assert tokenizer_module.characters([]) == []
