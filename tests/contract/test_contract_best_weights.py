"""Which weights are tested, with a model of one number that counts the steps and metrics that are planted."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from torch import nn
from torch.utils.data import Dataset

from prior_bench.api import Protocol
from prior_bench.openmmlab.runner import train_and_test

NAN = float("nan")


class Counter(BaseModel):
    """Its only weight is the number of training steps made so far."""

    def __init__(self):
        super().__init__()
        self.steps = nn.Parameter(torch.zeros(()))

    def forward(self, mode="tensor", **inputs):
        return {"loss": -self.steps} if mode == "loss" else [{"steps": float(self.steps)}]


class Rows(Dataset):
    def __len__(self):
        return 2

    def __getitem__(self, row):
        return {"x": torch.zeros(1)}


class Planted(BaseMetric):
    """Says what was planted for the number of steps; keeps the numbers that it was asked for."""

    default_prefix = ""

    def __init__(self, values=()):
        super().__init__()
        self.values, self.asked = values, []

    def process(self, data_batch, data_samples):
        self.results.extend(sample["steps"] for sample in data_samples)

    def compute_metrics(self, results):
        self.asked.append(int(results[0]))
        return {"planted": self.values[int(results[0]) - 1] if self.values else 0.0}


def train(values, context, **stopping):
    """How many steps the tested weights had made, and how many validations there were."""
    valid, test = Planted(values), Planted()
    protocol = Protocol(
        "planted",
        "classification",
        optimizer=dict(type="SGD", lr=1.0),
        batch_size=2,
        stopping=dict(epochs=len(values), monitor="planted", **stopping),
    )
    rows = Rows()
    data = {"train": rows, "valid": rows, "test": rows}
    history = train_and_test(Counter, data, {"valid": valid, "test": test}, protocol, context)
    said = [values[entry["epoch"] - 1] for entry in history]
    assert [entry["planted"] for entry in history] == pytest.approx(said, nan_ok=True)
    assert valid.asked == [entry["epoch"] for entry in history]
    return SimpleNamespace(
        steps=test.asked, validations=len(history), epochs=[entry["epoch"] for entry in history]
    )


@pytest.mark.parametrize(
    "values, best",
    [
        ([0.1, 0.9, 0.5, 0.2], 2),
        ([0.1, 0.2, 0.5, 0.9], 4),
        ([0.9, 0.2, 0.5, 0.3], 1),
        ([0.1, 0.9, 0.9, 0.2], 2),  # of equally good ones the first
        ([0.5, 0.5, 0.5], 1),
        ([NAN, 0.1, NAN], 2),  # undefined is worst
        ([NAN, -5.0, -7.0], 2),
        ([NAN, NAN], 1),
    ],
)
def test_the_best_weights_are_tested_once(values, best, context):
    assert train(values, context).steps == [best]


def test_the_last_weights_are_tested_where_the_protocol_says_so(context):
    assert train([0.1, 0.9, 0.5, 0.2], context, tested="last").steps == [4]


@pytest.mark.parametrize(
    "patience, validations, best",
    [(None, 6, 6), (1, 2, 1), (2, 3, 1), (3, 6, 6)],
)
def test_patience_counts_validations_without_a_better_one(patience, validations, best, context):
    found = train([0.5, 0.4, 0.5, 0.6, 0.2, 0.9], context, patience=patience)
    assert (found.validations, found.steps) == (validations, [best])


def test_with_patience_the_best_weights_so_far_are_tested(context):
    found = train([0.1, 0.7, 0.6, 0.5, 0.9], context, patience=2)
    assert (found.validations, found.steps) == (4, [2])


@pytest.mark.parametrize(
    "how, epochs",
    [
        (dict(), [1, 2, 3, 4, 5, 6, 7]),
        (dict(interval=3), [3, 6, 7]),  # the last epoch always ends with a validation
        (dict(interval=2, first=4), [4, 6, 7]),
        (dict(interval=1, first=5), [5, 6, 7]),
    ],
)
def test_some_epochs_end_with_a_validation(how, epochs, context):
    found = train([0.9, 0.8, 0.1, 0.2, 0.1, 0.3, 0.2], context, **how)
    assert found.epochs == epochs
    assert found.steps == [1 if 1 in epochs else 6]


def test_patience_counts_validations_not_epochs(context):
    found = train([0.5, 0.5, 0.4, 0.4, 0.3, 0.3, 0.9, 0.9], context, interval=2, patience=2)
    assert (found.epochs, found.steps) == ([2, 4, 6], [2])
