import dataclasses

import numpy as np
import pytest
import torch
from tiny_data import CLASSES, tiny_manifest

from prior_bench.errors import BenchError
from prior_bench.mock import mock_backbone
from prior_bench.statistics.bootstrap import interval
from prior_bench.suites import protocols, work
from tasks.classification import Classification, labelled_rows

TASK = Classification()
PROBE = protocols.load("clean/linear_probe")
FINETUNE = protocols.load("demo/finetune", {"batch_size": 12, "stopping": {"iterations": 6, "interval": 3}})
HEAD = protocols.load(
    "clean/finetune",
    {
        "frozen": {"backbone": True, "batch_norm": True},
        "transform": {"train": None},
        "optimizer": {"lr": 0.1, "warmup": 2},
        "batch_size": 12,
        "stopping": {"epochs": 8, "patience": None},
    },
)


def with_fields(protocol, **changes):
    return dataclasses.replace(protocol, **changes)


def test_probe_reads_what_is_in_the_pixels(tiny, context):
    result = TASK.run(mock_backbone(), tiny, PROBE, context)
    assert result.metrics["auroc"] > 0.9
    assert result.metrics["auroc"] == pytest.approx(
        np.mean([result.metrics[f"auroc/{name}"] for name in CLASSES])
    )
    predictions = result.predictions
    assert predictions["score"].shape == predictions["target"].shape == (12, 2)
    assert predictions["id"].tolist() == tiny.split("test").table["id"].tolist()
    assert predictions["meta_thresholds"].shape == (2,)
    assert predictions["example_embedding"].shape == (12, 12) and len(predictions["example_row"]) == 12
    again = TASK.score(predictions, PROBE.metrics)
    assert again == {name: value for name, value in result.metrics.items() if name in again}
    assert result.trivial["majority"]["auroc"] == 0.5
    assert [entry["C"] for entry in result.history] == sorted(PROBE.head["strengths"])
    assert (result.split["train"], result.split["valid"], result.split["test"]) == (36, 12, 12)
    bounds = interval(lambda p: TASK.score(p, ("auroc",)), predictions, n=50)
    assert bounds["auroc"][0] <= result.metrics["auroc"] <= bounds["auroc"][1]


def test_fractions_and_seeds_share_one_pass_over_the_images(tiny, context):
    backbone = mock_backbone()
    for fraction in (0.1, 0.5, 1.0):
        for seed in (0, 1):
            there = dataclasses.replace(context, fraction=fraction, seed=seed)
            kept = TASK.run(backbone, tiny, PROBE, there).predictions
            assert ("example_embedding" in kept) == (fraction == 1), "the same for all fractions"
    assert backbone.image_encoder.images_seen == 60


def test_fractions_are_nested_and_by_patient(tiny, context):
    train = tiny.split("train")
    rows = [
        set(labelled_rows(train, PROBE, dataclasses.replace(context, fraction=f, seed=3)))
        for f in (0.1, 0.5, 1.0)
    ]
    assert rows[0] < rows[1] < rows[2] and len(rows[2]) == 36
    for chosen in rows:
        patients = set(train.table["patient_id"].iloc[sorted(chosen)])
        assert train.table["patient_id"].isin(patients).sum() == len(chosen)
    other = set(labelled_rows(train, PROBE, dataclasses.replace(context, fraction=0.5, seed=4)))
    assert other != rows[1]


def test_a_class_with_one_value_in_the_subset_scores_constantly(tiny, context):
    table = tiny.table.copy()
    table.loc[table["split"] == "train", CLASSES[1]] = 0.0
    result = TASK.run(mock_backbone(), dataclasses.replace(tiny, table=table), PROBE, context)
    assert set(result.predictions["score"][:, 1]) == {0.5}
    assert result.metrics[f"auroc/{CLASSES[1]}"] == 0.5
    assert result.metrics[f"auroc/{CLASSES[0]}"] > 0.9


def test_the_smallest_fraction_works(tiny, context):
    result = TASK.run(mock_backbone(), tiny, PROBE, dataclasses.replace(context, fraction=0.01))
    assert result.split["train"] == 2
    assert np.isfinite(result.predictions["score"]).all()


