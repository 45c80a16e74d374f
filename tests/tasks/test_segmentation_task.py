from dataclasses import replace

import numpy as np
import pytest
import torch
from dense_data import dense_manifest, interrupt_after

from prior_bench.data.annotations.masks import RleMask
from prior_bench.errors import BenchError
from prior_bench.mock import mock_backbone
from prior_bench.openmmlab import map_cache
from prior_bench.suites import protocols
from tasks.segmentation import Segmentation

SHORT = {"stopping.epochs": 3, "batch_size": 4, "head.channels": (8, 8, 8)}


@pytest.fixture
def data(tmp_path):
    return dense_manifest(tmp_path)


@pytest.fixture
def short():
    return protocols.load("demo/segmentation", SHORT)


def run(data, protocol, context, name="work", backbone=None):
    work = replace(context, work_dir=context.work_dir / name)
    return Segmentation().run(backbone or mock_backbone(size=64), data, protocol, work)


def assert_same(first, second, **tolerance):
    assert first.metrics == pytest.approx(second.metrics, nan_ok=True, **tolerance)
    for one, other in zip(first.history, second.history, strict=True):
        assert one == pytest.approx(other, nan_ok=True, **tolerance)


def test_frozen_run(data, short, context, monkeypatch):
    backbone = mock_backbone(size=64)
    before = {key: value.clone() for key, value in backbone.image_encoder.state_dict().items()}
    seen, feature_maps = [], backbone.image_encoder.feature_maps
    monkeypatch.setattr(
        backbone.image_encoder,
        "feature_maps",
        lambda x, stages: seen.append(len(x)) or feature_maps(x, stages),
    )
    result = run(data, short, context, backbone=backbone)

    after = backbone.image_encoder.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert sum(seen) == len(data) + 1  # each image once, and one to learn the size of its maps
    assert set(result.metrics) == set(short.metrics)
    assert [entry["epoch"] for entry in result.history] == [1, 2, 3]
    assert result.history[-1]["loss"] < result.history[0]["loss"]
    assert result.split == data.split_summary()

    kept = result.predictions
    assert list(kept["id"]) == ["test0", "test1", "test2", "test3"]
    assert ((kept["tp"] + kept["fp"] + kept["fn"] + kept["tn"]) == 64 * 64).all()
    assert list(kept["tp"] + kept["fn"] > 0) == [True, False, True, False]
    masks = np.unpackbits(kept["example_target"], axis=1)
    np.testing.assert_array_equal(masks.sum(1), (kept["tp"] + kept["fn"])[kept["example_row"]])
    assert Segmentation().score(kept, short.metrics) == result.metrics
    assert result.trivial["all_empty"]["dice_per_image_empty1"] == 0.5
    assert not list((context.work_dir / "work").glob(".latest.pth*"))


def test_same_seed_same_result_with_and_without_cached_maps(data, short, context, monkeypatch):
    first = run(data, short, context, "first")
    assert_same(run(data, short, context, "second"), first, rel=0, abs=0)
    monkeypatch.setattr(map_cache, "MEMORY", 0)
    assert_same(run(data, short, context, "in files"), first, rel=0, abs=0)
    assert (context.cache_dir / "maps").is_dir() and not list((context.cache_dir / "maps").iterdir())
    monkeypatch.setattr(map_cache, "BATCH", 3)  # several batches: each to its own rows
    assert_same(run(data, short, context, "in small batches"), first, rel=1e-3)
    monkeypatch.setattr(map_cache, "DISK", 0)
    assert_same(run(data, short, context, "uncached"), first, rel=1e-3)


def finetune():
    """Everything trained and augmented, in rounds of iterations: all that could go astray."""
    changes = {
        "stopping": dict(_delete_=True, iterations=8, interval=2, monitor="iou"),
        "batch_size": 4,
        "head.channels": (8, 8, 8),
        "head.dropout": 0.2,
    }
    return protocols.load("clean/segmentation_finetune", changes)


