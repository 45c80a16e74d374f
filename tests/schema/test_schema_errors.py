"""pydantic's errors in our words: all at once, with key, value, what is allowed and the nearest name."""

from typing import Annotated, Literal

import pytest
from pydantic import Field, model_validator

from prior_bench.errors import ErrorList
from prior_bench.schema.base import Count, Distinct, OneOf, Positive, Problems, Several, Share, Strict, Text
from prior_bench.schema.errors import ALLOWED, LONGEST, attempted, checked, dotted, shown


class _Round(Strict):
    type: Literal["round"]
    radius: Positive


class _Square(Strict):
    type: Literal["square"]
    side: Positive


class _Whole(Strict):
    name: Text
    shapes: Several[Annotated[_Round | _Square, Field(discriminator="type")]] = ()
    flag: bool = False
    count: Count = 1
    share: Share = 1.0
    names: Distinct[Annotated[str, OneOf("fruit", ("apple", "pear"))]] = ()
    mode: Literal["fast", "slow"] = "fast"
    inner: dict[str, _Round] = {}

    @model_validator(mode="after")
    def _fits(self):
        problems = Problems()
        if self.mode == "slow" and self.flag:
            problems.add("mode", self.mode, "is slow, which flag rules out", "clear flag")
            problems.add("inner.x", self.inner, "is not needed")
        problems.raise_any()
        return self


WRONG = [
    (dict(), "the key 'name' is missing"),
    (dict(name=3), "name: is 3; must be text"),
    (dict(name=""), "name: is ''; must be text that is not empty"),
    (dict(name="n", flag="false"), "flag: is 'false'; must be true or false"),
    (dict(name="n", flag=0), "flag: is 0; must be true or false"),
    (dict(name="n", count=1.0), "count: is 1.0; must be a whole number"),
    (dict(name="n", count=True), "count: is True; must be a whole number"),
    (dict(name="n", count=0), "count: is 0; must be at least 1"),
    (dict(name="n", share="1"), "share: is '1'; must be a number"),
    (dict(name="n", share=0), "share: is 0; must be above 0"),
    (dict(name="n", share=1.5), "share: is 1.5; must be at most 1"),
    (dict(name="n", share=float("nan")), "share: is nan; must be a finite number"),
    (dict(name="n", names="apple"), "names: is 'apple'; must be a list"),
    (dict(name="n", names=["aple"]), "names[0]: unknown fruit 'aple'\n  fix: did you mean apple"),
    (dict(name="n", names=["pear", "pear"]), "must be without repetition; 'pear' occurs twice"),
    (dict(name="n", mode="fsat"), "mode: unknown choice 'fsat'\n  fix: did you mean fast?"),
    (dict(name="n", mode=1), "mode: is 1; must be 'fast' or 'slow'"),
    (dict(name="n", coutn=1), "unknown key 'coutn'\n  fix: did you mean count?"),
    (dict(name="n", shapes=[dict(type="rond", radius=1)]), "shapes[0].type: unknown choice 'rond'"),
    (dict(name="n", shapes=[dict(radius=1)]), "shapes[0]: the key 'type' is missing"),
    (dict(name="n", shapes=[dict(type="round", radius=0)]), "shapes[0].radius: is 0; must be above 0"),
    (dict(name="n", shapes=[dict(type="square", radius=1, side=1)]), "shapes[0]: unknown key 'radius'"),
    (dict(name="n", shapes=[3]), "shapes[0]: is 3; must be a dict"),
    (dict(name="n", inner=dict(x=dict(type="round", radus=1))), "inner.x: unknown key 'radus'"),
    (dict(name="n", inner=[]), "inner: is []; must be a dict"),
]


@pytest.mark.parametrize(("values", "message"), WRONG, ids=[message[:40] for _, message in WRONG])
def test_one_problem_says_key_value_and_what_is_allowed(values, message):
    made, errors = attempted(_Whole, values)
    assert made is None
    assert message in "\n".join(map(str, errors))


def test_all_problems_come_at_once_under_the_name_of_the_file():
    values = dict(flag="no", count=0, names=["plum"], shapes=[dict(type="round", radius="x")], fast=1)
    with pytest.raises(ErrorList) as caught:
        checked(_Whole, values, where="some.py", what="this cannot be used:")
    message = str(caught.value)
    assert message.startswith("some.py: this cannot be used:\n- ")
    assert len(caught.value.errors) == 6
    for part in ("'name' is missing", "flag: ", "count: ", "names[0]: ", "shapes[0].radius: ", "'fast'"):
        assert part in message


def test_problems_between_fields_come_together_each_with_its_key_and_fix():
    _, errors = attempted(_Whole, dict(name="n", mode="slow", flag=True), "evaluations[0]")
    assert [str(error.where) for error in errors] == ["evaluations[0].mode", "evaluations[0].inner.x"]
    assert errors[0].fix == "clear flag"


def test_a_prefix_stands_before_every_key():
    _, errors = attempted(_Whole, dict(nam="n", flag="x"), "rows[2]")
    assert {str(error.where) for error in errors} == {"rows[2]", "rows[2].flag"}


def test_what_is_right_is_kept_as_it_was_written():
    made = checked(_Whole, dict(name="n", share=1, names=["pear"]))
    assert made.share == 1 and isinstance(made.share, int), "an int stays the int that it was"
    assert made.names == ("pear",)


def test_keys_and_values_in_words():
    assert dotted("stages", 0, "epochs") == "stages[0].epochs" and dotted() == ""
    assert shown("x" * 200).endswith("…") and len(shown("x" * 200)) == LONGEST


def test_every_kind_of_error_of_the_table_is_one_of_pydantic():
    from typing import get_args

    from pydantic_core.core_schema import ErrorType

    assert set(ALLOWED) <= {*get_args(ErrorType), "allowed"}
