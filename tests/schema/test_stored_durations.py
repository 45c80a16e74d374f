"""Durations of records that others sent."""

import pytest
from pydantic import ValidationError

from prior_bench.schema.records import StoredProvenance


@pytest.mark.parametrize(
    "seconds", [1e308, 10**400, -1.0, float("nan")], ids=["1e308", "long", "negative", "nan"]
)
def test_a_run_takes_a_time_that_it_can_take(seconds):
    assert StoredProvenance(wall_seconds=5e8).wall_seconds == 5e8
    with pytest.raises(ValidationError, match="wall_seconds"):
        StoredProvenance(wall_seconds=seconds)
