"""The linear probe: the validation split chooses, and the scaler knows the training rows alone."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from invariance import (
    assert_equal,
    assert_history_equal,
    in_folder,
    opposite,
    reordered,
    rows_of,
    without,
)
from PIL import Image
from sklearn.linear_model import LogisticRegression
from tiny_data import CLASSES, tiny_manifest

from prior_bench.metrics.classification import auroc, evaluate
from prior_bench.mock import mock_backbone
from prior_bench.probing.logistic import probe
from prior_bench.suites import protocols
from tasks.classification import Classification

TASK = Classification()
PROTOCOL = protocols.load("clean/linear_probe")
STRENGTHS = (1e-3, 1e-2, 0.1, 1.0)
PARTS = ("train", "valid", "test")


@pytest.fixture(params=[False, True], ids=["multi_label", "exclusive"])
def data(request, tmp_path):
    """Noise is added to the pixels, so that scores spread and strengths differ."""
    folder = tmp_path / "data"
    folder.mkdir()
    return noisy(tiny_manifest(folder, exclusive=request.param))


def noisy(data):
    rng = np.random.default_rng(1)
    for name in data.table["image"]:
        pixels = np.array(Image.open(data.root / name)).astype(float)
        pixels += rng.normal(0, 60) + rng.normal(0, 60, 3).repeat(len(pixels) // 3)[:, None]
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(data.root / name)
    return data


def run(data, context, name, protocol=PROTOCOL, **changes):
    return TASK.run(mock_backbone(), data, protocol, in_folder(context, name, **changes))


# --- the task ---------------------------------------------------------------------------------------------


def test_test_labels_change_metrics_alone(data, context):
    first = run(data, context, "first")
    other = run(opposite(data, "test"), context, "other")
    assert_equal(first, other, ("id", "score", "meta_thresholds", "example_row", "example_embedding"))
    assert_history_equal(first, other)
    assert first.split["hash"] == other.split["hash"]
    assert first.metrics["auroc"] != other.metrics["auroc"]
    mixed = run(reordered(data, "test", CLASSES), context, "mixed")
    assert_equal(first, mixed, ("score", "meta_thresholds"))
    assert_history_equal(first, mixed)


def test_other_test_rows_change_nothing_for_those_that_stay(data, context):
    whole, part = run(data, context, "whole"), run(without(data, "test"), context, "part")
    kept = part.predictions["id"]
    assert 0 < len(kept) < len(whole.predictions["id"])
    rows = rows_of(whole, kept)
    np.testing.assert_allclose(part.predictions["score"], whole.predictions["score"][rows], atol=1e-6)
    np.testing.assert_array_equal(part.predictions["target"], whole.predictions["target"][rows])
    assert_equal(part, whole, ("meta_thresholds",))
    assert_history_equal(part, whole)


def test_validation_labels_choose_strength_and_thresholds(data, context):
    first = run(data, context, "first")
    other = run(opposite(data, "valid"), context, "other")
    for one, another in zip(first.history, other.history, strict=True):
        assert one["C"] == another["C"] and one["auroc"] == pytest.approx(1 - another["auroc"])
    assert len({entry["auroc"] for entry in first.history}) > 1
    assert not np.array_equal(first.predictions["score"], other.predictions["score"])
    assert not np.array_equal(first.predictions["meta_thresholds"], other.predictions["meta_thresholds"])


def test_thresholds_are_the_best_of_the_validation_split(data, context):
    """Where the test images are those of the validation split, no threshold has a higher F1."""
    table = data.table[data.table["split"] != "test"]
    copied = table[table["split"] == "valid"].assign(split="test")
    copied["id"] += "#test"
    both = replace(data, table=type(table)(np.concatenate([table, copied]), columns=table.columns))
    both = replace(both, table=both.table.astype(dict.fromkeys(CLASSES, float)))
    predictions = run(both, context, "both").predictions
    score, target, thresholds = (predictions[name] for name in ("score", "target", "meta_thresholds"))
    names = ("f1", "f1_best_on_test")
    values = evaluate(score, target, CLASSES, names, thresholds=thresholds)
    assert [values[f"f1/{c}"] for c in CLASSES] == [values[f"f1_best_on_test/{c}"] for c in CLASSES]
    for c, threshold in enumerate(thresholds):
        assert threshold not in score[:, c] or threshold == score[:, c].min()


def test_a_given_threshold_is_used_for_all_classes(data, context):
    given = replace(PROTOCOL, options={"threshold": 0.3})
    assert run(data, context, "given", given).predictions["meta_thresholds"].tolist() == [0.3, 0.3]


@pytest.mark.parametrize("fraction", [0.5, 1.0])
def test_the_scaler_knows_the_labelled_training_images_alone(data, context, fraction):
    """All other images but one turn white or black; the score of that one stays."""
    first = run(data, context, "first", fraction=fraction)
    table, kept = data.table, first.predictions["id"][5]
    labelled = labelled_ids(data, context, fraction)
    strange = ~table["id"].isin([*labelled, kept]) & (table["split"] != "valid")
    assert (strange & (table["split"] == "train")).any() == (fraction < 1)
    for i, name in enumerate(table.loc[strange, "image"]):
        pixels = np.array(Image.open(data.root / name))
        Image.fromarray(np.full_like(pixels, 255 * (i % 2))).save(data.root / name)
    other = run(data, context, "other", fraction=fraction)
    assert not np.allclose(first.predictions["score"], other.predictions["score"], atol=1e-3)
    np.testing.assert_allclose(first.predictions["score"][5], other.predictions["score"][5], atol=1e-6)
    assert_history_equal(first, other)
    assert_equal(first, other, ("meta_thresholds",))


def labelled_ids(data, context, fraction):
    from tasks.classification import labelled_rows

    train = data.split("train")
    rows = labelled_rows(train, PROTOCOL, replace(context, fraction=fraction))
    return train.table["id"].to_numpy()[rows].tolist()


def test_training_labels_outside_the_fraction_change_nothing(data, context):
    first_rows = replace(PROTOCOL, fraction_sampler={"by": "first"})
    first = run(data, context, "first", first_rows, fraction=0.5)
    table = data.table.copy()
    outside = np.flatnonzero(table["split"] == "train")[18:]
    for label in CLASSES:
        table.loc[outside, label] = 1 - table.loc[outside, label]
    other = run(replace(data, table=table), context, "other", first_rows, fraction=0.5)
    assert first.split["train"] == 18
    assert_equal(first, other, ("score", "meta_thresholds"))
    assert_history_equal(first, other)


# --- the head ---------------------------------------------------------------------------------------------


def planted(seed, exclusive=False, rows=60, classes=2):
    """Features of which many are noise, so that the strength matters."""
    rng = np.random.default_rng(seed)
    features = {part: rng.normal(size=(rows, 25)) for part in PARTS}
    signal = rng.normal(size=(25, classes))
    targets = {}
    for part in PARTS:
        logits = features[part] @ signal * 0.3 + rng.normal(size=(rows, classes))
        targets[part] = np.eye(classes)[logits.argmax(1)] if exclusive else (logits > 0).astype(float)
    return features, targets


def oracle(features, targets, strength, exclusive=False):
    """Scores of validation and test, by scikit-learn alone, on features standardised by hand."""
    mean, std = features["train"].mean(0), features["train"].std(0)
    scaled = {part: (values - mean) / std for part, values in features.items()}
    if exclusive:
        head = LogisticRegression(C=strength, max_iter=1000)
        head.fit(scaled["train"], targets["train"].argmax(1))
        return [head.predict_proba(scaled[part]) for part in ("valid", "test")]
    heads = [
        LogisticRegression(C=strength, max_iter=1000).fit(scaled["train"], column)
        for column in targets["train"].T
    ]
    return [np.stack([h.predict_proba(scaled[part])[:, 1] for h in heads], 1) for part in ("valid", "test")]


def fit(features, targets, exclusive=False, strengths=STRENGTHS, **changes):
    known = {part: targets[part] for part in ("train", "valid")}
    return probe(features, known, exclusive=exclusive, strengths=strengths, **changes)


@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_the_best_strength_on_the_validation_split_is_chosen(seed, exclusive):
    features, targets = planted(seed, exclusive)
    values = {}
    for strength in STRENGTHS:
        valid, _ = oracle(features, targets, strength, exclusive)
        values[strength] = auroc(valid, targets["valid"]).mean()
    best = max(values, key=values.get)
    outcome = fit(features, targets, exclusive)
    assert {entry["C"]: entry["auroc"] for entry in outcome.history} == pytest.approx(values, abs=1e-3)
    valid, test = oracle(features, targets, best, exclusive)
    np.testing.assert_allclose(outcome.valid, valid, atol=1e-4)
    np.testing.assert_allclose(outcome.test, test, atol=1e-4)
    np.testing.assert_allclose(outcome.predict(features["test"]), test, atol=1e-4)
    # with the opposite validation labels the worst becomes the best
    worst = min(values, key=values.get)
    turned = fit(features, {**targets, "valid": 1 - targets["valid"]}, exclusive)
    np.testing.assert_allclose(turned.test, oracle(features, targets, worst, exclusive)[1], atol=1e-4)


def test_the_seeds_above_choose_different_strengths():
    chosen = set()
    for seed in range(6):
        features, targets = planted(seed)
        valid = {c: auroc(oracle(features, targets, c)[0], targets["valid"]).mean() for c in STRENGTHS}
        chosen.add(max(valid, key=valid.get))
    assert len(chosen) > 1


@pytest.mark.parametrize("strengths", [(0.01, 1.0, 100.0), (100.0, 0.01, 1.0)])
@pytest.mark.parametrize("valid", ["equally good", "without positives"])
def test_of_equally_good_strengths_the_smallest_is_taken(strengths, valid):
    features, targets = planted(0, classes=1)
    if valid == "equally good":  # one image of each kind: AUROC is 0 or 1 with all of them
        rows = [int(np.argmax(targets["valid"] == 1)), int(np.argmax(targets["valid"] == 0))]
        positive = targets["train"][:, 0] == 1
        features["valid"] = 10 * np.stack([features["train"][k].mean(0) for k in (positive, ~positive)])
        targets["valid"] = targets["valid"][rows]
    else:
        targets["valid"] = np.zeros_like(targets["valid"])
    outcome = fit(features, targets, strengths=strengths)
    assert [entry["C"] for entry in outcome.history] == sorted(strengths)
    assert len({str(entry["auroc"]) for entry in outcome.history}) == 1
    np.testing.assert_allclose(outcome.test, oracle(features, targets, 0.01)[1], atol=1e-4)


def test_a_strength_that_can_be_judged_beats_none():
    """The AUROC is undefined for no strength in particular: a class without both labels counts for none."""
    features, targets = planted(3)
    targets["valid"][:, 1] = 0
    outcome = fit(features, targets)
    values = {}
    for strength in STRENGTHS:
        values[strength] = auroc(oracle(features, targets, strength)[0], targets["valid"])[0]
    assert {entry["C"]: entry["auroc"] for entry in outcome.history} == pytest.approx(values, abs=1e-3)
    best = max(values, key=values.get)
    np.testing.assert_allclose(outcome.test, oracle(features, targets, best)[1], atol=1e-4)


@pytest.mark.parametrize("exclusive", [False, True])
def test_outliers_outside_the_training_rows_change_no_other_score(exclusive):
    features, targets = planted(0, exclusive)
    first = fit(features, targets, exclusive)
    strange = {part: values.copy() for part, values in features.items()}
    strange["test"][0] = 1e6
    other = fit(strange, targets, exclusive)
    assert other.history == first.history
    np.testing.assert_array_equal(other.valid, first.valid)
    np.testing.assert_array_equal(other.test[1:], first.test[1:])
    strange = {**features, "valid": features["valid"].copy()}
    strange["valid"][0] = 1e6
    if not exclusive:  # an image of unknown labels does not take part in the choice either
        targets["valid"][0] = np.nan
    other = fit(strange, targets, exclusive, strengths=(0.01,))
    first = fit(features, targets, exclusive, strengths=(0.01,))
    np.testing.assert_array_equal(other.test, first.test)
    np.testing.assert_array_equal(other.valid[1:], first.valid[1:])


def test_each_feature_is_standardised_by_its_own_training_values():
    features, targets = planted(1)
    first = fit(features, targets)
    scale, shift = np.geomspace(1e-3, 1e3, 25), np.linspace(-50, 50, 25)
    moved = {part: values * scale + shift for part, values in features.items()}
    np.testing.assert_allclose(fit(moved, targets).test, first.test, atol=1e-4)


def test_unknown_training_labels_are_left_out_for_their_class_alone():
    features, targets = planted(2)
    targets["train"][:20, 0] = np.nan
    outcome = fit(features, targets, strengths=(0.1,))
    mean, std = features["train"].mean(0), features["train"].std(0)
    scaled = {part: (values - mean) / std for part, values in features.items()}
    for c, rows in ((0, slice(20, None)), (1, slice(None))):
        head = LogisticRegression(C=0.1, max_iter=1000).fit(scaled["train"][rows], targets["train"][rows, c])
        np.testing.assert_allclose(outcome.test[:, c], head.predict_proba(scaled["test"])[:, 1], atol=1e-4)


def test_classes_that_do_not_occur_in_training():
    features, targets = planted(2)
    targets["train"][:, 1] = 1
    assert set(fit(features, targets).test[:, 1]) == {0.5}
    features, targets = planted(2)
    known = fit(features, targets).test[:, 1]
    targets["train"][:, 0] = 0
    outcome = fit(features, targets, strengths=(0.1,))
    assert set(outcome.test[:, 0]) == {0.5} and len(set(outcome.test[:, 1])) == len(set(known)) == 60
    targets["train"][:] = 1
    nothing = fit(features, targets)
    assert nothing.test.tolist() == [[0.5, 0.5]] * 60
    assert [entry["iterations"] for entry in nothing.history] == [0] * len(STRENGTHS)
    features, targets = planted(2, exclusive=True, classes=3)
    absent = targets["train"][:, 1] == 1
    targets["train"][absent] = np.eye(3)[0]
    outcome = fit(features, targets, exclusive=True)
    assert set(outcome.test[:, 1]) == {0.0}
    assert outcome.test.sum(1) == pytest.approx(1) and outcome.test.dtype == np.float32
    targets["train"][:] = np.eye(3)[2]
    alone = fit(features, targets, exclusive=True)
    assert alone.test.tolist() == [[0, 0, 1]] * 60
    assert [entry["iterations"] for entry in alone.history] == [0] * len(STRENGTHS)


@pytest.mark.parametrize("exclusive", [False, True])
def test_the_history_has_the_iterations_of_the_slowest_class(exclusive):
    features, targets = planted(4, exclusive)
    targets["train"][:, 1] = targets["train"][:, 1] if exclusive else 0  # a class without a head takes none
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outcome = fit(features, targets, exclusive, strengths=(100.0,), max_iterations=3)
        assert [entry["iterations"] for entry in outcome.history] == [3]
        more = fit(features, targets, exclusive, strengths=(100.0,))
        assert 3 < more.history[0]["iterations"] < 1000
