import time

import pytest

from prior_bench.data.texts.reports import parse_sections
from prior_bench.data.texts.sentences import normalise_marks, split_sentences


@pytest.mark.parametrize("part", ["!", "\n", "\t\n", " ", "\n \n", "A. ", "Dr. ", "?!", ". "])
def test_long_runs_take_no_long_time(part):
    text = f"No effusion. {part * (60_000 // len(part))}the heart is large"
    begun = time.process_time()
    parse_sections(text)
    split_sentences(text)
    normalise_marks(text, "")
    assert time.process_time() - begun < 5


def test_long_runs_end_paragraphs_as_short_ones_do():
    for blank in ("\n" * 500, "\n" + " " * 500 + "\n"):
        assert split_sentences(f"no effusion{blank}large heart") == ("no effusion", "large heart")
    assert split_sentences(f"no{' ' * 500}effusion") == ("no effusion",)
    assert split_sentences(f"no\n{' ' * 500}effusion") == ("no effusion",)
