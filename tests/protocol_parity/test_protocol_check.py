"""The check of protocols says what is true, and fails on every statement that is not."""

import json

import pytest

from prior_bench.cli import main
from prior_bench.errors import BenchError
from prior_bench.protocol_parity import check, statements
from prior_bench.protocol_parity.ingredients import TASK_INGREDIENTS, Ingredient, ingredients_of
from prior_bench.protocol_parity.official import official_runs
from prior_bench.protocol_parity.statements import Status, stated_protocols, statements_of, verified_count
from prior_bench.protocol_parity.values import differing

NAME = "mgca/linear_rsna"
COMMIT = "680fe4a6ee0cc454ab58fd1a8b28fee81c03d742"


@pytest.fixture
def world(tmp_path, monkeypatch):
    """Two ingredients of one protocol: ``lr`` doubles its input, ``loss`` has nothing to compute it."""
    listed = {
        "lr": Ingredient("doubles", lambda protocol, given: {"first": 2 * given["x"], "second": 5.0}),
        "loss": Ingredient("nothing"),
    }
    monkeypatch.setattr(check, "ingredients_of", lambda task: listed)
    folder = tmp_path / "configs/protocols/mgca"
    folder.mkdir(parents=True)
    (folder / "linear_rsna.py").touch()
    monkeypatch.setattr(statements.paths, "shipped", lambda name: tmp_path / name)
    monkeypatch.setattr(check.protocols, "load", lambda name: type("P", (), {"task": "classification"}))

    def run(stated, measured, **fixture):
        (folder / "ingredients.json").write_text(json.dumps({"linear_rsna": stated}))
        content = {"repository": "a/b", "commit": COMMIT, "protocols": [NAME], "ingredients": measured}
        place = tmp_path / "golden/mgca"
        place.mkdir(parents=True, exist_ok=True)
        (place / "linear.json").write_text(json.dumps({**content, **fixture}))
        return {o.statement.ingredient: o for o in check.check_protocols(tmp_path / "golden")}

    return run


def measured(first=6.0, second=5.0, **more):
    return {"lr": {"ran": "f", "given": {"x": 3.0}, "expected": {"first": first, "second": second}, **more}}


VERIFIED = {"lr": {"status": "verified", "commit": "680fe4a"}, "loss": {"status": "unknown"}}


def test_an_equal_ingredient_is_verified(world):
    found = world(VERIFIED, measured())
    assert not found["lr"].failed and found["lr"].compared == 2
    assert not found["loss"].failed and not found["loss"].compared


def test_a_differing_quantity_fails_and_is_named(world):
    found = world(VERIFIED, measured(first=6.1))["lr"]
    assert found.failed and "first" in found.text and "second" not in found.text


def test_the_tolerance_of_a_fixture_counts(world):
    assert not world(VERIFIED, measured(first=6.1, tolerance={"fi*": 0.02}))["lr"].failed
    assert world(VERIFIED, measured(first=6.1, tolerance={"se*": 0.02}))["lr"].failed


def test_a_statement_without_a_fixture_fails_only_if_it_claims_one(world):
    assert world(VERIFIED, {})["lr"].failed
    for status in ("read", "paper", "unknown", "deviates"):
        assert not world({**VERIFIED, "lr": {"status": status}}, {})["lr"].failed


def test_a_fixture_without_a_claim_fails(world):
    assert world({**VERIFIED, "lr": {"status": "read"}}, measured())["lr"].failed


@pytest.mark.parametrize("commit", ["", "1234567"])
def test_the_commit_must_be_that_of_the_fixture(world, commit):
    assert world({**VERIFIED, "lr": {"status": "verified", "commit": commit}}, measured())["lr"].failed


def test_a_deviation_must_be_one(world):
    stated = {"lr": {"status": "deviates", "commit": "680fe4a", "note": "n"}, "loss": {"status": "unknown"}}
    assert not world(stated, measured(first=7.0))["lr"].failed
    stale = world(stated, measured())["lr"]
    assert stale.failed and "no longer deviates" in stale.text


