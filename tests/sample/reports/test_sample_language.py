import re
from collections import Counter

import numpy as np
import pytest

from prior_bench.sample.cohort import CaseMix, Patient, Study, View, draw_cohort
from prior_bench.sample.cohorts import VALIDATION
from prior_bench.sample.drawing.findings import Finding
from prior_bench.sample.reports.general_phrases import OBJECTS
from prior_bench.sample.reports.language import (
    LABEL_OF,
    LABELS,
    Sentence,
    labels_said,
    true_labels,
    write_report,
)

WORDS = {
    "Atelectasis": r"atelectasis",
    "Cardiomegaly": r"cardiomegaly|enlarged|enlargement of the cardiac|silhouette is mildly prominent",
    "Consolidation": r"consolidat",
    "Edema": r"edema",
    "Pleural Effusion": r"effusion",
    "Pneumothorax": r"pneumothorax",
    "Lung Lesion": r"nodul(?!ar consolidation)|\bmass",
    "Support Devices": r"pacemaker|catheter|PICC|jugular line|tube|leads",
}
DENIAL = re.compile(r"^(no|there is no|negative for) |evidence of|resolved|cleared|no longer|normal", re.I)
HEDGE = re.compile(
    r"possible|cannot be excluded|may |could |questioned|suspected|probably|upper limits|borderline", re.I
)


@pytest.fixture(scope="module")
def reports():
    patients = draw_cohort("language", 150, VALIDATION, CaseMix())
    return [(study, write_report(patient, study)) for patient in patients for study in patient.studies]


def affirming(report, label):
    """Sentences that say a finding is there, judged from their words alone."""
    sentences = [s for s in (*report.findings, *report.impression) if re.search(WORDS[label], s, re.I)]
    return [s for s in sentences if not DENIAL.search(s) and not HEDGE.search(s)]


def test_reports_have_four_to_ten_different_sentences(reports):
    lengths = [len(r.findings) + len(r.impression) for _, r in reports]
    assert min(lengths) >= 4 and max(lengths) <= 10 and len(set(lengths)) > 4
    texts = {(*r.findings, *r.impression) for _, r in reports}
    assert len(texts) > 0.95 * len(reports)


def test_both_sections_are_always_there(reports):
    assert all(r.findings and r.impression for _, r in reports)


def test_positive_labels_are_put_in_words_and_only_they(reports):
    for _study, report in reports:
        for label in WORDS:
            said = report.labels.get(label)
            assert bool(affirming(report, label)) == (said == 1), (label, said, report)


def test_labels_agree_with_the_image(reports):
    for study, report in reports:
        truth = true_labels(study)
        for label in (*LABEL_OF.values(), "Support Devices"):
            said = report.labels.get(label)
            if truth[label]:
                assert said in (1, -1), (label, report)
            else:
                assert said in (0, None), (label, report)


def test_uncertain_labels_are_hedged(reports):
    seen = 0
    for _study, report in reports:
        for label, value in report.labels.items():
            if value == -1 and label in WORDS:
                seen += 1
                sentences = [s for s in (*report.findings, *report.impression) if HEDGE.search(s)]
                assert sentences, (label, report)
    assert seen > 3


def test_denials_and_normal_statements_are_common(reports):
    said = [report.labels for _, report in reports]
    assert sum(labels.get("Pneumothorax") == 0 for labels in said) > len(said) / 3
    assert sum(labels.get("Cardiomegaly") == 0 for labels in said) > len(said) / 3


def test_no_finding_share_and_meaning(reports):
    free = [not any(true_labels(s)[x] for x in LABEL_OF.values()) for s, _ in reports]
    assert 0.22 < sum(free) / len(free) < 0.36
    for study, report in reports:
        if report.labels.get("No Finding") == 1:
            assert true_labels(study)["No Finding"] == 1


SIDE = {
    "right": r"\bright\b",
    "left": r"\bleft\b|lingula|retrocardiac",
    "bilateral": r"bilateral|\bboth\b|bibasilar|the lung bases",
}
ZONE = {
    "upper": r"\bupper\b(?! limits)|\bapex\b(?<!cardiac apex)|apical",
    "mid": r"\bmid\b|\bmiddle\b|lingula",
    "lower": r"\blower\b|\bbases?\b|basilar|retrocardiac",
}
GRADE = {
    "mild": r"mild|minimal|minor|subtle|faint|trace|tiny|thin pleural|subpulmonic|upper limits|borderline",
    "moderate": r"moderate|\bsizable|\bpatchy",
    "severe": r"severe|extensive|marked|\blarge\b|dense\b|substantial|dominant",
}


def named(words, text):
    return {name for name, pattern in words.items() if re.search(pattern, text, re.I)}