def test_unknown_labels_are_left_out(tiny, context):
    table = tiny.table.copy()
    table.loc[table.index % 3 == 0, CLASSES[0]] = np.nan
    table.loc[table["split"] == "test", CLASSES[1]] = 1.0
    result = TASK.run(mock_backbone(), dataclasses.replace(tiny, table=table), PROBE, context)
    assert result.metrics["classes_left_out"] == 1
    assert f"auroc/{CLASSES[1]}" not in result.metrics
    assert result.metrics["auroc"] == result.metrics[f"auroc/{CLASSES[0]}"] > 0.9


def test_exclusive_labels_are_one_problem(tmp_path, context):
    data = tiny_manifest(tmp_path, exclusive=True)
    result = TASK.run(mock_backbone(), data, with_fields(PROBE, metrics=("accuracy", "kappa")), context)
    assert result.metrics["accuracy"] == 1 and result.metrics["kappa"] == 1
    assert result.predictions["score"].sum(1) == pytest.approx(1)
    assert result.trivial["chance"]["accuracy"] == 0.5


def test_head_by_gradient_on_cached_features(tiny, context):
    backbone = mock_backbone()
    TASK.check(tiny, HEAD)
    result = TASK.run(backbone, tiny, HEAD, context)
    assert backbone.image_encoder.images_seen == 60
    assert result.metrics["auroc"] > 0.9
    assert len(result.history) == 8
    assert result.history[-1]["loss"] < result.history[0]["loss"]


@pytest.mark.parametrize("frozen", [True, False])
def test_fine_tuning_leaves_the_backbone_given_untouched(tiny, context, frozen):
    backbone = mock_backbone()
    before = {name: value.clone() for name, value in backbone.image_encoder.state_dict().items()}
    protocol = with_fields(FINETUNE, frozen={"backbone": frozen, "batch_norm": False})
    result = TASK.run(backbone, tiny, protocol, context)
    assert len(result.history) == 2 and {"loss", "auroc", "minus_loss"} <= set(result.history[0])
    assert ((result.predictions["score"] > 0) & (result.predictions["score"] < 1)).all()
    assert "example_embedding" not in result.predictions, "its features are not those that were tested"
    for name, value in backbone.image_encoder.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert all(parameter.requires_grad for parameter in backbone.image_encoder.parameters())


def test_fine_tuning_says_nothing(tiny, context, capfd):
    TASK.run(mock_backbone(), tiny, FINETUNE, context)
    out, err = capfd.readouterr()
    assert not out and not err


def test_a_resumed_fine_tuning_equals_an_undisturbed_one(tiny, context, tmp_path):
    whole = TASK.run(mock_backbone(), tiny, FINETUNE, context)
    cut = dataclasses.replace(context, work_dir=tmp_path / "cut")
    calls = []

    class Killed(Exception):
        pass

    def stop(hook, runner, metrics=None):
        original(hook, runner, metrics)
        calls.append(runner.epoch)
        if len(calls) == 1:
            raise Killed

    from prior_bench.openmmlab.hooks import Validated

    original = Validated.after_val_epoch
    Validated.after_val_epoch = stop
    try:
        with pytest.raises(Killed):
            TASK.run(mock_backbone(), tiny, FINETUNE, cut)
        resumed = TASK.run(mock_backbone(), tiny, FINETUNE, cut)
    finally:
        Validated.after_val_epoch = original
    assert calls == [1, 2]
    assert np.array_equal(resumed.predictions["score"], whole.predictions["score"])
    assert resumed.history == whole.history


