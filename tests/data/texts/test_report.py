"""Report sections and policies, on reports in MIMIC-CXR's style (written for this test)."""

import pytest

from prior_bench.data.texts import reports as report
from prior_bench.data.texts.reports import ReportPolicy, parse_sections, report_policy
from prior_bench.errors import BenchError

REGULAR = """                                 FINAL REPORT
 EXAMINATION:  CHEST (PA AND LAT)

 INDICATION:  ___F with cough  // eval for infection

 TECHNIQUE:  Chest PA and lateral

 COMPARISON:  None.

 FINDINGS:

 There is no focal consolidation, pleural effusion or
 pneumothorax.  A nodule measures 1.5 cm.  Time of call: 9:30.
 BONES: intact.

 IMPRESSION:

 1.  No acute process.
 2.  Nodule.
"""


def test_regular_report():
    assert parse_sections(REGULAR) == {
        "examination": "CHEST (PA AND LAT)",
        "indication": "___F with cough  // eval for infection",
        "technique": "Chest PA and lateral",
        "comparison": "None.",
        "findings": "There is no focal consolidation, pleural effusion or\n pneumothorax.  A nodule measures "
        "1.5 cm.  Time of call: 9:30.\n BONES: intact.",
        "impression": "1.  No acute process.\n 2.  Nodule.",
        "last_paragraph": "1.  No acute process.\n 2.  Nodule.",
    }


@pytest.mark.parametrize(
    ("text", "section", "expected"),
    [
        ("Findings: Clear.\nImpression: Normal.", "impression", "Normal."),
        ("findings: Clear.", "findings", None),  # running text, not a heading
        ("CONCLUSION:  Normal.", "impression", "Normal."),
        ("HISTORY: Cough.\n\nAP CHEST:  Lungs are clear.", "findings", "Lungs are clear."),
        ("PORTABLE CHEST RADIOGRAPH, 2 VIEWS: Clear.", "findings", "Clear."),
        ("HISTORY: Cough.\n\n AP CHEST, 5:15 A.M. ON ___:  Lungs are clear.", "findings", "Lungs are clear."),
        ("HISTORY: Cough.\n\n AP CHEST, 5:15 A.M. ON ___:  Lungs are clear.", "indication", "Cough."),
        ("IMPRESSION: Called at 9:30. Result: none.", "impression", "Called at 9:30. Result: none."),
        ("FINDINGS AND IMPRESSION: Clear.", "impression", "Clear."),
        ("PROVISIONAL FINDINGS IMPRESSION (PFI):  Normal.", "impression", "Normal."),
        ("REASON FOR EXAM: Cough.\nIMPRESSION: Ok now.", "indication", "Cough."),
        ("IMPRESSION: AP chest at 7:34 a.m.:\n\n Heart normal.", "impression",
         "AP chest at 7:34 a.m.:\n\n Heart normal."),
        ("FINDINGS: One.\nIMPRESSION: Two.\nFINDINGS: Three.", "findings", "One.\n\nThree."),
        ("HISTORY: Cough.\nFINDINGS:\nIMPRESSION: Normal.", "findings", None),
        ("WET READ: ___ 3:15 PM\n Fine.\n FINAL REPORT\n IMPRESSION: Normal.", "impression", "Normal."),
        ("FINAL ADDENDUM\n ADDENDUM: Seen.\n IMPRESSION: Normal.", "impression", "Normal."),
    ],
)  # fmt: skip
def test_irregular_headings(text, section, expected):
    assert parse_sections(text).get(section) == expected


def test_last_paragraph_passes_over_the_signature():
    text = (
        "FINAL REPORT\n HISTORY: Cough.\n\n Lungs are clear. No edema.\n\n Electronically signed by Dr. ___"
    )
    assert parse_sections(text)["last_paragraph"] == "Lungs are clear. No edema."
    assert report.DEFAULT.select(text) == (("Lungs are clear.", "No edema."), "")


def test_carriage_returns_change_nothing():
    assert parse_sections(REGULAR.replace("\n", "\r\n")) == parse_sections(REGULAR)


def test_order_of_sections():
    found, _ = report.DEFAULT.select(REGULAR)
    assert found == (
        "There is no focal consolidation, pleural effusion or pneumothorax.", "A nodule measures 1.5 cm.",
        "Time of call: 9:30.", "BONES: intact.", "No acute process.", "Nodule.",
    )  # fmt: skip
    prior, _ = report.PRIOR.select(REGULAR)
    assert prior == (*found[4:], *found[:4])


def test_prior_wants_four_sentences():
    three = "FINDINGS: One here. Two here. IMPRESSION: x\nIMPRESSION: Three here."
    assert report.PRIOR.select(three.replace(" IMPRESSION: x", "")) == ((), "fewer than 4 sentences")
    assert len(report.PRIOR.select("FINDINGS: One a. Two b. Three c.\nIMPRESSION: Four d.")[0]) == 4


def test_word_minima():
    short = "IMPRESSION: Normal chest."
    assert report.DEFAULT.select(short) == ((), "fewer than 3 words")
    assert report.GLORIA.select(short) == (("Normal chest.",), "")
    mixed = "IMPRESSION: Normal. No acute process."
    assert report.MGCA.select(mixed)[0] == ("No acute process.",)  # sentences of one word are dropped
    assert report.CONVIRT.select(mixed)[0] == ("Normal.", "No acute process.")


def test_nothing_usable():
    assert report.PRIOR.select("INDICATION: Cough.") == ((), "no impression or findings")
    assert report.DEFAULT.select("") == ((), "no findings or impression")


def test_marks_are_spelt_alike_or_removed():
    text = "IMPRESSION: Compared to XXXX the heart is normal."
    assert report.DEFAULT.select(text)[0] == ("Compared to ___ the heart is normal.",)
    assert ReportPolicy(marks="").select(text)[0] == ("Compared to the heart is normal.",)


def test_policy_by_name_and_by_fields():
    assert report_policy("prior") is report.PRIOR
    changed = report_policy({"base": "prior", "min_sentences": 2, "sections": ["impression"]})
    assert (changed.min_sentences, changed.sections, changed.max_tokens) == (2, ("impression",), 256)
    with pytest.raises(BenchError, match="unknown report policy 'pior'.*\n.*did you mean prior"):
        report_policy("pior")
    with pytest.raises(BenchError, match="did you mean min_sentences"):
        report_policy({"min_sentence": 2})
