"""Studies found for all rows at once are those of a loop over the groups of a table."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prior_bench.data.texts.report_column import report_column
from prior_bench.pretraining import studies as module
from prior_bench.pretraining.config import Data
from prior_bench.pretraining.studies import Pair, Studies, StudyPairs, count_words

SENTENCES = (
    "No effusion.",
    "Clear.",
    "...",
    "Œdème aigu — à droite.",
    "心脏扩大。",
    "a_b c-d 12",
    "",
    "it's 1.5 cm",
)


def loop(table, data):
    """The plain way: one group after another."""
    study = table["study_id"] if "study_id" in table else table["id"]
    for _, rows in table.groupby(study.astype(str), sort=False):
        words = {s: len(re.findall(r"\w+", s)) for s in rows["report"].iloc[0] or ()}
        kept = [s for s in rows["report"].iloc[0] or () if words[s] >= max(1, data.min_sentence_words)]
        if len(kept) >= max(1, data.min_sentences) and sum(words[s] for s in kept) >= data.min_words:
            yield list(rows["image"]), tuple(kept)


@pytest.fixture
def table():
    random = np.random.default_rng(0)
    reports = [tuple(random.choice(SENTENCES, random.integers(0, 5))) for _ in range(60)]
    reports = [tuple(map(str, one)) if n % 7 else None for n, one in enumerate(reports)]
    study = random.integers(0, 60, 150)  # rows of a study are not neighbours
    rows = np.arange(150)
    return pd.DataFrame(
        {
            "id": [f"i{n}" for n in rows],
            "study_id": pd.Series([f"s{n}" for n in study]).where(rows % 50 != 3),
            "image": [f"{n}.png" for n in rows],
            "report": pd.Series([reports[n] for n in study], dtype=object),
        },
        index=rows[::-1],
    )


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("lengths", [(1, 1, 1), (2, 1, 1), (1, 6, 1), (2, 5, 2), (0, 0, 0)])
def test_the_studies_are_those_of_the_loop(table, stored, lengths, monkeypatch):
    monkeypatch.setattr(module, "ROWS", 7)
    data = Data("x", min_sentences=lengths[0], min_words=lengths[1], min_sentence_words=lengths[2])
    expected = list(loop(table, data))
    if stored:
        table = table.assign(report=report_column(table["report"]))
    found = Studies(table, data)
    assert [found.report(n) for n in range(len(found))] == [report for _, report in expected]
    images = table["image"].to_numpy()
    assert [list(images[found.rows(n)]) for n in range(len(found))] == [names for names, _ in expected]
    assert 5 < len(found) < 60


def test_pairs_are_made_when_asked_for(table):
    data, root = Data("x"), Path("folder")
    expected = [Pair(tuple(root / n for n in names), report) for names, report in loop(table, data)]
    pairs = StudyPairs(Studies(table, data), table, root)
    assert pairs == expected and pairs[-1] == expected[-1] and pairs[1:3] == tuple(expected[1:3])
    assert list(pairs.reports()) == [pair.report for pair in expected] and pairs != expected[1:]
    with pytest.raises(IndexError):
        pairs[len(pairs)]


def test_without_rows_there_are_no_studies(table):
    assert len(Studies(table.iloc[:0], Data("x"))) == 0


def test_words_are_counted_alike_by_arrow_and_python():
    report = report_column(pd.Series([SENTENCES], dtype=object)).arrow(slice(None)).flatten()
    assert module._words_of(report).tolist() == [count_words(s) for s in SENTENCES]
