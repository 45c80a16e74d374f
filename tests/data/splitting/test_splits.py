"""Split by group, and the stratified order it rests on."""

import numpy as np
import pandas as pd
import pytest

from prior_bench.data.splitting.rules import (
    apply_rule,
    by_group,
    by_lists,
    concatenated,
    describe,
    stratified_order,
    with_test,
)
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


def test_what_a_rule_gives_is_numbered_from_zero():
    table = pd.DataFrame({"id": ["a", "b", "c"]}, index=[5, 6, 7])
    split = apply_rule("last", {"last": lambda t: t.iloc[1:]}, table, "set")
    assert split.index.tolist() == [0, 1] and list(split.columns) == ["id"]
    parts = {"train": table.iloc[:1], "test": table.iloc[1:]}
    assert concatenated(parts).index.tolist() == [0, 1, 2]


def test_a_rule_gets_what_it_has_a_parameter_for_and_says_when_it_cannot_be_applied():
    def rooted(table, root):
        return table.assign(root=root)

    table = pd.DataFrame({"id": ["a"]})
    assert apply_rule("r", {"r": rooted}, table, "set", root="here", other=1)["root"].tolist() == ["here"]

    def too_large(table):
        raise ValueError("10 of 1")

    with pytest.raises(BenchError, match=r"set: split rule 'r' cannot be applied to 1 rows \(10 of 1\)"):
        apply_rule("r", {"r": too_large}, table, "set")


def test_rules_are_described_by_the_first_paragraph_of_their_docstring():
    def documented(table):
        """As in
        the paper.

        With details.
        """

    assert describe({"one": documented, "two": lambda t: t}) == {"one": "As in the paper.", "two": ""}


def test_a_given_test_set_stays_and_a_share_of_the_others_validates():
    table = patients(50)
    split = with_test(table, table.iloc[:4].assign(id="other", patient_id="other"), 0.2, stratify=("y",))
    of_patients = split.drop_duplicates("patient_id")["split"].value_counts().to_dict()
    assert of_patients == {"train": 40, "valid": 10, "test": 1}
    assert (split["split"].to_numpy()[-4:] == "test").all()


def test_seed_zero_is_the_default():
    table = patients(60)
    shares = {"train": 0.5, "test": 0.5}
    assert by_group(table, shares).equals(by_group(table, shares, seed=0))
    assert not by_group(table, shares).equals(by_group(table, shares, seed=1))
    assert stratified_order(table).tolist() == stratified_order(table, seed=0).tolist()
    assert stratified_order(table).tolist() != stratified_order(table, seed=1).tolist()


@pytest.mark.parametrize("seed", range(5))
def test_strata_of_one_size_take_turns(seed):
    table = pd.DataFrame({"patient_id": [f"p{i:02}" for i in range(30)], "y": np.arange(30) % 3})
    order = stratified_order(table, stratify=("y",), seed=seed)
    labels = table.set_index("patient_id")["y"][order].to_numpy().reshape(10, 3)
    assert (np.sort(labels, axis=1) == [0, 1, 2]).all()


def test_the_order_of_the_rows_does_not_decide_which_group_is_drawn():
    table = patients(40)
    turned = table.iloc[::-1].reset_index(drop=True)
    for stratify in ((), ("y",)):
        assert (
            stratified_order(table, stratify=stratify).tolist()
            == stratified_order(turned, stratify=stratify).tolist()
        )


def test_the_first_image_that_a_list_has_and_the_data_set_does_not_is_named(tmp_path):
    (tmp_path / "list.txt").write_text("8\n1\n9\n")
    table = pd.DataFrame({"id": ["1"]})
    with pytest.raises(BenchError, match="2 of 3 images are not in the data set; the first is 8"):
        by_lists(table, tmp_path, {"train": "list.txt"})


def test_the_order_is_pinned():
    """Splits and label fractions of records depend on it: a change here makes other data of the same name."""
    table = pd.DataFrame({"patient_id": list("abcdefghij"), "y": [0, 0, 0, 1, 1, 0, 0, 0, 1, 0]})
    assert "".join(stratified_order(table, stratify=("y",), seed=0)) == "gcehfdjaib"
    assert "".join(stratified_order(table, stratify=("y",), seed=3)) == "ejgadcbihf"
    assert "".join(stratified_order(table, seed=0)) == "egchdfjaib"
