"""The length of training in a protocol: what goes together, and what the messages say."""

import pytest

from prior_bench.schema.errors import attempted
from prior_bench.schema.protocol import Stopping

EPOCHS = dict(epochs=20, monitor="auroc")
STEPS = dict(iterations=100, interval=10, monitor="auroc")


@pytest.mark.parametrize(
    "given",
    [
        EPOCHS,
        {**EPOCHS, "interval": 5},
        {**EPOCHS, "interval": 5, "first": 10},
        {**EPOCHS, "interval": 50, "first": 100},  # a short run keeps what a long one says
        {**EPOCHS, "last_batch": "kept"},
        STEPS,
        {**STEPS, "last_batch": "carried"},
    ],
)
def test_lengths_that_go_together(given):
    assert Stopping.model_validate(given)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (dict(monitor="auroc"), "one length of training"),
        ({**EPOCHS, "iterations": 5}, "one length of training"),
        ({"iterations": 5, "monitor": "auroc"}, "one length of training"),
        ({"interval": 5, "monitor": "auroc"}, "one length of training"),
        ({**STEPS, "first": 2}, "counts epochs"),
        ({**STEPS, "last_batch": "kept"}, "belongs to epochs"),
    ],
)
def test_lengths_that_do_not(given, says):
    made, errors = attempted(Stopping, given)
    assert made is None and any(says in str(error) for error in errors), errors
