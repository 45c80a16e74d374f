"""Attributes of the test images: where they come from, and the groups that they define."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prior_bench.data.attributes import Grouping, attributes, choose, groups
from prior_bench.data.manifest import Manifest
from prior_bench.data.readers.csv.reader import read as read_csv
from prior_bench.data.readers.nih_chestxray14 import read_labels
from prior_bench.errors import BenchError


@pytest.fixture
def manifest():
    table = pd.DataFrame(
        {
            "id": [f"i{n}" for n in range(6)],
            "patient_id": ["p0", "p0", "p1", "p1", "p2", "p3"],
            "image": "x.png",
            "split": "test",
            "view": ["AP", "PA", "PA", None, "AP", "AP"],
            "about_sex": ["M", "M", "F", "F", "Unknown", " F "],
            "about_age": [39, 40, 59.9, 60, 80, np.nan],
            "about_empty": None,
        }
    )
    return Manifest("toy", Path("unused"), table)


def members(found, name, **how):
    number, names = groups(found[name], Grouping(name, **how))
    return [names[n] if n >= 0 else None for n in number]


def test_groups_of_names_and_bands_of_numbers(manifest):
    found = attributes(manifest)
    assert list(found) == ["view", "sex", "age"], "not the one without any value"
    assert members(found, "sex") == ["M", "M", "F", "F", None, "F"]
    assert members(found, "view") == ["AP", "PA", "PA", None, "AP", "AP"]
    assert members(found, "age") == ["< 40", "40 to < 60", "40 to < 60", "60 to < 80", "≥ 80", None]
    assert members(found, "age", bounds=(60.0,)) == ["< 60", "< 60", "< 60", "≥ 60", "≥ 60", None]
    assert groups(found["age"], Grouping("age"))[1] == ["< 40", "40 to < 60", "60 to < 80", "≥ 80"]


def test_groupings_as_they_are_typed():
    assert Grouping.parse("sex") == Grouping("sex")
    assert Grouping.parse("age:40,60.5") == Grouping("age", (40.0, 60.5))
    for wrong in ("age:", "age:x", "age:60,40", "age:40,40", ":40", "", "age:nan", "age:40,nan"):
        with pytest.raises(BenchError, match="does not name groups"):
            Grouping.parse(wrong)


def test_numbers_without_bounds_and_bounds_without_numbers(manifest):
    many = pd.Series(np.arange(30.0))
    with pytest.raises(BenchError, match="attribute 'bmi': has 30 different values\n.*bmi:BOUND,BOUND"):
        groups(many, Grouping("bmi"))
    assert groups(many, Grouping("bmi", (10.0,)))[0].sum() == 20
    assert groups(pd.Series([0.0, 1.0, np.nan]), Grouping("smoker"))[1] == ["0", "1"]
    with pytest.raises(BenchError, match="attribute 'sex': has no numbers"):
        groups(attributes(manifest)["sex"], Grouping("sex", (3.0,)))


def test_the_usual_attributes_and_unknown_ones(manifest):
    found = attributes(manifest)
    assert [one.name for one in choose(found, [], "toy")] == ["sex", "age", "view"]
    assert choose(found, [Grouping("Sex")], "toy") == [Grouping("sex")], "whatever its case"
    with pytest.raises(BenchError, match="toy: unknown attribute 'race'\n.*known: age, sex, view"):
        choose(found, [Grouping("race")], "toy")
    with pytest.raises(BenchError, match="has none of sex, age, view; it has race\n.*--groups"):
        choose({"race": found["sex"]}, [], "toy")
    with pytest.raises(BenchError, match="has no attribute, so not 'sex'"):
        choose({}, [Grouping("sex")], "toy")


@pytest.mark.parametrize("key", ["id", "patient_id"])
def test_a_csv_file_names_groups_of_images_or_patients(manifest, tmp_path, key):
    names = {"id": ["i5", "i0", "elsewhere"], "patient_id": ["p3", "p0", "p9"]}[key]
    pd.DataFrame({key: names, "race": ["A", "B", "C"], "sex": ["x", "y", "z"]}).to_csv(
        tmp_path / "g.csv", index=False
    )
    found = attributes(manifest, tmp_path / "g.csv")
    second = None if key == "id" else "B"
    assert members(found, "race") == ["B", second, None, None, None, "A"]
    assert members(found, "sex")[0] == "y", "the file replaces what the data set says"


def test_files_that_name_nothing_are_refused(manifest, tmp_path):
    def file(text):
        (tmp_path / "g.csv").write_text(text)
        return tmp_path / "g.csv"

    with pytest.raises(BenchError, match="neither 'id' nor 'patient_id'\n.*columns present: name, race"):
        attributes(manifest, file("name,race\ni0,A\n"))
    with pytest.raises(BenchError, match="no id of toy is there\n.*e.g. 'i0'"):
        attributes(manifest, file("id,race\nother,A\n"))
    with pytest.raises(BenchError, match="patient_id 'p0' occurs with different values"):
        attributes(manifest, file("patient_id,race\np0,A\np0,B\n"))
    assert members(attributes(manifest, file("patient_id,race\np0,A\np0,A\n")), "race")[:2] == ["A", "A"]


def test_attributes_are_not_in_the_fingerprint_but_labels_and_views_are(manifest):
    table = manifest.table
    without = dataclasses.replace(manifest, table=table.drop(columns=["about_sex", "about_age"]))
    assert without.fingerprint() == manifest.fingerprint()
    other = dataclasses.replace(manifest, table=table.assign(view="PA"))
    assert other.fingerprint() != manifest.fingerprint()


def test_every_other_column_of_a_csv_file_names_groups(tmp_path):
    for n in range(6):
        (tmp_path / f"{n}.png").write_bytes(b"an image")
    table = pd.DataFrame({"image": [f"{n}.png" for n in range(6)], "Edema": [0, 1] * 3})
    table["Race"], table["age"] = list("AABBAB"), [20, 30, 40, 50, 60, 70]
    table.to_csv(tmp_path / "my.csv", index=False)
    data = read_csv(tmp_path / "my.csv")
    assert data.labels == ("Edema",)
    assert set(attributes(data)) == {"Race", "age"}
    before = table[["image", "Edema"]]
    before.to_csv(tmp_path / "my.csv", index=False)
    plain = read_csv(tmp_path / "my.csv")
    table.to_csv(tmp_path / "my.csv", index=False)
    same_split = dataclasses.replace(data, table=data.table.assign(split=plain.table["split"]))
    assert same_split.fingerprint() == plain.fingerprint()


def test_ages_and_sexes_of_chestxray14(tmp_path):
    head = "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,{},View Position\n"
    lines = [("058Y", "M"), ("6M", "F"), ("414Y", "F"), ("61", "M")]
    text = "".join(f"{n}.png,No Finding,0,{n},{age},{sex},PA\n" for n, (age, sex) in enumerate(lines))
    for heading in ("Patient Gender", "Patient Sex"):
        (tmp_path / "Data_Entry_2017.csv").write_text(head.format(heading) + text)
        table = read_labels(tmp_path / "Data_Entry_2017.csv")
        assert table["about_sex"].tolist() == ["M", "F", "F", "M"]
        np.testing.assert_array_equal(table["about_age"], [58, 0.5, np.nan, 61])


def test_the_sample_states_sex_age_and_view(tiny_sample):
    from prior_bench.data.readers.chexpert.reader import read

    data = read(tiny_sample / "chexpert")
    found = attributes(data)
    assert set(found) == {"view", "sex", "age"}
    assert set(members(found, "sex")) == {"Female", "Male"}
    assert found["age"].between(18, 91).all()
    assert data.table.groupby("patient_id")["about_sex"].nunique().max() == 1
