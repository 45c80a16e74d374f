"""What a column of a user's table is: the declared rule, its options, and what is said of each column."""

import numpy as np
import pandas as pd
import pytest

from prior_bench.data.open import open_dataset
from prior_bench.data.readers.csv.column_kinds import kind_of
from prior_bench.data.readers.csv.reader import read
from prior_bench.errors import BenchError, ErrorList


@pytest.fixture
def own(tmp_path, write_image):
    """``own(column=values, ...)``: a table of as many images, and its path."""
    for number in range(20):
        write_image(tmp_path / f"img/{number}.png")

    def write(**columns):
        count = len(next(iter(columns.values())))
        table = pd.DataFrame({"image": [f"img/{n}.png" for n in range(count)], **columns})
        place = tmp_path / "own.csv"
        table.to_csv(place, index=False)
        return place

    return write


CLEAN = [0, 1] * 10


@pytest.mark.parametrize(
    ("values", "kind", "wrong"),
    [
        (["1", "0", "1.0", "true", "FALSE", "0,0", None], "binary", 0),
        (["1", "0", "-1", "-1.0"], "uncertain", 2),
        (["1", "0"] * 20 + ["l", "x"], "almost", 2),
        (["1", "0"] * 3 + ["2"], "almost", 1),
        (["1", "0"] * 20 + ["2"] * 3, "numbers", 3),
        (["0"] * 40 + ["7"], "numbers", 1),
        (["0.02", "0.97", "1"], "soft", 2),
        (["1", "2", "3"], "numbers", 2),
        (["None", "Mild"], "names", 2),
        (["NA"], "text", 1),
        ([f"x{n}" for n in range(60)], "text", 60),
        ([None, None], "empty", 0),
    ],
)
def test_the_rule(values, kind, wrong):
    found = kind_of(pd.Series(values, dtype=str))
    assert (found.kind, found.wrong) == (kind, wrong)
    assert found.text()


def test_only_an_empty_field_is_blank(own):
    data = read(own(grade=["None", "Mild", "Severe", "NA", ""] * 4), label="grade")
    assert data.labels == ("grade=Mild", "grade=NA", "grade=None", "grade=Severe") and data.exclusive
    assert np.nansum(data.targets(), axis=0).tolist() == [4, 4, 4, 4]
    assert np.isnan(data.targets()).all(axis=1).sum() == 4
    assert data.columns["grade"] == (
        "label: 4 exclusive classes, Mild 4, NA 4, None 4, Severe 4; blank in 4 rows"
    )
    two = read(own(grade=["None", "Mild"] * 10), label="grade")
    assert two.labels == ("grade=None",) and two.targets().sum() == 10
    assert two.columns["grade"] == "label: 2 classes, Mild 10, None 10; positive: None"


def test_words_for_blank_can_be_declared(own):
    place = own(y=[*CLEAN[:-1], "NA"], patient_id=[f"p{n}" for n in range(19)] + ["NA"])
    with pytest.raises(BenchError, match=r"line 21: label 'y' is 'NA'; .*\n.*blank=NA makes it blank"):
        read(place)
    with pytest.raises(BenchError, match="'patient_id' is blank"):
        read(place, blank="NA")
    data = read(own(y=[*CLEAN[:-1], "NA"]), blank=["NA"])
    assert np.isnan(data.targets()[-1, 0]) and np.isfinite(data.targets()[:-1]).all()
    named = read(own(y=CLEAN, patient_id=["NA", "NA", *(f"p{n}" for n in range(18))]))
    assert any("2 rows have the value 'NA' and count as one patient" in note for note in named.notes)


@pytest.mark.parametrize(("uncertain", "value"), [("ones", 1.0), ("zeros", 0.0), ("ignore", np.nan)])
def test_uncertain_labels_need_a_meaning(own, uncertain, value):
    place = own(Edema=CLEAN, Pneumonia=[-1, *CLEAN[1:]])
    words = r"line 2: label 'Pneumonia' is '-1'; allowed are 1, 0 and blank\n.*uncertain=ones.*\[Edema\]"
    for options in ({}, {"labels": ["Edema", "Pneumonia"]}):
        with pytest.raises(BenchError, match=words):
            read(place, **options)
    with pytest.raises(BenchError, match="label 'Pneumonia' is '-1'"):
        read(place, label="Pneumonia")
    data = read(place, uncertain=uncertain)
    assert data.labels == ("Edema", "Pneumonia")
    np.testing.assert_array_equal(data.targets()[:3, 1], [value, 1, 0])
    assert f"(uncertain={uncertain})" in data.columns["Pneumonia"] and len(data.notes) == 2
    assert read(place, labels=["Edema"]).labels == ("Edema",)
    classes = read(place, label="Pneumonia", exclusive=True)
    assert classes.labels == ("Pneumonia=-1", "Pneumonia=0", "Pneumonia=1") and classes.exclusive
    with pytest.raises(BenchError, match="unknown meaning of uncertain 'one'.*\n.*did you mean ones"):
        read(place, uncertain="one")


