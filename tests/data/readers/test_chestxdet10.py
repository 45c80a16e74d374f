"""ChestX-Det10 in miniature."""

import json

import dense_miniatures
import numpy as np
import pytest

from prior_bench.data.manifest import NO_PATIENTS
from prior_bench.data.readers import chestxdet10
from prior_bench.errors import BenchError
from prior_bench.suites import protocols
from tasks.grounding import Grounding


@pytest.fixture
def root(tmp_path):
    return dense_miniatures.chestxdet10(tmp_path)


def edit(root, change, part="train"):
    content = json.loads((root / f"{part}.json").read_text())
    change(content)
    (root / f"{part}.json").write_text(json.dumps(content))


def test_labels_and_boxes_of_each_image(root):
    data = chestxdet10.read(root)
    table = data.table.set_index("id")
    assert len(data) == 14 and data.labels == data.box_classes == chestxdet10.TEN
    effusion, nodule = chestxdet10.TEN.index("Effusion"), chestxdet10.TEN.index("Nodule")
    assert table.loc["101", "boxes"].tolist() == [
        [1, 2, 5, 6, effusion],
        [2, 2, 6, 6, nodule],
        [3, 2, 7, 6, nodule],
    ]
    assert (table.loc["101", ["Effusion", "Nodule", "Mass"]] == [1, 1, 0]).all()
    assert table.loc["102", "boxes"].shape == (0, 5) and data.targets()[:, 0].sum() == 0
    assert data.notes == (NO_PATIENTS,)


def test_the_test_file_is_the_test_split(root):
    table = chestxdet10.read(root).table
    assert set(table.loc[table["split"] == "test", "id"]) == {"200", "201", "202", "203"}
    assert (table["split"] == "valid").sum() == 1 and (table["split"] == "train").sum() == 9


def test_names_of_chestxray14_say_the_patient(root):
    def renamed(content):
        for n, entry in enumerate(content):
            name = f"{n // 2:08d}_00{n % 2}.png"
            (root / "train_data" / entry["file_name"]).rename(root / "train_data" / name)
            entry["file_name"] = name

    edit(root, renamed)
    data = chestxdet10.read(root)
    assert data.table["patient_id"].tolist()[0] == "00000000" and not data.notes
    assert data.table.groupby("patient_id")["split"].nunique().max() == 1


@pytest.mark.parametrize("name", ["train", "images", "train_data/train_data"])
def test_other_folders_of_images(root, name):
    moved = [image.name for image in (root / "train_data").iterdir()]
    target = root / name
    target.mkdir(parents=True, exist_ok=True)
    for image in moved:
        (root / "train_data" / image).rename(target / image)
    if name != "train_data/train_data":
        (root / "train_data").rmdir()
    assert chestxdet10.read(root).table["image"].str.startswith(name).sum() == 10


@pytest.mark.parametrize(
    "change, what",
    [
        (lambda c: c[1].pop("syms"), "train.json, entry 1: lacks syms"),
        (lambda c: c[1]["syms"].append("Mass"), r"entry 1: has 4 findings and 3 boxes"),
        (lambda c: c[1]["syms"].__setitem__(0, "Efusion"), "entry 1: .*did you mean Effusion"),
        (lambda c: c[1]["boxes"].__setitem__(0, [1, 2, 1, 3]), r"entry 1: box \[1, 2, 1, 3\] has no extent"),
        (lambda c: c[1]["boxes"].__setitem__(0, [1, 2]), "entry 1: box .* is not four numbers"),
        (lambda c: c.clear(), "train.json: names no image"),
    ],
)
def test_what_is_wrong_is_named(root, change, what):
    edit(root, change)
    with pytest.raises(BenchError, match=f"(?s){what}"):
        chestxdet10.read(root)


def test_grounding_by_prompts_knows_its_findings(root):
    from prior_bench.data.texts import prompts

    assert set(chestxdet10.TEN) <= set(prompts.load("boxed_findings").classes)
    Grounding().check(chestxdet10.read(root), protocols.load("clean/grounding_prompts"))
    assert np.isfinite(chestxdet10.read(root).targets()).all()