@pytest.mark.parametrize("schedule", ["constant", "plateau"])
def test_interrupted_run_ends_as_an_undisturbed_one(data, context, monkeypatch, schedule):
    protocol = finetune()
    # a patience of 0 lowers the rate at every chance: a forgotten state would show
    how = {"schedule": schedule, "patience": 0, "factor": 0.1, "warmup": 0} if schedule == "plateau" else {}
    protocol = replace(protocol, optimizer={**protocol.optimizer, **how})
    whole = run(data, protocol, context, "whole")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        interrupt_after(patch, checkpoints=2)
        run(data, protocol, context, "broken")
    assert_same(run(data, protocol, context, "broken"), whole, rel=0, abs=0)
    assert [entry["iteration"] for entry in whole.history] == [2, 4, 6, 8]


def test_worker_processes_do_not_change_the_result(data, context):
    alone = run(data, finetune(), context, "alone")
    assert_same(run(data, finetune(), replace(context, workers=2), "helped"), alone, rel=0, abs=0)


def test_a_run_says_nothing(data, context, capfd, recwarn):
    run(data, protocols.load("clean/segmentation_frozen", {"stopping.epochs": 1}), context)
    assert capfd.readouterr() == ("", "")
    assert not [str(warning.message) for warning in recwarn]


def test_patience_stops_and_stays_stopped(data, short, context):
    # without learning nothing improves for long
    protocol = replace(
        short,
        optimizer={**short.optimizer, "lr": 1e-30},
        stopping={**short.stopping, "epochs": 9, "patience": 2},
    )
    result = run(data, protocol, context)
    monitored = [entry["dice_micro"] for entry in result.history]
    assert len(monitored) < 9 and monitored.index(max(monitored)) == len(monitored) - 3
    assert run(data, protocol, context).history == result.history


def test_label_fraction_takes_patients(data, short, context):
    result = run(data, short, replace(context, fraction=0.5))
    assert (result.split["train"], result.split["valid"], result.split["test"]) == (4, 4, 4)


def test_check_reports_everything_at_once(data, short):
    Segmentation().check(data, short)
    Segmentation().check(data, protocols.load("clean/segmentation_finetune"))
    bad = replace(short, metrics=("dice_mikro",), stopping={}, head={})
    with pytest.raises(BenchError) as caught:
        Segmentation().check(replace(data, table=data.table.drop(columns="mask")), bad)
    for part in (
        "no masks",
        "dice_micro",
        "stopping: the key 'monitor' is missing",
        "head: the key 'type' is missing",
    ):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    "change, said",
    [
        ({"optimizer.momentum": 0.9}, "optimizer: unknown key 'momentum'"),
        (
            {"optimizer.schedule": "cosin"},
            "optimizer.schedule: unknown choice 'cosin'\n  fix: did you mean cosine",
        ),
        ({"stopping.pateince": 3}, "stopping: unknown key 'pateince'\n  fix: did you mean patience"),
        ({"stopping.tested": "lats"}, "stopping.tested: unknown choice 'lats'\n  fix: did you mean last"),
        ({"stopping.iterations": 5, "stopping.interval": 5}, "stopping must define one length of training"),
    ],
)
def test_what_training_would_not_understand_is_said_before(change, said):
    with pytest.raises(BenchError) as caught:
        protocols.load("demo/segmentation", change)
    assert said in str(caught.value)


def test_check_misses_a_split(data, short):
    table = data.table.copy()
    table["mask"] = [None if split == "valid" else RleMask() for split in table["split"]]
    with pytest.raises(BenchError, match="split 'valid' has no image with masks"):
        Segmentation().check(replace(data, table=table), short)


def test_the_validation_loss_can_choose_the_weights(data, short, context):
    protocol = replace(short, stopping={**short.stopping, "monitor": "minus_loss"})
    Segmentation().check(data, protocol)
    result = run(data, protocol, context)
    losses = [-entry["minus_loss"] for entry in result.history]
    assert losses[-1] < losses[0] and "minus_loss" not in result.metrics
