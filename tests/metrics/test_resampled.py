"""Metrics from counts are those of the repeated samples."""

import numpy as np
import pytest

from prior_bench.metrics import classification, resampled
from prior_bench.metrics.classification import Case
from prior_bench.registry import TASKS
from prior_bench.statistics.bootstrap import bootstrap

CLASSES = ("Edema", "Effusion", "Mass")
ONE_BY_ONE = ("f1_best_on_test", "accuracy_best_on_test", "f1_class_1")


def case_of(seed: int, exclusive: bool, samples: int = 14) -> Case:
    """Few samples with ties, rare classes and, of several labels, unknown entries and a class undecided."""
    random = np.random.default_rng(seed)
    score = random.integers(0, 5, (samples, 3)) / 4
    if exclusive:
        return Case(score, np.eye(3)[random.choice(3, samples, p=[0.7, 0.25, 0.05])], True)
    target = (random.random((samples, 3)) < [0.5, 0.2, 0.05]).astype(float)
    target[random.random(target.shape) < 0.15] = np.nan
    return Case(score, target, False, np.array([0.5, 0.25, np.nan]))


def one_by_one(case, metrics, counts):
    draws = []
    for row in counts:
        rows = np.repeat(np.arange(len(row)), row)
        draws.append(
            classification.evaluate(
                case.score[rows],
                case.target[rows],
                CLASSES,
                metrics,
                exclusive=case.exclusive,
                thresholds=case.thresholds,
            )
        )
    return {name: np.array([draw[name] for draw in draws]) for name in draws[0]}


@pytest.mark.parametrize("exclusive", [True, False])
def test_every_metric_equals_that_of_the_repeated_samples(exclusive):
    metrics = tuple(name for name in resampled.METRICS if exclusive or name != "kappa")
    assert set(resampled.METRICS) | set(ONE_BY_ONE) == set(classification.METRICS)
    undefined = 0
    for seed in range(20):
        case = case_of(seed, exclusive)
        counts = np.random.default_rng(seed).multinomial(len(case.score), np.full(14, 1 / 14), size=30)
        found, wanted = resampled.evaluate(case, CLASSES, metrics, counts), one_by_one(case, metrics, counts)
        assert found.keys() == wanted.keys()
        for name, values in wanted.items():
            np.testing.assert_allclose(found[name], values, rtol=0, atol=1e-12, err_msg=name)
            undefined += np.isnan(values).sum()
    assert undefined, "or resamples without a class were not tried"


def test_metrics_that_choose_on_each_resample_are_not_computed_from_counts():
    case = case_of(0, exclusive=False)
    assert all(
        resampled.evaluate(case, CLASSES, ("auroc", name), np.ones((1, 14), int)) is None
        for name in ONE_BY_ONE
    )


def predictions_of(case: Case, **more) -> dict:
    thresholds = np.full(3, 0.5) if case.thresholds is None else case.thresholds
    return {
        "id": np.arange(14).astype(str),
        "patient_id": (np.arange(14) // 3).astype(str),
        "score": case.score,
        "target": case.target,
        "meta_classes": np.array(CLASSES),
        "meta_exclusive": np.array(case.exclusive),
        "meta_thresholds": thresholds,
        **more,
    }


@pytest.mark.parametrize("task", ["classification", "zero_shot"])
@pytest.mark.parametrize("more", [{}, {"meta_one_class": np.array(False)}])
@pytest.mark.parametrize("exclusive", [True, False])
def test_the_draws_of_tasks_are_those_of_their_own_score(task, more, exclusive, monkeypatch):
    monkeypatch.setattr("prior_bench.statistics.bootstrap.DRAWS_AT_ONCE", 14 * 7)
    predictions, task = predictions_of(case_of(3, exclusive), **more), TASKS.get(task)()
    metrics = ("auroc", "auprc", "accuracy", "f1", "recall")
    plain = bootstrap(lambda p: task.score(p, metrics), predictions, n=40, seed=5)
    asked = []

    def of_counts(found, counts):
        asked.append(len(counts))
        return task.score_resamples(found, metrics, counts)

    fast = bootstrap(None, predictions, n=40, seed=5, of_counts=of_counts)
    assert asked == [7] * 5 + [5] and fast.keys() == plain.keys()
    for name, values in plain.items():
        np.testing.assert_allclose(fast[name], values, rtol=0, atol=1e-12, err_msg=name)


@pytest.mark.parametrize(
    "task, metric", [("classification", "auroc_corrupted"), ("zero_shot", "auroc_corrupted")]
)
def test_other_metrics_of_a_task_are_scored_one_by_one(task, metric):
    predictions = predictions_of(case_of(0, False))
    assert TASKS.get(task)().score_resamples(predictions, (metric,), np.ones((2, 14), int)) is None
    scored = []

    def score(found):
        scored.append(found["id"])
        return {"any": 1.0}

    found = bootstrap(score, predictions, n=3, of_counts=lambda p, counts: None)
    assert found["any"].tolist() == [1, 1, 1] and len(scored) == 3


@pytest.mark.parametrize("drawn", [1, 2**22 + 1])
def test_counts_whose_sums_float32_does_not_hold_are_exact(drawn):
    case = case_of(0, exclusive=False)
    counts = np.full((1, 14), drawn, dtype=np.int64)
    counts[0, 0] = 1
    marks = np.ones((14, 1), dtype=bool)
    assert resampled.Counted(case, counts).sums(marks)[0, 0] == 1 + 13 * drawn
