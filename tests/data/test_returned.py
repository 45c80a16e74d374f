"""What a reader of somebody else returns is checked where it is called."""

from pathlib import Path

import pandas as pd
import pytest

from prior_bench.data.manifest import Manifest
from prior_bench.data.open import prepare_dataset, read_manifest
from prior_bench.errors import BenchError
from prior_bench.registry import DATASETS

COLUMNS = {
    "id": ["a", "b"],
    "patient_id": ["p", "q"],
    "image": ["a.png", "b.png"],
    "split": ["train", "test"],
    "Edema": [1.0, float("nan")],
    "report": [("Edema.",), None],
}


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Read a data set whose reader returns a table with these columns."""

    def reading(how=read_manifest, index=None, **columns):
        table = pd.DataFrame({**COLUMNS, **columns}, index=index)
        returned = Manifest("own", tmp_path, table, labels=("Edema",))
        monkeypatch.setitem(DATASETS._module_dict, "own", lambda root, *, split="default": returned)
        return how(f"own@{tmp_path}")

    return reading


@pytest.mark.parametrize("labels", [[1, 0], [True, False], [1.0, None]])
def test_a_manifest_as_described_is_returned(read, labels):
    assert len(read(Edema=labels)) == 2


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"Edema": ["1", "0"]}, "label 'Edema' has the type .*\n  fix: give numbers"),
        ({"Edema": [2.0, 0.0]}, "label 'Edema' has 2\n  fix: .*one column of each class"),
        ({"Edema": [-1, 0]}, "label 'Edema' has -1"),
        ({"report": ["Edema.", None]}, "column 'report' has a str\n  fix: .*split_sentences"),
        ({"report": [["Edema."], None]}, "column 'report' has a list"),
        ({"split": ["train", "val"]}, "column 'split' has 'val'\n  fix: splits are train, valid, test"),
        ({"index": pd.Index(["a", "b"], name="id")}, "index 'id'\n  fix: .*reset_index"),
    ],
)
def test_a_wrong_column_is_named(read, columns, message):
    for how in (read_manifest, prepare_dataset):
        with pytest.raises(BenchError, match=f"own: its reader is wrong: .*{message}"):
            read(how, **columns)


def test_a_reader_that_returns_a_table_alone(monkeypatch, tmp_path):
    def returns_a_table(root: Path, *, split: str = "default"):
        return pd.DataFrame(COLUMNS)

    monkeypatch.setitem(DATASETS._module_dict, "own", returns_a_table)
    with pytest.raises(BenchError, match="returned DataFrame\n  fix: return a Manifest"):
        read_manifest(f"own@{tmp_path}")
