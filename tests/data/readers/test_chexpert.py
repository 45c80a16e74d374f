"""CheXpert and CheXpert 5x200: miniatures of the layout, and the real label file."""

import json

import miniatures
import numpy as np
import pandas as pd
import pytest

from prior_bench.data.readers.chexpert import five_by_200 as chexpert_5x200
from prior_bench.data.readers.chexpert import reader as chexpert
from prior_bench.data.readers.chexpert.labels import FIVE, FOURTEEN, resolve_labels
from prior_bench.data.readers.chexpert.pools import POOLS, draw, sole_of_five, sole_positive
from prior_bench.errors import BenchError


@pytest.fixture
def root(tmp_path):
    return miniatures.chexpert(tmp_path)


def test_default_split_is_by_patient_and_frontal(root):
    data = chexpert.read(root)
    assert data.labels == FIVE and len(data) == 22
    assert data.table["split"].value_counts().to_dict() == {"train": 18, "valid": 2, "test": 2}
    assert data.table.groupby("patient_id")["split"].nunique().max() == 1
    assert set(data.table.loc[data.table["split"] == "test", "patient_id"]) == {
        "patient64541",
        "patient64542",
    }
    assert data.table["id"].iloc[0] == "train/patient00001/study1/view1_frontal"
    assert data.path(0).is_file()
    assert chexpert.read(root).split_summary() == data.split_summary()


def in_batches(top, *, keep_train=0):
    """The full version as given out: tables and valid/ in batch 1, patients of train in batches 2 to 4."""
    first = miniatures.chexpert(top / "CheXpert-v1.0 batch 1 (validate & csv)", "CheXpert-v1.0")
    for number, patient in enumerate(sorted((first / "train").iterdir())):
        if number >= keep_train:
            batch = top / f"CheXpert-v1.0 batch {2 + number % 3} (train {1 + number % 3})"
            batch.mkdir(exist_ok=True)
            patient.rename(batch / patient.name)
    if not keep_train:
        (first / "train").rmdir()
    return first


@pytest.mark.parametrize("keep_train", [0, 5])
def test_batches_of_the_full_version(tmp_path, keep_train):
    first = in_batches(tmp_path / "full", keep_train=keep_train)
    plain = chexpert.read(miniatures.chexpert(tmp_path / "plain"))
    for root in (tmp_path / "full", first):
        data = chexpert.read(root)
        assert all(data.path(row).is_file() for row in range(len(data)))
        assert data.split_summary() == plain.split_summary() and data.notes == ()
        np.testing.assert_array_equal(data.targets(), plain.targets())
        found = [data.path(row).parts[-3] for row in range(len(data))]
        assert found == data.table["patient_id"].tolist(), "each image is in the folder of its patient"
        assert len(chexpert_5x200.read(root, per_class=4)) == 20


def test_a_batch_that_is_not_there_is_counted(tmp_path):
    in_batches(tmp_path)
    lost = next(tmp_path.glob("*batch 3*"))
    lost.rename(tmp_path / "elsewhere")
    with pytest.raises(BenchError, match="7 of 22 images named there are missing"):
        chexpert.read(tmp_path)
    data = chexpert.read(tmp_path, missing="skip")
    assert data.notes == ("7 of 22 images are absent and left out (missing=skip)",) and len(data) == 15


@pytest.mark.parametrize("prefix", ["CheXpert-v1.0", "CheXpert-v1.0-small"])
def test_prefix_is_stripped_and_the_folder_above_will_do(tmp_path, prefix):
    miniatures.chexpert(tmp_path / prefix, prefix)
    assert len(chexpert.read(tmp_path)) == len(chexpert.read(tmp_path / prefix)) == 22


def test_views(root):
    assert len(chexpert.read(root, views="all")) == 24
    assert len(chexpert.read(root, views="lateral")) == 2
    assert len(chexpert.read(root, views=["PA"])) == 2
    with pytest.raises(BenchError, match="no image has the view LL"):
        chexpert.read(root, views="LL")


def test_views_do_not_move_patients_between_splits(root):
    frontal, everything = chexpert.read(root).table, chexpert.read(root, views="all").table
    by_patient = everything.groupby("patient_id")["split"].first()
    assert (frontal["split"] == frontal["patient_id"].map(by_patient)).all()


