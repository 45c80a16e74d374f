import pytest

from benchmarks import metadata


@pytest.mark.slow
def test_every_step_runs_and_prints_a_row(capsys):
    metadata.main(["--images", "200", "--steps", "open", "pairs"])
    row = capsys.readouterr().out.splitlines()[2]
    assert row.startswith("| 200 | 0 |") and row.count("|") == 10


def test_the_table_is_that_of_the_reader():
    table = metadata.table_of(300)
    assert table["id"].is_unique and table["study_id"].nunique() < 300
    assert table.groupby("study_id")["report"].nunique().max() == 1
