"""``none`` is the word where a key has it as a choice, and None everywhere else."""

from typing import Literal

import pytest

from prior_bench.cli.arguments import assignments
from prior_bench.errors import ErrorList
from prior_bench.schema.base import Strict
from prior_bench.schema.overrides import as_words
from prior_bench.suites import protocols


class Inner(Strict):
    """A block."""

    word: Literal["none", "all"] = "all"
    both: Literal["none", "all"] | None = None
    number: int | None = None


class Outer(Strict):
    """A config."""

    inner: Inner = Inner()
    top: Literal["some", "none"] = "some"


@pytest.mark.parametrize("text", ["none", "None", '"none"'])
def test_the_command_line_sets_the_word(text):
    given = assignments([f"options.normalise={text}"], "--set")
    found = protocols.load("clean/zero_shot", given)
    assert found.options["normalise"] == "none"
    assert found.to_dict() == protocols.load("clean/zero_shot", {"options.normalise": "none"}).to_dict()


def test_only_a_key_with_this_choice_changes():
    given = {"inner.word": None, "inner.both": None, "inner.number": None, "top": None}
    wanted = {**given, "inner.word": "none", "top": "none"}
    assert as_words(given, Outer) == wanted
    others = {"inner": None, "absent.word": None, "inner.word.deeper": None, "top": "some"}
    assert as_words(others, Outer) == others


def test_none_elsewhere_is_still_refused_by_its_key():
    with pytest.raises(ErrorList, match=r"options\.pooling"):
        protocols.load("clean/zero_shot", {"options.pooling": None})
