"""Split by group, and the stratified order it rests on."""

import numpy as np
import pandas as pd
import pytest

from prior_bench.data.splitting.rules import apply_rule, by_group, by_lists, concatenated, stratified_order
from prior_bench.errors import BenchError


def patients(count=200, images=3, share=0.25):
    ids = np.repeat([f"p{n:03d}" for n in range(count)], images)
    return pd.DataFrame(
        {"patient_id": ids, "y": np.repeat(np.arange(count) < share * count, images).astype(float)}
    )


def test_groups_stay_whole_and_labels_even():
    table = by_group(patients(), {"train": 0.7, "valid": 0.15, "test": 0.15}, stratify=["y"])
    assert table.groupby("patient_id")["split"].nunique().max() == 1
    sizes = table.groupby("split")["patient_id"].nunique().to_dict()
    assert sizes == {"train": 140, "valid": 30, "test": 30}
    positive = table.groupby("split")["y"].sum() / 3
    assert positive.to_dict() == pytest.approx({"train": 35, "valid": 7.5, "test": 7.5}, abs=1)


def test_seed_decides_and_row_order_does_not():
    table = patients()
    one = by_group(table, {"train": 0.5, "test": 0.5}, seed=1).set_index("patient_id")["split"]
    shuffled = table.sample(frac=1, random_state=0)
    again = by_group(shuffled, {"train": 0.5, "test": 0.5}, seed=1).set_index("patient_id")["split"]
    assert one.groupby(level=0).first().equals(again.groupby(level=0).first())
    other = by_group(table, {"train": 0.5, "test": 0.5}, seed=2).set_index("patient_id")["split"]
    assert (one.to_numpy() != other.to_numpy()).mean() > 0.3


@pytest.mark.parametrize("seed", range(5))
def test_every_prefix_is_stratified(seed):
    table = patients()
    order = stratified_order(table, stratify=["y"], seed=seed)
    assert sorted(order) == sorted(table["patient_id"].unique())
    positive = table.groupby("patient_id")["y"].first()[order].to_numpy()
    for length in (20, 40, 100, 160):
        assert abs(positive[:length].sum() - 0.25 * length) <= 1.5


def test_unknown_labels_are_a_stratum_of_their_own():
    table = pd.DataFrame({"patient_id": list("abcdefgh"), "y": [1, 1, 0, 0, np.nan, np.nan, np.nan, np.nan]})
    split = by_group(table, {"train": 0.5, "test": 0.5}, stratify=["y"]).set_index("patient_id")["split"]
    assert sorted(split[["a", "b"]]) == sorted(split[["c", "d"]]) == ["test", "train"]
    assert (split[["e", "f", "g", "h"]] == "train").sum() == 2


def test_repeated_ids_are_marked():
    one, two = pd.DataFrame({"id": ["a", "b"]}), pd.DataFrame({"id": ["b", "c"]})
    table = concatenated({"train": one, "test": two})
    assert table["id"].tolist() == ["a", "b", "b#test", "c"]
    assert table["split"].tolist() == ["train", "train", "test", "test"]


def test_unknown_rule():
    with pytest.raises(BenchError, match="set: unknown split rule 'defualt'\n.*did you mean default"):
        apply_rule("defualt", {"default": lambda t: t}, pd.DataFrame(), "set")


def test_splits_by_somebodys_lists(tmp_path):
    table = pd.DataFrame({"id": ["dev/1.2.3", "train/2", "train/3"], "y": [1, 2, 3]})
    lists = {"train": "theirs/train.csv", "valid": "theirs/val.txt"}
    with pytest.raises(BenchError, match="train.csv: this list is missing"):
        by_lists(table, tmp_path, lists)
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs/train.csv").write_text("ID,boxes\n3.png,\n1.2.3,\n")
    (tmp_path / "theirs/val.txt").write_text("2.JPG\n\n")
    split = by_lists(table, tmp_path, lists)
    assert split["id"].tolist() == ["train/3", "dev/1.2.3", "train/2"]
    assert split["split"].tolist() == ["train", "train", "valid"]
    (tmp_path / "theirs/val.txt").write_text("9.jpg\n")
    with pytest.raises(BenchError, match="val.txt: 1 of 1 images are not in the data set; the first is 9"):
        by_lists(table, tmp_path, lists)