def test_side_zone_and_severity_in_a_sentence_are_those_of_the_finding(reports):
    seen = Counter()
    for _, report in reports:
        for text, finding in report.grounded:
            sides, zones, grades = (named(words, text) for words in (SIDE, ZONE, GRADE))
            if finding.kind in ("cardiomegaly", "edema"):
                sides, zones = set(), set()  # perihilar haze of both lungs
            if finding.kind == "consolidation":
                grades -= {"moderate"} if "patchy" in text.lower() else set()  # a texture as well
            if finding.variant == "focal":  # small whatever its density
                grades -= {"moderate"}
            assert sides <= {finding.side}, (text, finding)
            assert zones <= {finding.zone}, (text, finding)
            assert grades <= {finding.grade}, (text, finding)
            seen.update(side=bool(sides), zone=bool(zones), grade=bool(grades), all=1)
    assert min(seen["side"], seen["grade"]) > 0.4 * seen["all"] and seen["zone"] > 0.3 * seen["all"], seen


def test_grounded_sentences_stand_in_the_report_and_say_what_the_labels_say(reports):
    for study, report in reports:
        texts = [text for text, _ in report.grounded]
        assert len(texts) == len(set(texts)) and set(texts) <= {*report.findings, *report.impression}
        assert {finding for _, finding in report.grounded} == {
            f for f in study.findings if f.kind in LABEL_OF
        }
        for text, finding in report.grounded:
            assert report.labels[LABEL_OF[finding.kind]] in (1, -1) and not re.match("no ", text, re.I)


def test_what_reports_tell(reports):
    """Nearly all say what is absent; of the ill, most say where and how much; later ones, what changed."""
    said = [(s, " ".join((*r.findings, *r.impression))) for s, r in reports]
    ill = [text for s, text in said if any(f.kind in LABEL_OF for f in s.findings)]
    again = [text for s, text in said if s.prior is not None]

    def share(pattern, texts):
        return np.mean([bool(re.search(pattern, text, re.I)) for text in texts])

    change = r"new|stable|unchanged|persist|increas|worse|progress|decreas|improv|again|prior|previous|compar"
    assert share(r"\bno\b|negative for|normal|clear", [text for _, text in said]) > 0.95
    assert share("|".join(SIDE.values()), ill) > 0.75 and share("|".join(ZONE.values()), ill) > 0.6
    assert share("|".join((*GRADE.values(), "small")), ill) > 0.85
    assert share(change, again) > 0.65


def study_with(findings, prior=None, seed=0):
    return Study(2, (View("PA", 1),), tuple(findings), prior, seed)


def text_of(study):
    patient = Patient(0, 1, "F", 50, None, (study,))
    report = write_report(patient, study)
    return " ".join((*report.findings, *report.impression)), report


def test_change_is_worded_as_it_is():
    small = Finding("effusion", "left", "lower", 0.45)
    large = Finding("effusion", "left", "lower", 0.9)
    grown = " ".join(text_of(study_with([large], (small,), seed))[0] for seed in range(60))
    shrunk = " ".join(text_of(study_with([small], (large,), seed))[0] for seed in range(60))
    more, less = re.compile("increased|worsening", re.I), re.compile("decreased|improv", re.I)
    assert more.search(grown) and not less.search(grown)
    assert less.search(shrunk) and not more.search(shrunk)


def test_resolved_finding_counts_as_denied():
    for seed in range(20):
        text, report = text_of(study_with([], (Finding("edema", severity=0.6),), seed))
        assert re.search("edema has (resolved|cleared)|edema has cleared", text)
        assert report.labels["Edema"] == 0 and report.labels["No Finding"] == 1


def test_labels_of_several_sentences_are_merged_like_chexperts():
    said = [Sentence("", says) for says in ({"Edema": 0}, {"Edema": -1}, {"Edema": 1, "Fracture": 0})]
    assert labels_said(said) == {"Edema": 1, "Fracture": 0}
    assert labels_said(said[:2]) == {"Edema": -1}
    assert labels_said(said[:1]) == {"Edema": 0, "No Finding": 1}


def test_sentences_are_tidy(reports):
    for _, report in reports:
        for sentence in (*report.findings, *report.impression):
            assert sentence[0].isupper() and sentence.endswith(".")
            assert "  " not in sentence and " ." not in sentence and "{" not in sentence
            assert not re.search(r"\b[Aa] [aeiou]|\b[Aa]n [^aeiou\W]", sentence), sentence


def test_every_label_is_known(reports):
    assert {label for _, report in reports for label in report.labels} <= set(LABELS)
    assert set(OBJECTS) >= {f.variant for s, _ in reports for f in s.findings if f.kind == "foreign_object"}
