"""The sentence splitter, on the traps of radiology prose."""

import pytest

from prior_bench.data.texts.reports import DEFAULT
from prior_bench.data.texts.sentences import normalise_marks, split_sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Heart size is normal. Lungs are clear.", ["Heart size is normal.", "Lungs are clear."]),
        ("A nodule of 1.5 cm. It is new.", ["A nodule of 1.5 cm.", "It is new."]),
        ("The tube ends 3 cm. above the carina.", ["The tube ends 3 cm. above the carina."]),
        ("Measures 2.5 x 0.8. Right lung clear.", ["Measures 2.5 x 0.8.", "Right lung clear."]),
        ("Ratio of 16.2/24.7.  Clear.", ["Ratio of 16.2/24.7.", "Clear."]),
        ("Discussed with Dr. ___ at 9:30. No edema.", ["Discussed with Dr. ___ at 9:30.", "No edema."]),
        ("Seen by J. Smith and Mrs. Jones today.", ["Seen by J. Smith and Mrs. Jones today."]),
        ("Atelectasis vs. Pneumonia, e.g. Aspiration.", ["Atelectasis vs. Pneumonia, e.g. Aspiration."]),
        ("Compared to ___. The lungs are clear.", ["Compared to ___.", "The lungs are clear."]),
        ("Called at 3:15 p.m. on the day. Stable.", ["Called at 3:15 p.m. on the day.", "Stable."]),
        ("1. No edema. 2. Rib 4. 3. Done.", ["No edema.", "Rib 4.", "Done."]),
        ("1.Lucency in the clavicle. 2.Clear lungs", ["Lucency in the clavicle.", "Clear lungs"]),
        ("1) Normal.\n2) No change.", ["Normal.", "No change."]),
        ("1. no edema\n2. no effusion", ["no edema", "no effusion"]),
        ("Fracture of T12. No pneumothorax.", ["Fracture of T12.", "No pneumothorax."]),
        ("Fracture of rib 4. The lungs are clear.", ["Fracture of rib 4.", "The lungs are clear."]),
        ("- Normal heart\n- Clear lungs", ["Normal heart", "Clear lungs"]),
        ("Heart normal.No effusion.", ["Heart normal.", "No effusion."]),
        ("Clear lung ___.In the left is a mass.", ["Clear lung ___.", "In the left is a mass."]),
        ("No effusion\n\nNo edema", ["No effusion", "No edema"]),
        ("The heart is\nnormal in\n size.", ["The heart is normal in size."]),
        ("Is it new? Yes! Clear.", ["Is it new?", "Yes!", "Clear."]),
        ("Clear lungs. . ", ["Clear lungs."]),
        ("heart normal. lungs clear.", ["heart normal.", "lungs clear."]),
        ("", []),
        (" \n\n ", []),
        ("___.  XXXX. 12.", []),
    ],
)
def test_split(text, expected):
    assert split_sentences(text) == tuple(expected)


def test_nothing_but_list_numbers_and_white_space_is_lost():
    text = "1. Heart size (16.2/24.7) is normal. 2. See Dr. ___. No edema! Lungs?"
    joined = "".join(split_sentences(text)).replace(" ", "")
    assert joined == text.replace("1. ", "").replace("2. ", "").replace(" ", "")


def test_windows_line_ends_are_the_same():
    text = "No edema.\n\nNo effusion.\n1. Stable."
    assert split_sentences(text.replace("\n", "\r\n")) == split_sentences(text)


def test_marks():
    assert normalise_marks("Dr. XXXX on ______.") == "Dr. ___ on ___."
    assert normalise_marks("Compared to ___ , ___. Clear.", "") == "Compared to,. Clear."
    assert normalise_marks("a_b XX") == "a_b XX"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Лёгочные поля чистые. Сердце не увеличено. Синусы свободны.", 3),
        ("两肺纹理清晰，未见实质性病变。心影大小正常。膈面光整。", 3),
        ("肺野は清明です。心拡大なし！", 2),
        ("رئتان سليمتان. القلب طبيعي الحجم.", 2),
        ("हृदय सामान्य है। फेफड़े साफ हैं।", 2),
        ("폐는 깨끗하다. 심장은 정상이다.", 2),
        ("ปอดปกติ", 1),
        ("Kein Erguß. Übrige Lunge frei, 5 cm.", 2),
        ("Élargissement ca. deux cm. étendue", 1),
    ],
)
def test_sentences_of_any_script(text, expected):
    found = split_sentences(text)
    assert len(found) == expected
    assert "".join("".join(found).split()) == "".join(text.split()), "nothing is lost"


def test_reports_of_any_script_are_kept_by_every_policy_of_prose():
    for text in ("Лёгкие чистые. Сердце в норме.", "两肺纹理清晰。", "ปอดปกติ", "हृदय सामान्य है।"):
        assert DEFAULT.select(text)[0], text
    assert DEFAULT.select("正常")[1] == "fewer than 3 words"
    assert DEFAULT.select("123 -- 45.")[1] == "no findings or impression"
