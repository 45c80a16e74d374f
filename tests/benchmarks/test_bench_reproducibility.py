import pandas as pd
import pytest

from benchmarks.reproducibility import compared


def frame(*means):
    cells = [("probe", "AUROC", "a"), ("probe", "AUROC", "b"), ("dense", "Dice", "a"), ("dense", "Dice", "b")]
    table = pd.DataFrame(cells, columns=["group", "label", "backbone"])
    return table.assign(mean=means)


def test_the_largest_difference_of_any_row_is_given_for_each_column():
    nan = float("nan")
    reference, other = frame(80, 70, 50, nan), frame(80, 69.5, 52, nan)
    found = compared({"first": reference, "again": reference, "other": other.sample(frac=1, random_state=0)})
    assert found["column"].tolist() == ["probe: AUROC", "dense: Dice"] and found["rows"].tolist() == [2, 1]
    assert found["again"].tolist() == [0, 0] and found["other"].tolist() == pytest.approx([0.5, 2])


def test_a_cell_that_only_one_condition_has_is_no_difference_of_zero():
    found = compared({"first": frame(1, 2, 3, 4), "other": frame(1, float("nan"), 3, float("nan"))})
    assert found["other"].isna().all()