def test_all_that_is_wrong_is_said_at_once(tiny):
    protocol = with_fields(PROBE, head={"type": "linaer"}, metrics=("aurok", "kappa"))
    no_valid = tiny.select((tiny.table["split"] != "valid").to_numpy())
    with pytest.raises(BenchError) as caught:
        TASK.check(no_valid, protocol)
    for part in ("did you mean linear", "did you mean auroc", "kappa", "split 'valid' is empty"):
        assert part in str(caught.value)
    with pytest.raises(BenchError, match="frozen"):
        TASK.check(tiny, with_fields(PROBE, frozen={"backbone": False, "batch_norm": True}))
    with pytest.raises(
        BenchError, match="(?s)head: unknown key 'nrom'.*stopping.tested: unknown choice 'lats'"
    ):
        head, stopping = {**FINETUNE.head, "nrom": "layer"}, {**FINETUNE.stopping, "tested": "lats"}
        TASK.check(tiny, with_fields(FINETUNE, head=head, stopping=stopping))
    one_sided = tiny.table.copy()
    one_sided.loc[one_sided["split"] == "valid", list(CLASSES)] = 0.0
    with pytest.raises(BenchError, match="minus_loss"):
        TASK.check(dataclasses.replace(tiny, table=one_sided), FINETUNE)


def test_the_majority_follows_the_known_training_labels(tiny, context):
    table = tiny.table.copy()
    train = np.flatnonzero(table["split"] == "train")
    table.loc[train, list(CLASSES)] = np.nan
    table.loc[train[:5], CLASSES[0]] = [0.0, 0.0, 0.0, 1.0, 1.0]  # 2 of 5 known ones are positive
    test = np.flatnonzero(table["split"] == "test")
    table.loc[test, list(CLASSES)] = 0.0
    table.loc[test[:3], list(CLASSES)] = 1.0
    protocol = with_fields(PROBE, metrics=("accuracy",))
    found = TASK.run(mock_backbone(), dataclasses.replace(tiny, table=table), protocol, context)
    majority = found.trivial["majority"]
    assert majority[f"accuracy/{CLASSES[0]}"] == 9 / 12, "never positive"
    assert majority[f"accuracy/{CLASSES[1]}"] == 3 / 12, "unknown: 1/2, which is positive"
    table.loc[train[0], CLASSES[1]] = 0.0
    one = TASK.run(mock_backbone(), dataclasses.replace(tiny, table=table), protocol, context)
    assert one.trivial["majority"][f"accuracy/{CLASSES[1]}"] == 9 / 12, "a single label is known"


@pytest.mark.parametrize("threshold", ["validaton_f1", None, [0.5]])
def test_a_threshold_that_is_none_is_refused(tiny, threshold):
    with pytest.raises(BenchError, match="options.threshold: is .* must be 'validation_f1' or a number"):
        TASK.check(tiny, with_fields(PROBE, options={"threshold": threshold}))
    TASK.check(tiny, with_fields(PROBE, options={"threshold": 0.5}))


def test_classes_without_a_threshold_are_named(tiny, context):
    table = tiny.table.copy()
    table.loc[table["split"] == "valid", CLASSES[1]] = 1.0
    result = TASK.run(mock_backbone(), dataclasses.replace(tiny, table=table), PROBE, context)
    assert result.split["without_threshold"] == [CLASSES[1]]
    assert np.isnan(result.predictions["meta_thresholds"]).tolist() == [False, True]
    assert "without_threshold" not in TASK.run(mock_backbone(), tiny, PROBE, context).split


def test_f1_of_class_1_chooses_the_epoch_of_exclusive_labels_alone(tiny):
    monitored = with_fields(HEAD, stopping={**HEAD.stopping, "monitor": "f1_class_1"})
    with pytest.raises(BenchError, match="f1_class_1.*needs exactly one label"):
        TASK.check(tiny, monitored)
    TASK.check(dataclasses.replace(tiny, labels=CLASSES[:1]), monitored)
    TASK.check(tiny, HEAD)


def test_work_is_that_of_features_where_nothing_but_the_head_can_change():
    sizes = (100, 20, 30)
    for protocol in (PROBE, HEAD):
        assert TASK.estimate(protocol, sizes, 0.5) == work.of_features(protocol, sizes)
    augmented = with_fields(HEAD, transform=FINETUNE.transform)
    trained = with_fields(HEAD, frozen={"backbone": False, "batch_norm": True})
    for protocol in (FINETUNE, augmented, trained):
        assert TASK.estimate(protocol, sizes, 0.5) == work.of_training(protocol, sizes, 0.5)
        assert TASK.estimate(protocol, sizes, 0.5) != work.of_features(protocol, sizes)