def test_a_slip_is_named_with_its_line_however_the_label_is_chosen(own):
    place = own(Edema=CLEAN, Mass=["1", "0"] * 9 + ["l", "0"])
    for options in ({}, {"label": "Mass"}, {"labels": "Mass"}, {"labels": ["Mass", "Edema"]}):
        with pytest.raises(BenchError, match="own.csv, line 20: label 'Mass' is 'l'"):
            read(place, **options)
    assert read(place, labels="Edema").columns["Mass"] == "not a label: not chosen (0 10, 1 9, l 1)"
    both = own(a=["x", *CLEAN[1:]], b=[-1, *CLEAN[1:]])
    with pytest.raises(ErrorList) as caught:
        read(both)
    assert "label 'a' is 'x'" in str(caught.value) and "label 'b' is '-1'" in str(caught.value)


def test_soft_labels_are_named_and_not_made_classes(own):
    place = own(Edema=CLEAN, Mass=[0.02, 0.97] * 10)
    data = read(place)
    assert data.labels == ("Edema",)
    assert "column 'Mass' looks like a label, but is not used: numbers between 0 and 1" in data.notes[-1]
    with pytest.raises(BenchError, match="line 2: label 'Mass' is '0.02' .20 lines.*\n.*threshold"):
        read(place, label="Mass")


def test_answers_in_words_are_remarked(own):
    data = read(own(effusion=["yes", "no"] * 10, sex=["f", "m"] * 10))
    assert data.labels == () and len(data.notes) == 2
    assert "column 'effusion' looks like a label" in data.notes[1] and "label=effusion" in data.notes[1]
    assert data.columns["sex"] == "not a label: names, 2 values (f 10, m 10); label=sex uses it"


def test_every_column_is_named(own):
    data = read(
        own(patient_id=range(20), y=CLEAN, age=range(20), note=[f"x {n}" for n in range(20)], z=[""] * 20)
    )
    assert list(data.columns) == ["image", "patient_id", "y", "age", "note", "z"]
    assert data.columns["y"] == "label: 1 in 10, 0 in 10, blank in 0 rows"
    assert data.columns["age"] == "not a label: numbers, 20 values from 0 to 19"
    assert data.columns["z"] == "not a label: no values"


def test_exclusive_labels_are_checked(own):
    data = read(own(a=CLEAN, b=[1 - y for y in CLEAN]), exclusive=True)
    assert data.exclusive and data.labels == ("a", "b")
    with pytest.raises(BenchError, match="line 3: 2 labels are 1; with exclusive=True, one must be"):
        read(own(a=CLEAN, b=[1, 1] + [1 - y for y in CLEAN[2:]]), exclusive=True)
    grades = read(own(g=["x", "y", "z", "x"] * 5), label="g", exclusive=False)
    assert not grades.exclusive and len(grades.labels) == 3
    assert read(own(g=["x", "y"] * 10), label="g", exclusive=True).labels == ("g=x", "g=y")


def test_patients_that_differ_by_blanks_are_one(own):
    split = ["train"] * 10 + ["test"] * 10
    patients = [f"p{n % 10}" + " " * (n >= 10) for n in range(20)]
    data = read(own(y=CLEAN, patient_id=patients, split=split))
    assert data.table["patient_id"].nunique() == 10
    assert "patient_id: blanks around 10 values were removed" in data.notes


def test_names_near_a_reserved_one_are_remarked(own):
    data = read(own(y=CLEAN, **{"Patient ID": range(20)}))
    assert "column 'Patient ID' is not read as 'patient_id'; if it is meant so, rename it" in data.notes


def test_backslashes_are_read_as_slashes(own, tmp_path):
    place = own(y=CLEAN)
    plain = read(place)
    place.write_text(place.read_text().replace("img/", "img\\"))
    data = read(place)
    assert data.fingerprint() == plain.fingerprint()
    assert "image: the backslashes of 20 paths were read as slashes" in data.notes
    (tmp_path / "img\\0.png").write_bytes((tmp_path / "img/0.png").read_bytes())
    assert read(place).table["image"].iloc[0] == "img\\0.png", "a file of that very name"


@pytest.mark.parametrize("name", ["UPPER.CSV", "own.tsv", "own.TAB"])
def test_references_by_other_suffixes(own, name):
    place = own(y=CLEAN)
    text = place.read_text().replace(",", "," if name == "UPPER.CSV" else "\t")
    place.with_name(name).write_text(text)
    assert len(open_dataset(str(place.with_name(name)))) == 20


def test_another_file_is_called_what_it_is(own, tmp_path):
    with pytest.raises(BenchError, match="0.png: is a PNG image"):
        open_dataset(str(tmp_path / own(y=CLEAN).parent / "img/0.png"))
    (tmp_path / "own.dat").write_text("x")
    with pytest.raises(BenchError, match="own.dat: is a file, but no data set"):
        open_dataset(str(tmp_path / "own.dat"))


def test_absent_images_are_remarked_and_recorded(own, tmp_path):
    place = own(y=CLEAN)
    (tmp_path / "img/3.png").unlink()
    data = read(place, missing="skip")
    said = "1 of 20 images are absent and left out (missing=skip)"
    assert said in data.notes and said in data.split_summary()["notes"]


def test_reports_left_out_are_counted_by_reason(own):
    reports = ["Clear lungs, no edema."] * 17 + ["123", "okay", ""]
    data = read(own(report=reports, y=CLEAN))
    assert data.table["report"].notna().sum() == 17
    assert {note for note in data.notes if note.startswith("reports")} == {
        "reports: 1 left out: no findings or impression (report policy 'default')",
        "reports: 1 left out: fewer than 3 words (report policy 'default')",
    }
