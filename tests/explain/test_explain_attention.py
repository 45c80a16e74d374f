import numpy as np
import torch
from torch import nn

from prior_bench.api import Features
from prior_bench.encoders.tokenizer import ReportTokenizer
from prior_bench.explain.attention import attention_of
from prior_bench.pictures.choice import spread

REPORTS = [("The heart is enlarged.", "No effusion."), ("Clear.",)]
TOKENIZER = ReportTokenizer.train(REPORTS, 120, 32)


class Looking(nn.Module):
    """Row s of a text looks at patch s alone, of as many patches as the image has."""

    def __init__(self, over, shows=True):
        super().__init__()
        self.attention_over, self.shows = over, shows
        self.text_encoder = nn.Identity()
        self.text_encoder.tokenizer = TOKENIZER

    def attention(self, image, text):
        rows, patches = text.local.shape[1], image.local.shape[1]
        eye = torch.eye(max(rows, patches))[:rows, :patches]
        return eye.expand(len(text.local), -1, -1) if self.shows else None


def ask(method, reports=REPORTS, patches=16, rows=12):
    local = Features(torch.zeros(len(reports), 1), torch.zeros(len(reports), patches, 1))
    text = Features(torch.zeros(len(reports), 1), torch.zeros(len(reports), rows, 1))
    return attention_of(method, local, text, TOKENIZER(reports), reports)


def places(attention):
    """Patches that are looked at."""
    return np.flatnonzero(attention.grid.reshape(-1)).tolist()


def test_sentences_have_their_own_rows():
    first, second = ask(Looking("sentences"))
    assert [a.text for a in first] == list(REPORTS[0]) and [places(a) for a in first] == [[0], [1]]
    assert [(a.text, places(a), a.grid.shape) for a in second] == [("Clear.", [0], (4, 4))]


def test_sentences_without_a_token_are_skipped_as_their_rows_are():
    (found,) = ask(Looking("sentences"), [("The heart is enlarged.", "", "Clear.")])
    assert [(a.text, places(a)) for a in found] == [("The heart is enlarged.", [0]), ("Clear.", [1])]


def test_a_sentence_is_the_mean_of_its_words():
    first, second = ask(Looking("words"))
    # the heart is enlarged . no effusion . : the full stops are words that are left out
    assert [places(a) for a in first] == [[0, 1, 2, 3], [5, 6]]
    assert first[0].grid.max() == 0.25 and first[1].grid.max() == 0.5
    assert [(w.text, places(w)) for w in first[0].words] == [("heart", [1]), ("enlarged", [3])]
    assert [w.text for w in first[1].words] == ["effusion"], "short words are not shown on their own"
    assert [w.text for w in second[0].words] == ["clear"]


def test_words_shown_are_those_that_look_at_the_least():
    class Blurred(Looking):
        def attention(self, image, text):
            attention = super().attention(image, text).clone()
            attention[:, 1] = 1 / 16  # the first "heart" looks everywhere
            return attention

    (found,) = ask(Blurred("words"), [("The heart is enlarged, heart clear.",)])
    assert [(w.text, places(w)) for w in found[0].words] == [("enlarged", [3]), ("clear", [6])]


def test_there_is_none_without_a_method_or_a_place():
    assert ask(nn.Identity()) is None
    assert ask(Looking("sentences", shows=False)) is None
    assert ask(Looking("sentences"), patches=15) is None


def test_spread_goes_from_the_first_to_the_last():
    assert spread(range(10), 4) == [0, 3, 6, 9]
    assert spread(range(2), 4) == [0, 1] and spread(range(5), 1) == [0] and spread([], 3) == []
