import numpy as np
import pytest

from prior_bench.api import Metric
from prior_bench.data.images.corruptions import conditions
from prior_bench.metrics import classification, robustness
from prior_bench.statistics.bootstrap import bootstrap

TARGET = np.array([[1.0], [1], [0], [0]])
OPTIONS = {"corruptions": ("noise", "blur"), "severities": (1, 2)}
SCORES = {  # and their AUROCs: how many of the four pairs are in order
    "clean": ([0.9, 0.8, 0.2, 0.1], 1.0),
    "noise_1": ([0.9, 0.3, 0.4, 0.1], 0.75),
    "noise_2": ([0.2, 0.3, 0.9, 0.1], 0.5),
    "blur_1": ([0.9, 0.8, 0.2, 0.1], 1.0),
    "blur_2": ([0.1, 0.9, 0.2, 0.3], 0.5),
}


def clean_score(predictions, metrics):
    return classification.evaluate(predictions["score"], predictions["target"], ("Edema",), metrics)


@pytest.fixture
def predictions():
    scores = [np.array(values)[:, None] for values, _ in SCORES.values()]
    return {
        "id": np.array(list("abcd")),
        "patient_id": np.array(list("abcd")),
        "score": scores[0],
        "target": TARGET,
        **robustness.corrupted_predictions(conditions(OPTIONS), scores[1:]),
    }


def test_a_worked_example(predictions):
    assert predictions["corrupted_score"].shape == (4, 4, 1)
    assert predictions["meta_corruptions"].tolist() == list(SCORES)[1:]
    found = robustness.score(clean_score, predictions, ("auroc", "auroc_corrupted", "auroc_drop"))
    assert found == {
        "auroc": 1.0,
        "auroc/Edema": 1.0,
        **{f"auroc_corrupted/{name}": value for name, (_, value) in SCORES.items() if name != "clean"},
        "auroc_corrupted": (0.75 + 0.5 + 1 + 0.5) / 4,
        "auroc_corrupted/noise": 0.625,
        "auroc_corrupted/blur": 0.75,
        "auroc_drop": 1 - (0.75 + 0.5 + 1 + 0.5) / 4,
        "auroc_drop/noise": 0.375,
        "auroc_drop/blur": 0.25,
    }


def test_any_metric_may_be_asked_for_without_the_clean_one(predictions):
    found = robustness.score(clean_score, predictions, ("accuracy_corrupted",))
    assert found["accuracy_corrupted/noise_1"] == 0.75 and found["accuracy_corrupted/blur_1"] == 1
    assert "accuracy" not in found


def test_clean_metrics_need_no_corrupted_scores(predictions):
    plain = {name: values for name, values in predictions.items() if "corrupt" not in name}
    assert robustness.score(clean_score, plain, ("auroc",)) == clean_score(plain, ("auroc",))


def test_patients_are_resampled_with_all_their_conditions(predictions):
    drawn = bootstrap(lambda p: robustness.score(clean_score, p, ("auroc_drop",)), predictions, n=50)
    apart = [
        bootstrap(
            lambda p, s=s: robustness.score(clean_score, {**p, "score": s(p)}, ("auroc",)), predictions, n=50
        )
        for s in (lambda p: p["score"], *(lambda p, k=k: p["corrupted_score"][:, k] for k in (0, 1)))
    ]
    clean, first, second = (draws["auroc"] for draws in apart)
    np.testing.assert_allclose(drawn["auroc_drop/noise"], clean - (first + second) / 2)
    assert np.isnan(drawn["auroc_drop"]).any(), "resamples of one label only"


def test_predictors_that_do_not_look_lose_nothing():
    predictors = {"chance": {"auroc": 0.5, "auroc/Edema": 0.5, "f1": 0.3}, "majority": {"f1": 0.4}}
    found = robustness.trivial(predictors, ("auroc", "auroc_corrupted", "auroc_drop"), conditions(OPTIONS))
    chance = found["chance"]
    assert chance["auroc_corrupted"] == chance["auroc_corrupted/blur_2"] == chance["auroc/Edema"] == 0.5
    assert chance["auroc_drop"] == chance["auroc_drop/noise"] == 0 and "f1" not in chance
    assert found["majority"] == {}
    assert robustness.trivial(predictors, ("auroc", "f1"), ()) == predictors


def test_what_is_lost_may_be_gained_and_is_bounded_by_the_span():
    clean = {
        "auroc": Metric("auroc", title="AUROC", chance=0.5),
        "kappa": Metric("kappa", bounds=(-1.0, 1.0)),
        "rank": Metric("rank", bounds=(1.0, None)),
        "depth": Metric("depth", bounds=(None, 1.0)),
    }
    found = robustness.described(clean)
    assert set(found) == {f"{name}_{ending}" for name in clean for ending in ("corrupted", "drop")}
    bounds = {name: found[f"{name}_drop"].bounds for name in clean}
    assert bounds == {"auroc": (-1, 1), "kappa": (-2, 2), "rank": (None, None), "depth": (None, None)}
    assert all(found[f"{name}_corrupted"].bounds == metric.bounds for name, metric in clean.items())
    assert {found[f"{name}_drop"].direction for name in clean} == {"lower"}
    assert (found["auroc_corrupted"].chance, found["auroc_drop"].chance) == (0.5, None)
