"""Regular expressions of published tokenizers are taken; those that hang are not."""

import pytest

from prior_bench.errors import BenchError
from prior_bench.model_folders.growing_rules import check_rules
from prior_bench.model_folders.slow_patterns import slow

PUBLISHED = {
    "GPT-2": r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    "CLIP": r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+",
    "Llama 3": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+",
    "GPT-4o": r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "white space": r"\s+",
    "blanks": r" {2,}",
}


@pytest.mark.parametrize("pattern", PUBLISHED.values(), ids=PUBLISHED)
def test_patterns_of_published_tokenizers_are_taken(pattern):
    assert slow(pattern) == ""


@pytest.mark.parametrize(
    "pattern, why",
    [
        (r"(a+)+$", "choice inside a repetition"),
        (r"(a|a)+$", "choice inside a repetition"),
        (r"(a|aa)+$", "choice inside a repetition"),
        (r"((?=(b|b))a)*$", "choice inside a repetition"),
        (r"(aa?)+$", "choice inside a repetition"),
        (r"(?:\s*\p{L}+)*x", "inside a repetition"),
        (r"(a|aa)+(b{0,500})*c", "inside a repetition"),
        (r"a*a*a*b", "3 repetitions"),
        (r"(?=a*a*)a*b", "3 repetitions"),
        (r"(a*b?){10}c", "10 repetitions"),
        (r"(a+)\1b", "repetitions"),
        ("a" * 3000, "3,000 characters"),
        (r"(a", "cannot be checked"),
        ("(" * 1900, "cannot be checked"),
    ],
)
def test_patterns_that_hang_are_not(pattern, why):
    assert why in slow(pattern)


def test_they_are_found_wherever_a_tokenizer_has_them():
    split = {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated"}
    replace = {"type": "Replace", "pattern": {"Regex": "(a+)+$"}, "content": ""}
    for rules in (
        {"pre_tokenizer": split},
        {"pre_tokenizer": {"type": "Sequence", "pretokenizers": [split]}},
        {"normalizer": {"type": "Sequence", "normalizers": [replace]}},
        {"decoder": {"type": "Sequence", "decoders": [replace]}},
    ):
        with pytest.raises(
            BenchError, match=r"weights\.pth: its tokenizer has a regular expression with a choice"
        ):
            check_rules(rules, "weights.pth")
