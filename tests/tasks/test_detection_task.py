from dataclasses import replace

import numpy as np
import pytest
import torch
from dense_data import dense_manifest, interrupt_after

from prior_bench.errors import BenchError
from prior_bench.metrics.detections import of_heads
from prior_bench.mock import mock_backbone
from prior_bench.statistics.resample import take
from prior_bench.suites import protocols
from tasks.detection import Detection, head_contexts

SHORT = {"stopping.epochs": 2, "batch_size": 4, "head.width": 0.03125}


@pytest.fixture
def data(tmp_path):
    return dense_manifest(tmp_path)


@pytest.fixture
def short():
    return protocols.load("demo/detection", SHORT)


def run(data, protocol, context, name="work", backbone=None):
    work = replace(context, work_dir=context.work_dir / name)
    return Detection().run(backbone or mock_backbone(size=64), data, protocol, work)


def test_frozen_run_is_deterministic_and_resumes(data, short, context, monkeypatch):
    backbone = mock_backbone(size=64)
    before = {key: value.clone() for key, value in backbone.image_encoder.state_dict().items()}
    result = run(data, short, context, backbone=backbone)

    after = backbone.image_encoder.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert set(result.metrics) == set(short.metrics)
    assert set(result.trivial["all_empty"].values()) == {0.0}
    kept = result.predictions
    assert list(kept["id"]) == ["test0", "test1", "test2", "test3"]
    np.testing.assert_array_equal(kept["truth_sample"], [0, 2])
    np.testing.assert_array_equal(
        kept["truth_box"], np.concatenate(list(data.split("test").table["boxes"]))[:, :4]
    )
    boxes = kept["flat_box"]
    assert len(boxes) and (boxes >= 0).all() and (boxes <= (80, 60, 80, 60)).all()
    assert Detection().score(kept, short.metrics) == result.metrics

    assert run(data, short, context, "again").metrics == result.metrics
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        interrupt_after(patch, checkpoints=1)
        run(data, short, context, "broken")
    resumed = run(data, short, context, "broken")
    assert resumed.metrics == result.metrics and resumed.history == result.history


def test_finds_bright_boxes_in_pixels_of_the_stored_image(tmp_path, context):
    data = dense_manifest(tmp_path, train=32, valid=8, test=12)
    changes = {"stopping.epochs": 30, "optimizer.lr": 5e-3, "head.width": 0.0625, "batch_size": 8}
    result = run(data, protocols.load("demo/detection", changes), context)
    assert result.metrics["ap_50"] > 0.25  # boxes in pixels of the input would score 0


def test_sizes_that_are_no_multiple_of_32_and_everything_trained(data, context):
    backbone = mock_backbone(size=56)
    before = {key: value.clone() for key, value in backbone.image_encoder.state_dict().items()}
    result = run(data, protocols.load("clean/detection_finetune", SHORT), context, backbone=backbone)
    after = backbone.image_encoder.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert len(result.history) == 2


def test_check(data, short):
    Detection().check(data, short)
    with pytest.raises(BenchError, match="options: the key 'confidence' is missing"):
        Detection().check(data, replace(short, options={"nms_iou": 0.4, "max_boxes": 10}))
    with pytest.raises(BenchError, match="has no boxes"):
        Detection().check(replace(data, table=data.table.drop(columns="boxes")), short)


def without(data, blank, value):
    """The manifest with other boxes in the rows ``blank``."""
    boxes = data.table["boxes"].copy()
    for row in np.flatnonzero(blank):
        boxes.iat[row] = value
    return replace(data, table=data.table.assign(boxes=boxes))


def test_an_image_that_nobody_annotated_is_no_negative(data, short, context):
    unknown = without(data, data.table["id"].isin(["train1", "test1", "test2"]), None)
    Detection().check(unknown, short)
    result = run(unknown, short, context)
    assert list(result.predictions["id"]) == ["test0", "test3"]
    assert (result.split["train"], result.split["test"]) == (7, 2)


def test_splits_without_a_box(data, short, context):
    nothing = np.zeros((0, 5), np.float32)
    with pytest.raises(BenchError, match="split 'valid' has no box to choose the weights with"):
        Detection().check(without(data, data.table["split"] == "valid", nothing), short)
    untestable = without(data, data.table["split"] == "test", nothing)
    Detection().check(untestable, short)
    result = run(untestable, short, context)
    assert result.metrics == {} and result.trivial == {"all_empty": {}}
    assert set(result.undefined) == set(short.metrics)
    assert set(result.undefined.values()) == {"no test image has a box"}


def test_metrics_of_several_heads_are_the_mean_of_runs_that_have_one_each(data, short, context):
    three = replace(short, options={**short.options, "heads": 3})
    together = run(data, three, context)
    alone = [
        run(data, short, replace(context, seed=one.seed), f"alone{n}")
        for n, one in enumerate(head_contexts(context, 3))
    ]
    found = [{name: one.metrics[name] for name in short.metrics} for one in alone]
    assert len({one["map_40_75"] for one in found} | {one["ap_50"] for one in found}) > 1
    for name in short.metrics:
        assert together.metrics[name] == pytest.approx(np.mean([one[name] for one in found]), abs=1e-9)
    assert Detection().score(together.predictions, three.metrics) == together.metrics
    assert alone[0].metrics == run(data, short, context, "one").metrics


def test_resampled_images_keep_the_boxes_of_every_head(data, short, context):
    kept = run(data, replace(short, options={**short.options, "heads": 2}), context).predictions
    rows = np.array([2, 0, 2])
    taken = take(kept, rows)
    for whole, part in zip(of_heads(kept), of_heads(taken), strict=True):
        assert len(part.score) == 2 * (whole.sample == 2).sum() + (whole.sample == 0).sum()
    assert Detection().estimate(short, (8, 4, 4), 1.0).forward * 2 == (
        Detection().estimate(replace(short, options={**short.options, "heads": 2}), (8, 4, 4), 1.0).forward
    )


def test_an_interrupted_run_of_several_heads_resumes(data, short, context, monkeypatch):
    two = replace(short, options={**short.options, "heads": 2})
    result = run(data, two, context)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        interrupt_after(patch, checkpoints=3)  # the second head's first validation
        run(data, two, context, "broken")
    assert (context.work_dir / "broken" / "head_1").is_dir()
    assert run(data, two, context, "broken").metrics == result.metrics
