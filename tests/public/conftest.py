import pandas as pd
import pytest
from tiny_data import CLASSES, tiny_manifest


@pytest.fixture(autouse=True)
def own_roots(parts, tmp_path, monkeypatch):
    """The fake parts registered, all roots the test's own, and its folder the working folder."""
    monkeypatch.chdir(tmp_path)
    return parts


@pytest.fixture
def my_csv(tmp_path):
    """Sixty images of one's own with two labels and reports, as a CSV file."""
    table = tiny_manifest(tmp_path).table
    columns = ["image", "patient_id", "split", *CLASSES]
    table = pd.DataFrame(table[columns]).assign(report=[" ".join(r) for r in table["report"]])
    table.to_csv(tmp_path / "my.csv", index=False)
    return "my.csv"