def test_uncertain_policies():
    raw = pd.DataFrame({name: [1.0, 0.0, -1.0, np.nan] for name in FOURTEEN})
    for policy, edema, consolidation, fracture in (
        ("gloria", 1, 0, np.nan),
        ("ones", 1, 1, 1),
        ("zeros", 0, 0, 0),
        ("ignore", np.nan, np.nan, np.nan),
    ):
        resolved = resolve_labels(raw, ("Edema", "Consolidation", "Fracture"), policy)
        np.testing.assert_array_equal(resolved.iloc[2], [edema, consolidation, fracture])
        np.testing.assert_array_equal(resolved.iloc[[0, 1, 3]], np.array([[1] * 3, [0] * 3, [0] * 3]))


def test_valid_csv_with_fewer_columns(root, write_text):
    path = "CheXpert-v1.0-small/valid/patient64541/study1/view1_frontal.jpg"
    write_text(root / "valid.csv", f"Path,{','.join(FIVE)}\n{path},0,0,0,1,0\n")
    data = chexpert.read(root)
    assert data.split("test").targets().tolist() == [[0, 0, 0, 1, 0]]
    with pytest.raises(BenchError, match="valid.csv: columns .*'Fracture'.* missing"):
        chexpert.read(root, labels="fourteen")


def test_renamed_label_column_is_named(root):
    text = (root / "train.csv").read_text().replace("Pleural Effusion", "Effusion Pleural")
    (root / "train.csv").write_text(text)
    with pytest.raises(BenchError, match="train.csv: column 'Pleural Effusion' missing"):
        chexpert.read(root)


def test_what_is_missing_is_named(root):
    (root / "train/patient00007/study1/view1_frontal.jpg").unlink()
    with pytest.raises(BenchError, match="1 of 22 images .*patient00007"):
        chexpert.read(root)
    (root / "valid.csv").unlink()
    with pytest.raises(BenchError, match="valid.csv is missing\n.*found: .*train.csv"):
        chexpert.read(root)


def test_path_of_another_form(root, write_text):
    write_text(
        root / "train.csv",
        f"{miniatures.CHEXPERT_HEADER}\n{miniatures.chexpert_line('images/1_frontal.jpg')}\n",
    )
    with pytest.raises(BenchError, match="'images/1_frontal.jpg' is not a path like"):
        chexpert.read(root)


def test_paper_split_of_a_small_set_says_so(root):
    with pytest.raises(BenchError, match="cannot draw 200 images per class"):
        chexpert.read(root, split="mgca")


# --- 5x200 ---


def raw_table(*rows):
    """Raw label rows given as dicts; blank elsewhere."""
    return pd.DataFrame([{**dict.fromkeys(FOURTEEN, np.nan), **row} for row in rows], columns=list(FOURTEEN))


def test_membership_rules_by_hand():
    table = raw_table(
        {"Edema": 1},  # both
        {"Edema": 1, "No Finding": 1},  # both: "No Finding" is not looked at
        {"Edema": 1, "Fracture": 1},  # other finding: only PRIOR
        {"Edema": 1, "Fracture": -1},  # uncertain other finding: only PRIOR
        {"Edema": 1, "Cardiomegaly": 0},  # both
        {"Edema": 1, "Cardiomegaly": -1},  # resolved to 0: only PRIOR
        {"Edema": 1, "Atelectasis": -1},  # resolved to 1, two of five: neither
        {"Edema": -1},  # resolved to 1: only PRIOR
        {"Consolidation": -1},  # resolved to 0: neither
        {"Edema": 1, "Atelectasis": 1},  # neither
    )
    assert sole_positive(table)["Edema"].tolist() == [True, True, False, False, True] + [False] * 5
    assert sole_of_five(table)["Edema"].tolist() == [True] * 6 + [False, True, False, False]
    for rule in POOLS.values():
        assert rule(table).sum(axis=1).max() == 1