def test_only_the_named_quantities_may_deviate(world):
    stated = {
        "lr": {"status": "deviates", "commit": "680fe4a", "except": ["first"]},
        "loss": {"status": "read"},
    }
    assert not world(stated, measured(first=7.0))["lr"].failed
    assert world(stated, measured(first=7.0, second=6.0))["lr"].failed
    assert world(stated, measured(second=6.0))["lr"].failed


def test_each_ingredient_needs_a_statement_and_no_other_may_have_one(world):
    assert world({"lr": VERIFIED["lr"]}, measured())["loss"].failed
    assert world({**VERIFIED, "colour": {"status": "read"}}, measured())["colour"].failed


def test_what_nothing_computes_is_not_verified(world):
    stated = {**VERIFIED, "loss": {"status": "verified", "commit": "680fe4a"}}
    both = {**measured(), "loss": {"ran": "f", "given": {}, "expected": {"x": 1}}}
    found = world(stated, both)["loss"]
    assert found.failed and "nothing computes it" in found.text


def test_an_empty_fixture_and_a_stopped_computation_fail(world):
    assert world(VERIFIED, {"lr": {"ran": "f", "given": {"x": 1}, "expected": {}}})["lr"].failed
    stopped = world(VERIFIED, {"lr": {"ran": "f", "given": {}, "expected": {"first": 1}}})["lr"]
    assert stopped.failed and "KeyError" in stopped.text


def test_a_damaged_fixture_names_its_file(world):
    with pytest.raises(BenchError, match="not a fixture of official code") as caught:
        world(VERIFIED, {"lr": {"ran": "f", "grain": {}}})
    assert "linear.json" in str(caught.value)


def test_two_fixtures_of_one_ingredient_are_refused(world, tmp_path):
    world(VERIFIED, measured())
    place = tmp_path / "golden/mgca"
    (place / "second.json").write_text((place / "linear.json").read_text())
    with pytest.raises(BenchError, match="states lr of mgca/linear_rsna"):
        official_runs(tmp_path / "golden")


@pytest.mark.parametrize("wrong", [{"status": "proven"}, {"status": "read", "reason": "x"}, {}])
def test_a_wrong_statement_is_refused(world, wrong):
    with pytest.raises(BenchError):
        world({**VERIFIED, "lr": wrong}, measured())


def test_the_count_of_verified_ingredients(world):
    world(VERIFIED, measured())
    assert verified_count(NAME) == (1, 2)
    assert verified_count("mgca/other") is None and verified_count("own.py") is None
    assert statements_of(NAME)["lr"].status is Status.VERIFIED and stated_protocols() == [NAME]


# --- values


@pytest.mark.parametrize(
    ("ours", "theirs", "same"),
    [
        (1.0, 1.0 + 1e-8, True),
        (1.0, 1.0 + 1e-5, False),
        ([1, 2], [1, 3], False),
        ([1, 2], [1, 2, 3], False),
        ((1, 2), [1, 2], True),
        (float("nan"), float("nan"), True),
        ([1.0, float("nan")], [float("nan"), 1.0], False),
        (["a", "b"], ["a", "b"], True),
        (["a", "b"], ["b", "a"], False),
        ([[1], [2, 3]], [[1], [2, 3]], True),
        (True, False, False),
        (None, None, True),
        (None, 1, False),
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1}, {"a": 2}, False),
        (0.0, 1e-13, True),
        (0.0, 1e-9, False),
    ],
)
def test_values_compare(ours, theirs, same):
    assert (differing({"q": ours}, {"q": theirs}, {}) == {}) is same


# --- the real ones


@pytest.mark.parametrize("task", sorted(TASK_INGREDIENTS.names()))
def test_each_task_lists_ingredients(task):
    assert len(ingredients_of(task)) >= 4 and all(one.meaning for one in ingredients_of(task).values())


def test_the_command_fails_where_a_statement_is_wrong(tmp_path, capsys):
    folder = tmp_path / "mgca"
    folder.mkdir()
    lie = {"metric": {"ran": "f", "given": {}, "expected": {"auroc": 2.0}}}
    content = {"repository": "a/b", "commit": "0" * 40, "protocols": [NAME], "ingredients": lie}
    (folder / "a.json").write_text(json.dumps(content))
    assert main(["parity", str(tmp_path), "--only", NAME]) == 1
    assert f"FAIL  {NAME}  metric" in capsys.readouterr().out
