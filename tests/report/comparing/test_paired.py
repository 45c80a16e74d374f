"""The paired test of two runs against a permutation test, which assumes nothing in common with it."""

from collections import Counter
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from scored_store import CLASSES, save

from prior_bench.metrics.classification import evaluate
from prior_bench.report.comparing import run_parts
from prior_bench.report.comparing.paired import paired_difference
from prior_bench.report.comparing.run_parts import NotTested, RunParts, SamplesOfRuns
from prior_bench.report.runs.draws import load_predictions, metric_draws
from prior_bench.statistics.delong import contributions
from prior_bench.store.store import Store


def permutation_p(one: dict, two: dict, metric: str, draws: int = 2000) -> float:
    """Both methods' scores of a patient change places with probability 1/2; share of changes as large."""

    def value(score):
        return evaluate(score, one["target"], CLASSES, (metric,))[metric]

    random = np.random.default_rng(0)
    _, patient = np.unique(one["patient_id"], return_inverse=True)
    observed, larger = value(one["score"]) - value(two["score"]), 0
    for _ in range(draws):
        swap = (random.random(patient.max() + 1) < 0.5)[patient][:, None]
        first = np.where(swap, two["score"], one["score"])
        second = np.where(swap, one["score"], two["score"])
        larger += abs(value(first) - value(second)) >= abs(observed) - 1e-12
    return larger / draws


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["auroc", "auprc", "f1"])
@pytest.mark.parametrize("skill", [1.1, 1.4])
def test_p_values_are_those_of_a_permutation_test(tmp_path, metric, skill):
    store = Store(tmp_path / "s")
    one, two = (save(store, name, s, metrics=(metric,)) for name, s in (("A", 1.0), ("B", skill)))
    found = paired_difference({0: two}, {0: one}, metric)
    expected = permutation_p(*(load_predictions(store.root, run.key) for run in (two, one)), metric)
    assert found.p == pytest.approx(expected, abs=0.05)


def test_an_auroc_is_tested_by_delong_and_another_metric_by_the_bootstrap(tmp_path, monkeypatch):
    store = Store(tmp_path / "s")
    one, two = ({0: save(store, name, s, metrics=("auroc", "f1"))} for name, s in (("A", 1.0), ("B", 1.3)))
    drawn = []
    monkeypatch.setattr(
        "prior_bench.report.comparing.run_parts.metric_draws",
        lambda record, store, metric: (
            drawn.append(metric) or np.random.default_rng(len(drawn)).normal(size=99)
        ),
    )
    found = paired_difference(two, one, "auroc")
    assert drawn == []
    first, second = (load_predictions(store.root, side[0].key) for side in (two, one))
    shares = [contributions(side["score"], side["target"]) for side in (first, second)]
    by_patient = (shares[0] - shares[1]).reshape(-1, 2).sum(1)  # two images each
    assert found.error == pytest.approx(np.sqrt((by_patient**2).sum()))
    paired_difference(two, one, "f1")
    assert drawn == ["f1", "f1"]


@pytest.mark.parametrize("metric", ["auroc", "auroc/Edema", "f1"])
def test_shared_parts_give_the_same_and_read_each_run_once(tmp_path, metric, monkeypatch):
    store, read = Store(tmp_path / "s"), []
    methods = [
        {seed: save(store, name, skill, seed) for seed in (0, 1)}
        for name, skill in (("A", 0.5), ("B", 1.0), ("C", 2.0))
    ]
    alone = [paired_difference(one, two, metric) for one, two in combinations(methods, 2)]
    monkeypatch.setattr(
        run_parts, "load_predictions", lambda root, key: read.append(key) or load_predictions(root, key)
    )
    parts = RunParts(metric)
    shared = [paired_difference(one, two, metric, parts=parts) for one, two in combinations(methods, 2)]
    assert shared == alone and len({found.error for found in shared}) == 3
    assert max(Counter(read).values()) <= 2  # for its samples, and for its contributions


def test_runs_in_another_order_have_the_same_samples(tmp_path):
    store = Store(tmp_path / "s")
    one, two = (save(store, name, skill) for name, skill in (("A", 0.5), ("B", 1.0)))
    expected = paired_difference({0: one}, {0: two}, "auroc")
    found = load_predictions(store.root, two.key)
    mixed = np.random.default_rng(0).permutation(len(found["id"]))
    other = {k: v if k.startswith("meta_") else v[mixed] for k, v in found.items()}
    elsewhere = Store(tmp_path / "t")
    elsewhere.save(two.record, other)
    other_order = {0: replace(two, store=elsewhere)}
    for moved in (
        paired_difference({0: one}, other_order, "auroc"),
        paired_difference(other_order, {0: one}, "auroc"),
    ):
        assert moved.error == pytest.approx(expected.error, rel=1e-12) and moved.error > 0
    other["id"] = np.array([f"x{name}" for name in other["id"]])
    strange = Store(tmp_path / "u")
    strange.save(two.record, other)
    with pytest.raises(NotTested, match="the test samples differ"):
        paired_difference({0: one}, {0: replace(two, store=strange)}, "auroc")


def test_the_error_is_that_of_the_mean_over_all_seeds(tmp_path):
    store = Store(tmp_path / "s")
    one, two = ({seed: save(store, n, skill, seed) for seed in (0, 1)} for n, skill in (("A", 0.5), ("B", 1)))

    def of(run):
        found = load_predictions(store.root, run.key)
        return contributions(found["score"], found["target"])

    seeds = [of(one[seed]) - of(two[seed]) for seed in (0, 1)]
    by_patient = np.mean(seeds, axis=0).reshape(-1, 2).sum(1)  # two images each
    assert paired_difference(one, two, "auroc").parts[0][0] == pytest.approx((by_patient**2).sum())
    drawn = [
        np.mean([metric_draws(run.record, run.store, "f1") for run in side.values()], axis=0)
        for side in (one, two)
    ]
    expected = (drawn[0] - drawn[1]).var(ddof=1)
    assert paired_difference(one, two, "f1").parts[0][0] == pytest.approx(expected)


def test_the_samples_of_a_run_are_read_once_for_all_metrics(tmp_path, monkeypatch):
    store, read = Store(tmp_path / "s"), []
    one, two = ({0: save(store, name, skill)} for name, skill in (("A", 0.5), ("B", 1.0)))
    monkeypatch.setattr(
        run_parts, "load_predictions", lambda root, key: read.append(key) or load_predictions(root, key)
    )
    samples = SamplesOfRuns()
    for metric in ("f1", "f1/Edema"):  # their draws read predictions elsewhere
        paired_difference(one, two, metric, parts=RunParts(metric, samples))
    assert sorted(Counter(read).values()) == [1, 1]