def test_5x200_reader(root):
    data = chexpert_5x200.read(root, per_class=4)
    assert data.exclusive and data.labels == FIVE and set(data.table["split"]) == {"test"}
    np.testing.assert_array_equal(data.targets(), np.repeat(np.eye(5), 4, axis=0))
    assert data.split_rule == "default" and data.table["id"].is_unique
    one, other = (chexpert_5x200.read(root, per_class=2, seed=s).table["id"].tolist() for s in (0, 1))
    assert one != other
    assert one == chexpert_5x200.read(root, per_class=2, split="mgca").table["id"].tolist()
    assert len(chexpert_5x200.read(root, per_class=4, split="prior")) == 20


def test_5x200_pool_too_small_names_the_sizes(root):
    with pytest.raises(BenchError, match="Atelectasis 4, Cardiomegaly 4, .*\n.*per_class=4"):
        chexpert_5x200.read(root)
    with pytest.raises(BenchError, match="did you mean prior"):
        chexpert_5x200.read(root, split="priro")


def test_priors_own_list(root, write_text):
    with pytest.raises(
        BenchError, match="chexpert_5x200.json is missing\n  fix: copy it from .* split='prior'"
    ):
        chexpert_5x200.read(root, split="prior_list")
    images = [f"train/patient{p:05d}/study1/view1_frontal.jpg" for p in (7, 3)]
    entries = {str(n): {"image_path": image, "label": [0, 0, n, 1 - n, 0]} for n, image in enumerate(images)}
    place = write_text(root / "chexpert_5x200.json", json.dumps(entries))
    data = chexpert_5x200.read(root, split="prior_list")
    assert data.table["image"].tolist() == images and data.exclusive
    assert data.table["Edema"].tolist() == [1, 0] and data.table["Consolidation"].tolist() == [0, 1]
    write_text(place, json.dumps({"0": {"image_path": "train/x.jpg", "label": [1, 0, 0, 0, 0]}}))
    with pytest.raises(BenchError, match="1 of 1 images are not in train.csv; the first is train/x.jpg"):
        chexpert_5x200.read(root, split="prior_list")
    write_text(place, json.dumps([1]))
    with pytest.raises(BenchError, match=r"chexpert_5x200.json: holds a list at its top level"):
        chexpert_5x200.read(root, split="prior_list")


# --- the real label file ---


@pytest.fixture(scope="module")
def real_table(tmp_path_factory, real_annotations):
    root = tmp_path_factory.mktemp("chexpert")
    (root / "train.csv.gz").symlink_to(real_annotations / "chexpert_train.csv.gz")
    return chexpert.read_labels(root, "train")


def test_real_counts(real_table):
    assert len(real_table) == 223_414
    assert int(real_table["frontal"].sum()) == 191_027
    assert real_table["patient_id"].nunique() == 64_540
    uncertain = {name: int(real_table[name].eq(-1).sum()) for name in FIVE}
    assert list(uncertain.values()) == [33_739, 8_087, 27_742, 12_984, 11_628]


def test_real_pools(real_table):
    frontal = real_table[real_table["frontal"]]
    assert sole_positive(frontal).sum().tolist() == [1087, 1034, 537, 2257, 2425]
    drawn = draw(frontal, "mgca")
    assert len(drawn) == 1000 and drawn["finding"].value_counts().to_dict() == dict.fromkeys(FIVE, 200)


def test_real_mgca_split_with_its_leak(real_table):
    split = chexpert.mgca_split(real_table)
    frontal = split[split["frontal"]]
    assert split["split"].value_counts().to_dict() == {"train": 217_433, "valid": 5000}
    assert frontal["split"].value_counts().to_dict() == {"train": 185_771, "valid": 4284}
    assert split["id"].is_unique and int(split["id"].str.endswith("#valid").sum()) == 4907
    images = split.groupby("split")["image"].apply(set)
    assert len(images["train"] & images["valid"]) == 4907
    patients = split.groupby("split")["patient_id"].apply(set)
    assert len(patients["train"] & patients["valid"]) == 4566
    train = frontal[frontal["split"] == "train"]
    assert [len(train.sample(frac=f, random_state=42)) for f in (0.01, 0.1)] == [1858, 18_577]


def test_real_default_split_keeps_patients_together(real_table):
    split = chexpert.patient_split(real_table)
    assert split.groupby("patient_id")["split"].nunique().max() == 1
    sizes = split.groupby("split")["patient_id"].nunique()
    assert sizes.to_dict() == {"train": 58_086, "valid": 6454}
