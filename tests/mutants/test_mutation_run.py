"""The mutation run itself, on a module of three lines."""

import tomllib
from pathlib import Path

import pytest

pytest.importorskip("cosmic_ray")

from mutation import mutants  # noqa: E402
from summary import markdown, summarise  # noqa: E402

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MODULE = '''"""A module."""
from __future__ import annotations

LEVEL = 0.5

def above(value: int | None, *, level: float = LEVEL) -> bool:
    """Whether it is above."""
    return value > level
'''


@pytest.fixture
def found(tmp_path):
    (tmp_path / "m.py").write_text(MODULE)
    operators = tomllib.loads((HERE / "guards.toml").read_text())["operators"]
    return mutants(tmp_path, "m.py", operators)


def test_numbers_and_comparisons_are_changed_and_annotations_are_not(found):
    assert sorted((one.line, one.inside, one.after) for one in found) == [
        (4, "LEVEL", "LEVEL = -0.5"),
        (4, "LEVEL", "LEVEL = 1.5"),
        (8, "above", "return value <= level"),
        (8, "above", "return value >= level"),
    ]
    for one in found:
        assert one.source.count("\n") == MODULE.count("\n") and one.source != MODULE


def test_a_key_depends_on_the_changed_statement_alone(found, tmp_path):
    (tmp_path / "m.py").write_text(MODULE.replace("A module", "Another") + "\nOTHER = 1\n")
    again = mutants(tmp_path, "m.py", ["NumberReplacer", "ReplaceComparisonOperator_Gt_GtE"])
    assert {one.key for one in again if one.inside != "OTHER"} < {one.key for one in found}


def test_the_summary_counts_and_lists_survivors_with_their_reasons(found):
    outcomes = dict(zip([one.key for one in found], [{"outcome": o} for o in ("failed", "timeout", "passed")],
                        strict=False))  # fmt: skip
    reasons = [{"module": "m.py", "inside": found[2].inside, "why": "equivalent"}]
    summary = summarise({"m.py": found}, outcomes, reasons)
    assert {key: summary["m.py"][key] for key in ("mutants", "run", "killed", "timeouts")} == {
        "mutants": 4,
        "run": 3,
        "killed": 2,
        "timeouts": 1,
    }
    text = markdown(summary, "make mutants")
    assert "| `m.py` | 4 | 3 | 2 | 67 % |" in text and "| equivalent |" in text


def test_every_module_and_every_test_that_is_named_is_there():
    config = tomllib.loads((HERE / "guards.toml").read_text())
    named = {*config["modules"], *(test for tests in config["modules"].values() for test in tests)}
    changes = tomllib.loads((HERE / "known_changes.toml").read_text())["change"]
    named |= {change["module"] for change in changes}
    assert not [name for name in named if not (ROOT / name).is_file()]


def test_planted_changes_are_of_lines_that_are_there_once():
    for change in tomllib.loads((HERE / "known_changes.toml").read_text())["change"]:
        source = (ROOT / change["module"]).read_text()
        assert source.count(change["before"]) == 1, change["name"]
        assert change["after"] != change["before"]
