import pytest
import torch
from tiny_prior import REPORTS, tiny_prior

from prior_bench.api import Features
from prior_bench.prior.written import SentenceCorpus, chosen_sentences, encode_corpus, sentence_vectors, write


def corpus_of(vectors, typical=2):
    """Sentences a, b, c, … with these vectors."""
    texts = tuple("abcdefgh"[: len(vectors)])
    features = Features(vectors, vectors[:, None])
    return SentenceCorpus(texts, vectors, features, typical, len(texts), None)


@pytest.fixture(scope="module")
def paper():
    return tiny_prior(variant="paper")


@pytest.fixture(scope="module")
def released():
    return tiny_prior(variant="released")


SIMILARITY = torch.tensor([0.1, 0.9, 0.5, 0.7])


def test_as_many_sentences_as_a_report_has_the_most_similar_first(paper):
    corpus = corpus_of(torch.eye(4), typical=2)
    slots = torch.eye(4)[[0, 2, 1, 1]] + 0.01
    assert chosen_sentences(paper, slots, corpus, SIMILARITY) == [1, 2]
    assert chosen_sentences(paper, slots, corpus._replace(typical=9), SIMILARITY) == [1, 2, 0], "b only once"


def test_zero_slots_of_the_released_variant_are_empty_and_all_others_are_written(released, paper):
    corpus = corpus_of(torch.eye(4), typical=1)
    slots = torch.tensor([[0.1, 0, 0, 0], [0, 0, 0.9, 0], [0, 0, 0, 0.0], [0, 0.8, 0, 0.1]])
    assert chosen_sentences(released, slots, corpus, SIMILARITY) == [1, 2]
    assert chosen_sentences(released, torch.zeros(4, 4), corpus, SIMILARITY) == []
    assert chosen_sentences(paper, slots, corpus, SIMILARITY) == [1], "an empty slot cannot be told"


def test_a_sentence_is_the_mean_of_its_occurrences(paper):
    corpus = encode_corpus(paper, REPORTS)
    assert corpus.texts == tuple(dict.fromkeys(s for report in REPORTS for s in report))
    assert corpus.occurrences == 6 and int(corpus.choices.sum()) == 6 and corpus.typical == 2
    with torch.no_grad():
        projected, targets, mask = sentence_vectors(paper, paper.text_encoder.tokenizer(REPORTS))
    assert mask.sum(1).tolist() == [3, 1, 2]
    twice = corpus.texts.index("No effusion.")
    torch.testing.assert_close(corpus.projected[twice], (projected[0, 1] + projected[2, 1]) / 2)
    torch.testing.assert_close(corpus.vectors[twice], (targets[0, 1] + targets[2, 1]) / 2)
    torch.testing.assert_close(corpus.vectors[corpus.texts.index("No pneumothorax.")], targets[1, 0])


def test_targets_are_those_of_training_and_come_without_noise(released):
    batch = released.text_encoder.tokenizer(REPORTS)
    with torch.no_grad():
        first, again = sentence_vectors(released, batch), sentence_vectors(released, batch)
        projected, mask = released.sentences(released.text_encoder(batch).tokens, batch.sentence_index)
        silent = torch.zeros(12)
        expected = released.sentence_bank(projected, silent).prototypes
    torch.testing.assert_close(first[1], again[1], rtol=0, atol=0)
    torch.testing.assert_close(first[1], expected)


def test_without_a_bank_targets_are_the_sentences():
    model = tiny_prior(prototypes=0)
    with torch.no_grad():
        projected, targets, _ = sentence_vectors(model, model.text_encoder.tokenizer(REPORTS))
    assert targets is projected and encode_corpus(model, REPORTS).choices is None


def test_decoded_sentences_are_written_word_for_word(paper, monkeypatch):
    corpus = encode_corpus(paper, REPORTS)
    wanted = [corpus.texts.index(text) for text in ("No pneumothorax.", "The heart is large.")]
    slots = corpus.vectors[[*wanted, *wanted]]
    monkeypatch.setattr(paper, "decode_report", lambda patches: slots.expand(len(patches), -1, -1))
    for written in write(paper, torch.randn(3, 1, 64, 64), corpus):
        assert set(written) == {"No pneumothorax.", "The heart is large."}


@pytest.mark.parametrize("pooled", [False, True])
def test_sentences_are_scored_by_the_vectors_that_reports_are_pooled_from(pooled):
    torch.manual_seed(0)
    model = tiny_prior(stage=3, variant=dict(alignment_from_sentences=pooled)).eval()
    corpus = encode_corpus(model, REPORTS)
    alone = corpus.texts.index("No pneumothorax.")  # a report of its own, so its global embedding is known
    with torch.no_grad():
        expected = model.encode_text(model.text_encoder.tokenizer([("No pneumothorax.",)])).global_[0]
    torch.testing.assert_close(corpus.features.global_[alone], expected)
