"""Tokens of reports, as ``data check`` counts them."""

from dataclasses import replace

import miniatures
import pytest

from prior_bench.cli import main
from prior_bench.data.checking.check import check
from prior_bench.data.readers.openi import reader as openi
from prior_bench.data.texts.lengths import token_lengths
from prior_bench.errors import BenchError

WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "the",
    "heart",
    "is",
    "normal",
    "in",
    "size",
    ".",
    "no",
]


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("PRIOR_BENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "openi").mkdir()
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    return miniatures.openi(tmp_path / "openi")


def test_lengths_by_a_given_vocabulary(root):
    data = openi.read(root)
    lengths, said = token_lengths(data, str(root.parent / "vocab.txt"))
    # [CLS] the heart is normal in size . [UNK]x5 _ _ _ . no [UNK]x2 . [SEP]: a mark is three underscores
    report = "The heart is normal in size.", "Lungs are clear of ___.", "No acute disease."
    assert lengths == {report: 1 + 7 + 4 + 3 + 1 + 4 + 1}
    assert said[0] == f"tokens are word pieces of {root.parent / 'vocab.txt'}"
    assert said[1] == (
        "of 1 distinct reports, the token limits cut: 0 at 97 (gloria); 0 at 112 (mgca); "
        "0 at 256 (default, prior); 0 at 512 (convirt, lovt)"
    )
    rows = {name: cells for name, *cells in check(data, tokenizer=str(root.parent / "vocab.txt")).counts}
    train, valid, test = (int(n) for n in rows["images with report"])
    assert [int(n) for n in rows["tokens"]] == [21 * train, 21 * valid, 21 * test]
    assert rows["tokens a report"] == ["21.0"] * 3 and sum(map(int, rows["reports"])) == 9


def test_long_reports_are_counted_beyond_each_budget(root):
    data = openi.read(root)
    long = [("no " * n,) for n in (90, 100, 200, 300, 600, 600)]
    table = data.table.head(6).assign(report=long)
    lengths, said = token_lengths(replace(data, table=table), str(root.parent / "vocab.txt"))
    assert sorted(lengths.values()) == [92, 102, 202, 302, 602]
    assert "of 5 distinct reports" in said[1]
    assert "4 at 97 (gloria); 3 at 112 (mgca); 2 at 256 (default, prior); 1 at 512 (convirt, lovt)" in said[1]


def test_without_a_vocabulary_one_is_trained_and_without_reports_nothing_is_said(root):
    data = openi.read(root)
    lengths, said = token_lengths(data)
    assert len(lengths) == 1 and "trained on these reports (--tokenizer names another)" in said[0]
    assert token_lengths(data)[0] == lengths
    assert token_lengths(openi.read(root, reports=None)) == ({}, [])


def test_check_prints_kept_dropped_sentences_and_tokens(root, capsys):
    reference = f"openi@{root}"
    assert (
        main(["data", "check", reference, "--tokenizer", str(root.parent / "vocab.txt")]) == 1
    )  # the miniature repeats its images
    out = capsys.readouterr().out
    rows = [line.split("  ")[0] for line in out.splitlines()]
    wanted = ["reports", "images with report", "sentences", "sentences a report", "words", "tokens"]
    assert [row for row in rows if row in wanted] == wanted
    assert "remark: 2 images left out: no findings or impression" in out
    assert main(["data", "check", reference, "--tokenizer", str(root / "none")]) == 1
    assert "none: no such tokenizer" in capsys.readouterr().err
    with pytest.raises(BenchError, match="no such tokenizer"):
        token_lengths(openi.read(root), "nowhere")
