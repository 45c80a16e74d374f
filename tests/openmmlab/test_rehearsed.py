from dataclasses import replace

import numpy as np
import pytest

from prior_bench.api import Protocol, Rehearsal, RehearsalSize
from prior_bench.openmmlab.runner import train_and_test
from prior_bench.probing.data import LabelledFeatures
from prior_bench.probing.gradient import Scores
from prior_bench.probing.model import Classifier

PROTOCOL = Protocol(
    "p",
    "classification",
    optimizer=dict(type="AdamW", lr=1e-2),
    batch_size=8,
    stopping=dict(epochs=50, patience=None, monitor="minus_loss", tested="best"),
)


def trained(context, rehearsal, protocol=PROTOCOL):
    rng = np.random.default_rng(0)
    targets = {
        part: rng.integers(2, size=(count, 1)) for part, count in (("train", 80), ("valid", 30), ("test", 40))
    }
    data = {
        part: LabelledFeatures(rng.normal(size=(len(t), 4)).astype(np.float32), t.astype(np.float32))
        for part, t in targets.items()
    }
    scores = {part: Scores(targets[part].astype(np.float32), False) for part in ("valid", "test")}
    build = lambda: Classifier(None, 4, 1, exclusive=False, frozen=PROTOCOL.frozen, head={})  # noqa: E731
    history = train_and_test(build, data, scores, protocol, replace(context, rehearsal=rehearsal))
    return history, scores


def test_few_steps_are_done_and_the_real_ones_counted(context):
    rehearsal = Rehearsal(RehearsalSize(1e-5, 2))
    history, scores = trained(context, rehearsal)
    assert [entry["iteration"] for entry in history] == [1, 2]
    measured = {m.what: m for m in rehearsal.measured}
    training = measured["training"]
    assert (training.steps, training.batch, training.real) == (500, 8, 4000), "50 epochs of 10 steps of 8"
    assert training.done == 2, "one step of two images: the first one is warm-up"
    assert (measured["valid"].done, measured["valid"].real) == (4, 50 * 30)
    assert (measured["test"].done, measured["test"].real) == (2, 40)
    assert (measured["metrics of valid"].done, measured["metrics of valid"].real) == (2, 50)
    assert training.kind == "frozen" and all(m.seconds > 0 for m in rehearsal.measured)


def test_only_the_epochs_that_validate_are_counted(context):
    rehearsal = Rehearsal(RehearsalSize(1e-5, 2))
    late = replace(PROTOCOL, stopping={**PROTOCOL.stopping, "epochs": 12, "first": 4, "interval": 5})
    trained(context, rehearsal, late)
    measured = {m.what: m for m in rehearsal.measured}
    assert measured["valid"].real == 3 * 30, "after epochs 4, 9 and 12, which is the last"
    assert measured["training"].steps == 120


def test_metrics_have_the_real_number_of_images(context):
    _, scores = trained(context, Rehearsal(RehearsalSize(1e-5, 2)))
    assert scores["test"].score.shape == (40, 1)
    assert len(np.unique(scores["test"].score)) == 2, "of two images that were computed"


def test_a_larger_factor_does_more_with_the_real_batch(context):
    rehearsal = Rehearsal(RehearsalSize(0.1))
    history, scores = trained(context, rehearsal)
    assert [entry["iteration"] for entry in history] == [25, 50]
    assert rehearsal.measured[0].done == 49 * 8
    assert len(np.unique(scores["test"].score)) == 4


def test_a_real_run_does_all_and_measures_nothing(context):
    history, scores = trained(context, None)
    assert len(history) == 50 and len(np.unique(scores["test"].score)) == 40


def test_results_of_dense_tasks_are_placed_in_their_rows():
    from prior_bench.openmmlab.collectors import SegmentationCollector
    from prior_bench.openmmlab.rehearsed import Repeated

    collector = SegmentationCollector(("dice_micro",))
    some = np.packbits(np.eye(4, dtype=bool))
    collector.results = [(7, 4, 0, 0.0, 0.5, some, some), (3, 4, 0, 0.0, 0.5, some, some)]
    assert Repeated(collector, 5).evaluate(2)["dice_micro"] == pytest.approx(1.0)
    assert list(collector.rows) == [0, 1, 2, 3, 4] and len(collector.true) == 5
