"""Numbers change only together with the version of what makes them; see docs/versions.md."""

import declared_parts
import pins
import pytest
from golden_case import Case
from golden_registry import KINDS, UNPINNED

CASES = [
    pytest.param(kind, case, id=f"{kind}: {case.name}") for kind, cases in KINDS.items() for case in cases
]


@pytest.mark.parametrize(("kind", "case"), CASES)
def test_numbers_are_those_that_are_pinned_for_todays_versions(kind, case):
    problem = pins.problem(case, pins.read(kind).get(case.name), case.run())
    assert not problem, f"\n{problem}"


@pytest.mark.parametrize("kind", KINDS)
def test_every_pin_belongs_to_a_case(kind):
    names = [case.name for case in KINDS[kind]]
    assert len(set(names)) == len(names)
    assert set(pins.read(kind)) <= set(names), f"cases that are no more; run {pins.COMMAND}"


def test_every_part_with_a_version_is_guarded_by_a_case():
    guarded = {part for cases in KINDS.values() for case in cases for part in case.parts}
    known = set(declared_parts.names())
    assert guarded <= known
    missing = known - guarded - set(UNPINNED)
    assert not missing, f"add a case to tests/golden_numbers for: {', '.join(sorted(missing))}"
    assert not guarded & set(UNPINNED) and set(UNPINNED) <= known


def test_metrics_of_one_name_have_one_version():
    tasks = declared_parts.REGISTRIES["task"]
    for task in ("classification", "zero_shot"):
        for name, metric in tasks.get(task).metrics.items():
            assert metric.version == declared_parts.metrics()[name].version, f"{name} of {task}"


def test_every_part_says_where_its_version_is():
    for part in declared_parts.names():
        assert "version" in declared_parts.place(part) or "prior_bench/versions.py" in declared_parts.place(
            part
        )


# --- the comparison itself ---

PARTS = ("images", "reader csv")


def case_of(numbers, **tolerances) -> Case:
    return Case("planted", PARTS, lambda folder: numbers, **tolerances)


def problem_of(pinned, found, versions=None, **tolerances) -> str:
    entry = {"versions": versions or declared_parts.versions(PARTS), "numbers": pinned}
    return pins.problem(case_of(found, **tolerances), entry, found)


def test_a_changed_number_names_the_part_the_version_and_the_command():
    message = problem_of({"dice": 0.5, "n": 3}, {"dice": 0.51, "n": 3})
    assert "dice: 0.5 pinned, 0.51 found" in message and "n: 3" not in message
    assert 'MACHINERY["images"] in prior_bench/versions.py' in message
    assert "of read in prior_bench/data/readers/csv/reader.py" in message
    assert "make golden" in message


def test_a_raised_version_must_be_pinned_even_where_no_number_changed():
    before = {**declared_parts.versions(PARTS), "images": 0}
    message = problem_of({"n": 3}, {"n": 3}, versions=before)
    assert "images 0 -> 1" in message and "make golden" in message
    assert "has no pinned numbers" in pins.problem(case_of({"n": 3}), None, {"n": 3})
    assert not problem_of({"n": 3}, {"n": 3})


@pytest.mark.parametrize(
    ("pinned", "found", "agrees"),
    [
        (1.0, 1.00009, True),
        (1.0, 1.0002, False),
        (3, 4, False),
        (3, 3.0, False),
        ("a", "b", False),
        (float("nan"), float("nan"), True),
        (float("nan"), 0.0, False),
        (float("inf"), 1e30, False),
        ([100.0, 0.0], [100.0, 0.009], True),  # relative to the largest of the list
        ([100.0, 0.0], [100.0, 0.02], False),
        ([1.0], [1.0, 2.0], False),
    ],
)
def test_integers_and_texts_are_equal_and_floats_within_tolerance(pinned, found, agrees):
    assert (not problem_of({"x": pinned}, {"x": found}, rtol=1e-4)) == agrees


def test_what_is_missing_or_new_is_a_change():
    assert "a: no longer there" in problem_of({"a": 1}, {})
    assert "b: not pinned" in problem_of({}, {"b": 1})
