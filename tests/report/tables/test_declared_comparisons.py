"""Comparisons that a table declares: only they are tested, and each has its sentence."""

import pytest
from scored_store import scored
from test_marks import COLUMN

from prior_bench.errors import ErrorList
from prior_bench.report.tables import marks
from prior_bench.report.tables.marks import LEADING
from prior_bench.report.tables.table import build_table, load_table

SKILLS = {"Random": 0.1, "Ours": 3.0, "Same": 3.01, "Other": 1.0}
PRE_TRAINED = """comparisons = [
    dict(rows=["Ours"], against=["Same", "Other"]),
    dict(rows=["Ours", "Same", "Other"], against=["Random"]),
]
"""


def config(tmp_path, text, second="f1", extra=""):
    path = tmp_path / "declared.py"
    last = COLUMN.format(second).replace("),\n", f"{extra}),\n") if extra else COLUMN.format(second)
    path.write_text(f"columns = [{COLUMN.format('auroc')}{last}]\n{text}")
    return load_table(str(path))


def test_only_the_declared_pairs_are_tested_and_corrected_for(tmp_path):
    filled = build_table(config(tmp_path, PRE_TRAINED), [scored(tmp_path / "s", SKILLS)])
    notes = "\n".join(filled.notes)
    assert "Holm over the table's 10 declared comparisons, 4 and 6 for its 2 questions, level 5 %" in notes
    (same,) = [note for note in filled.notes if note.startswith("Ours against Same")]
    assert same == "Ours against Same: no significant difference in 2 columns."
    for one in ("Ours", "Same", "Other"):
        (line,) = [note for note in filled.notes if note.startswith(f"{one} against Random")]
        assert "significantly better in CheXpert: auroc (+" in line and "CheXpert: f1 (+" in line
    assert "Same against Other" not in notes


def test_the_direction_is_named_from_the_first_row(tmp_path):
    turned = 'comparisons = [dict(rows=["Random"], against=["Ours"])]\n'
    filled = build_table(config(tmp_path, turned), [scored(tmp_path / "s", SKILLS)])
    (line,) = [note for note in filled.notes if note.startswith("Random against Ours")]
    assert "significantly worse in CheXpert: auroc (-" in line and "better" not in line


def test_where_lower_is_better_a_fall_is_an_improvement(tmp_path):
    store = scored(tmp_path / "s", SKILLS)
    filled = build_table(config(tmp_path, PRE_TRAINED, extra=", higher_is_better=False"), [store])
    (line,) = [note for note in filled.notes if note.startswith("Ours against Random")]
    better, _, worse = line.partition("significantly worse")
    assert "CheXpert: auroc (+" in better and "CheXpert: f1 (+" in worse


def test_a_column_can_be_left_out_of_the_comparisons(tmp_path):
    filled = build_table(
        config(tmp_path, PRE_TRAINED, extra=", compared=False"), [scored(tmp_path / "s", SKILLS)]
    )
    notes = "\n".join(filled.notes)
    assert "5 declared comparisons" in notes and "CheXpert: f1 (" not in notes


def test_the_best_numbers_are_underlined_and_nothing_is_bold(tmp_path):
    filled = build_table(config(tmp_path, PRE_TRAINED), [scored(tmp_path / "s", SKILLS)])
    found = {row.label: [cell.mark for cell in row.cells] for row in filled.rows}
    assert LEADING in {mark for line in found.values() for mark in line}
    assert all(mark in ("", LEADING) for line in found.values() for mark in line)
    assert "Underlined: best number of a column, without a claim." in filled.notes


def test_a_pair_that_cannot_be_tested_and_an_unknown_row_are_said(tmp_path):
    store = scored(tmp_path / "s", SKILLS)
    (store.runs / "other-0" / "predictions.npz").unlink()
    text = 'comparisons = [dict(rows=["Ours"], against=["Other", "Nobody"])]\n'
    notes = build_table(config(tmp_path, text), [store]).notes
    assert "Ours against Other: not tested in 2." in notes
    assert "Declared comparisons: no row is called Nobody." in notes


def test_a_pair_is_tested_once_and_a_row_never_against_itself(tmp_path):
    text = 'comparisons = [dict(rows=["Ours", "Other"], against=["Ours", "Other"])]\n'
    ((pair,),) = config(tmp_path, text).questions
    assert set(pair) == {"Ours", "Other"}


def test_a_pair_belongs_to_the_question_that_names_it_first(tmp_path):
    text = 'comparisons = [dict(rows=["A", "B"], against=["C"]), dict(rows=["C", "B"], against=["A"])]\n'
    assert config(tmp_path, text).questions == [[("A", "C"), ("B", "C")], [("B", "A")]]


def test_each_question_is_corrected_by_itself(tmp_path, monkeypatch):
    corrected = []
    monkeypatch.setattr(marks, "holm", lambda p: corrected.append(len(p)) or [0.01 * len(corrected)] * len(p))
    seen = []
    monkeypatch.setattr(
        marks, "_outcome", lambda *given: seen.append(given[-1].p) or marks.Outcome("", "", (), (), 0, 0)
    )
    filled = build_table(config(tmp_path, PRE_TRAINED), [scored(tmp_path / "s", SKILLS)])
    assert corrected == [4, 6], "two pairs and three pairs, in two columns"
    random = [row.label for row in filled.rows].index("Random")
    assert {p for (_, *pair), p in seen[0].items() if random in pair} == {0.02}
    assert {p for (_, *pair), p in seen[0].items() if random not in pair} == {0.01}


def test_wrong_comparisons_are_refused_with_their_key(tmp_path):
    with pytest.raises(ErrorList, match=r"comparisons\[0\]: unknown key 'agianst'"):
        config(tmp_path, 'comparisons = [dict(rows=["Ours"], agianst=["Other"])]\n')
