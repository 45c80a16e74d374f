"""CheXlocalize in miniature."""

import json
import shutil

import dense_miniatures
import numpy as np
import pytest

from prior_bench.data.readers.chexpert import chexlocalize
from prior_bench.errors import BenchError
from prior_bench.suites import protocols
from tasks.grounding import Grounding

FIRST, SECOND, THIRD = (f"patient{n}_study1_view1_frontal" for n in (64541, 64542, 64543))


@pytest.fixture
def root(tmp_path):
    return dense_miniatures.chexlocalize(tmp_path)


def by_id(data):
    return data.table.set_index("id")


def edit(root, change, part="val"):
    place = root / f"CheXlocalize/gt_segmentations_{part}.json"
    content = json.loads(place.read_text())
    change(content)
    place.write_text(json.dumps(content))


def test_labels_and_who(root):
    data = chexlocalize.read(root, labels=["Lung Opacity", "Pleural Effusion", "Fracture"])
    table = by_id(data)
    assert len(data) == 16 and data.labels == ("Lung Opacity", "Pleural Effusion", "Fracture")
    assert table.loc[[FIRST, SECOND, THIRD], list(data.labels)].to_numpy().tolist() == [
        [0, 0, 0],
        [0, 1, 0],
        [1, 1, 0],
    ]
    row = table.loc[THIRD]
    assert row["patient_id"] == "patient64543" and row["study_id"] == "patient64543/study1"
    assert row["about_sex"] == "Male" and row["about_age"] == 62 and row["view"] == "PA"
    assert row["image"] == "CheXpert/val/patient64543/study1/view1_frontal.jpg"
    test = table.loc["patient64742_study1_view1_frontal"]
    assert test["view"] == "frontal" and np.isnan(test["about_age"])
    assert test["image"] == "CheXpert/test/patient64742/study1/view1_frontal.jpg"


def test_the_mask_is_of_the_chosen_finding(root):
    effusion, opacity = (
        by_id(chexlocalize.read(root, finding=f))["mask"] for f in ("Pleural Effusion", "Lung Opacity")
    )
    sums = [effusion[name].decode(8, 8).sum() for name in (FIRST, SECOND, THIRD)]
    assert sums == [0, 3, 4] and effusion[SECOND].decode(8, 8)[2:5, 1].all()
    assert [opacity[name].decode(8, 8).sum() for name in (FIRST, SECOND, THIRD)] == [0, 0, 9]
    assert opacity[THIRD].decode(8, 8)[1:4, 2:5].all()
    with pytest.raises(BenchError, match="(?s)unknown finding of CheXlocalize 'Effusion'.*Pleural Effusion"):
        chexlocalize.read(root, finding="Effusion")


def test_each_outlined_finding_has_a_phrase(root):
    data = chexlocalize.read(root)
    phrases = by_id(data)["phrases"]
    assert phrases[FIRST] == () and [p.category for p in phrases[SECOND]] == ["Pleural Effusion"]
    found = {p.category: p for p in phrases[THIRD]}
    assert set(found) == {"Lung Opacity", "Pleural Effusion"}
    assert found["Lung Opacity"].text == "There is an opacity in the lung."
    assert found["Lung Opacity"].region(8, 8).sum() == 9 and found["Pleural Effusion"].region(8, 8).sum() == 4
    Grounding().check(data, protocols.load("clean/grounding"))


def test_views(root):
    assert len(chexlocalize.read(root, views="all")) == 20
    lateral = chexlocalize.read(root, views="lateral").table
    assert len(lateral) == 4 and set(lateral["view"]) == {"lateral"}
    assert lateral["image"].str.endswith("view2_lateral.jpg").all()


def test_the_official_split_and_one_to_train_on(root):
    table = chexlocalize.read(root).table
    assert table["split"].value_counts().to_dict() == {"valid": 10, "test": 6}
    assert (table["image"].str.startswith("CheXpert/test/") == table["split"].eq("test")).all()
    table = chexlocalize.read(root, split="train_on_validation", views="all").table
    assert table.groupby("patient_id")["split"].nunique().max() == 1
    assert table.groupby("split")["patient_id"].nunique().to_dict() == {"train": 8, "valid": 2, "test": 6}
    assert (table["image"].str.startswith("CheXpert/test/") == table["split"].eq("test")).all()


def test_other_folders(root, tmp_path):
    (root / "CheXpert/val").rename(root / "CheXpert/valid")
    (root / "CheXpert/val_labels.csv").rename(root / "CheXpert/valid.csv")
    assert by_id(chexlocalize.read(root))["image"][FIRST].startswith("CheXpert/valid/")
    inner = tmp_path / "above/chexlocalize"
    inner.mkdir(parents=True)
    for name in ("CheXpert", "CheXlocalize"):
        shutil.move(root / name, inner / name)
    assert chexlocalize.read(tmp_path / "above").root == inner


def test_uncompressed_runs_are_read_too(root):
    code = {"size": [8, 8], "counts": [28, 3, 33]}
    edit(root, lambda c: c[SECOND].__setitem__("Pleural Effusion", code))
    assert by_id(chexlocalize.read(root))["mask"][SECOND].decode(8, 8)[4:7, 3].all()


@pytest.mark.parametrize(
    "change, what",
    [
        (lambda c: c.__setitem__("patient1_study1_view1_frontal", {}), "patient1.*: is not in the table"),
        (lambda c: c[SECOND].__setitem__("Efusion", {}), "unknown finding of CheXlocalize 'Efusion'"),
        (lambda c: c[SECOND]["Edema"].pop("size"), f"{SECOND}, Edema: lacks size"),
        (lambda c: c[SECOND]["Edema"].__setitem__("size", [8]), "Edema: is no run-length code of COCO"),
        (lambda c: c[SECOND]["Edema"].__setitem__("counts", 3), "Edema: is no run-length code of COCO"),
        (lambda c: c.__setitem__(SECOND, []), "is a list; expected is a dict"),
    ],
)
def test_what_is_wrong_in_the_segmentations_is_named(root, change, what):
    edit(root, change)
    with pytest.raises(BenchError, match=f"gt_segmentations_val.json.*{what}"):
        chexlocalize.read(root)


def test_what_is_wrong_in_the_tables_is_named(root, write_text):
    place = root / "CheXpert/test_labels.csv"
    text = place.read_text()
    write_text(place, text.replace("0.0", "-1.0", 1))
    with pytest.raises(BenchError, match="test_labels.csv, line 2: a label is neither 0 nor 1"):
        chexlocalize.read(root, labels="fourteen")
    write_text(place, text.replace("test/patient64741", "patient64741", 1))
    with pytest.raises(BenchError, match="line 2: 'patient64741/.*' is not a path like test/patient"):
        chexlocalize.read(root)
    with pytest.raises(BenchError, match="mask is 8x8 pixels, its image 4x4"):
        by_id(chexlocalize.read(dense_miniatures.chexlocalize(root)))["mask"][SECOND].decode(4, 4)
