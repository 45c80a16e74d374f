"""The mmseg and mmdet models; one file, as importing the two libraries takes seconds."""

import math

import numpy as np
import pytest
import torch
from mmengine.registry import PARAM_SCHEDULERS

from prior_bench.errors import BenchError
from prior_bench.openmmlab.detector import COCO_ANCHORS, build_detector
from prior_bench.openmmlab.dice_loss import BatchDiceLoss
from prior_bench.openmmlab.focal_loss import BinaryFocalLoss
from prior_bench.openmmlab.quiet import quiet
from prior_bench.openmmlab.recipe import schedule
from prior_bench.openmmlab.segmentor import build_segmentor
from prior_bench.schema.protocol import TrainingOptimizer
from prior_bench.suites import protocols

MAPS = dict(type="PrecomputedMaps")
THREE_MAPS = {"head.strides": (8, 16, 32), "head.channels": (5, 7)}


def test_batch_dice_loss_by_hand():
    big = 40.0  # sigmoid is 0 or 1
    logits = torch.tensor([[[[big, big], [-big, -big]]], [[[-big, -big], [-big, -big]]]])
    target = torch.tensor([[[1, 0], [0, 0]], [[0, 0], [0, 0]]])
    # overlap 1, sizes 2 and 1: 1 - (2 + 1) / (3 + 1)
    assert BatchDiceLoss()(logits, target).item() == pytest.approx(0.25)
    assert BatchDiceLoss(loss_weight=2.0)(logits, logits.squeeze(1) > 0).item() == 0


def test_batch_dice_loss_teaches_negatives():
    logits = torch.zeros(2, 1, 2, 2, requires_grad=True)
    BatchDiceLoss()(logits, torch.zeros(2, 2, 2)).backward()
    assert (logits.grad > 0).all()


@pytest.fixture
def segmentor():
    torch.manual_seed(0)
    with quiet():
        return build_segmentor(MAPS, (4, 6, 8), protocols.load("demo/segmentation", THREE_MAPS))


def test_segmentor_learns_a_shape_from_its_maps(segmentor):
    from mmengine.structures import PixelData
    from mmseg.structures import SegDataSample

    target = torch.zeros(1, 32, 32, dtype=torch.uint8)
    target[:, 8:20, 4:28] = 1
    sample = SegDataSample(metainfo=dict(img_shape=(32, 32), ori_shape=(32, 32), pad_shape=(32, 32)))
    sample.gt_sem_seg = PixelData(data=target)
    maps = tuple(torch.randn(2, c, s, s) for c, s in ((4, 16), (6, 8), (8, 4)))
    optimizer = torch.optim.Adam(segmentor.parameters(), lr=0.02)
    for _ in range(60):
        losses = segmentor.loss(maps, [sample, sample])
        loss, _ = segmentor.parse_losses(losses)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert {"decode.loss_ce", "decode.loss_dice"} <= set(losses)
    predicted = segmentor.eval().predict(maps, [sample.clone(), sample.clone()])[0].pred_sem_seg.data
    assert predicted.shape == target.shape
    assert (predicted == target).float().mean() > 0.9


def test_unet_head_needs_one_width_per_step():
    with pytest.raises(ValueError, match="2 decoder_channels"):
        build_segmentor(MAPS, (4, 6, 8), protocols.load("demo/segmentation", {"head.channels": (5, 7, 9)}))
    with pytest.raises(BenchError, match="head.channels: has 2 entries; 4 strides need 3"):
        protocols.load("demo/segmentation", {"head.channels": (5, 7)})


def test_anchors_are_cocos_at_the_size_of_the_input():
    with quiet():
        model = build_detector(MAPS, (16, 32, 64), 2, 208, protocols.load("demo/detection"))
    for level, coco in zip(model.bbox_head.prior_generator.base_sizes, COCO_ANCHORS, strict=True):
        np.testing.assert_allclose(level, np.array(coco) / 2)
    assert model.bbox_head.prior_generator.strides == [(32, 32), (16, 16), (8, 8)]


def test_detector_takes_images_without_boxes():
    from mmdet.structures import DetDataSample
    from mmengine.structures import InstanceData

    with quiet():
        model = build_detector(MAPS, (16, 32, 64), 1, 64, protocols.load("demo/detection"))
    meta = dict(img_shape=(64, 64), ori_shape=(64, 64), scale_factor=(1.0, 1.0), batch_input_shape=(64, 64))
    sample = DetDataSample(metainfo=meta)
    sample.gt_instances = InstanceData(bboxes=torch.zeros(0, 4), labels=torch.zeros(0, dtype=torch.long))
    maps = tuple(torch.randn(1, c, s, s) for c, s in ((16, 8), (32, 4), (64, 2)))
    loss, terms = model.parse_losses(model.loss(maps, [sample]))
    assert torch.isfinite(loss) and terms["loss_conf"] > 0
    assert terms["loss_xy"] == terms["loss_wh"] == terms["loss_cls"] == 0


def test_log_dice_and_focal_loss_by_hand():
    logits, target = torch.zeros(1, 1, 1, 2), torch.tensor([[[1, 0]]])
    # p is 1/2 everywhere: overlap 1/2, sizes 1 and 1
    assert BatchDiceLoss(log=True)(logits, target).item() == pytest.approx(-np.log((1 + 1) / (2 + 1)))
    assert BinaryFocalLoss()(logits, target).item() == pytest.approx(0.25 * np.log(2))
    sure = torch.tensor([[[[3.0, -1.0]]]])
    p = 1 / (1 + np.exp([-3.0, -1.0]))  # probability of what is true
    expected = np.mean((1 - p) ** 2 * -np.log(p))
    assert BinaryFocalLoss(loss_weight=10.0)(sure, target).item() == pytest.approx(10 * expected, rel=1e-5)


@pytest.mark.parametrize(
    ("head", "parameters"),
    [(dict(type="linear", channels=()), 8 + 1), (dict(type="upernet", channels=(4,)), None)],
)
def test_other_segmentation_heads(head, parameters):
    protocol = protocols.load(
        "demo/segmentation", {"head": {**head, "loss": {"focal": 1.0, "log_dice": 1.0}}}
    )
    with quiet():
        model = build_segmentor(MAPS, (4, 6, 8, 8), protocol).eval()
    maps = tuple(torch.rand(2, c, s, s) for c, s in zip((4, 6, 8, 8), (16, 8, 4, 2), strict=True))
    logits = model.decode_head(maps)
    assert logits.shape[:2] == (2, 1) and torch.isfinite(logits).all()
    if parameters:
        assert sum(p.numel() for p in model.parameters()) == parameters
    with pytest.raises(BenchError, match="did you mean upernet"):
        build_segmentor(MAPS, (4,), protocols.load("demo/segmentation", {"head.type": "upernett"}))


def test_a_detectors_anchors_may_be_given():
    anchors = tuple(((4 * i, 5 * i), (6 * i, 7 * i), (8 * i, 9 * i)) for i in (3, 2, 1))
    with quiet():
        model = build_detector(
            MAPS, (4, 6, 8), 1, 64, protocols.load("demo/detection", {"head": {"anchors": anchors}})
        )
    first = model.bbox_head.prior_generator.base_anchors[0]
    assert (first[:, 2:] - first[:, :2]).tolist() == [[12, 15], [18, 21], [24, 27]]


def test_plateau_schedule_follows_the_monitor():
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.Adam([parameter], lr=1.0)
    (how,) = schedule(
        TrainingOptimizer(type="Adam", lr=1e-3, schedule="plateau", patience=1), 10, "dice_micro"
    )
    scheduler = PARAM_SCHEDULERS.build(how, default_args={"optimizer": optimizer})
    rates = []
    for value in (0.1, 0.2, 0.2, 0.2, 0.3):
        scheduler.step()  # after an epoch, which counts only
        scheduler.step({"dice_micro": value})
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates == [1.0, 1.0, 1.0, 0.5, 0.5]


@pytest.mark.filterwarnings("ignore:Detected call of `scheduler.step")
def test_cosine_schedule_warms_up_and_ends_after_its_total():
    optimizer = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    how = schedule(
        TrainingOptimizer(type="Adam", lr=1e-3, schedule="cosine", warmup=4, total=44), 60, "auroc"
    )
    schedulers = [PARAM_SCHEDULERS.build(one, default_args={"optimizer": optimizer}) for one in how]
    rates = []
    for _ in range(60):
        rates.append(optimizer.param_groups[0]["lr"])
        for scheduler in schedulers:
            scheduler.step()
    assert rates[0] == pytest.approx(1e-3) and rates[3:5] == pytest.approx([1, 1])
    assert rates[24] == pytest.approx(0.5)
    assert set(rates[44:]) == {rates[44]} and rates[44] < 0.01


@pytest.mark.filterwarnings("ignore:Detected call of `scheduler.step")
def test_a_cosine_wave_rises_from_zero_and_again_after_its_total():
    optimizer = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=2.0)
    given = TrainingOptimizer(type="Adam", lr=2.0, schedule="cosine_wave", warmup=4, total=44)
    how = schedule(given, 10, "auroc")  # the length of training does not matter
    schedulers = [PARAM_SCHEDULERS.build(one, default_args={"optimizer": optimizer}) for one in how]
    rates = []
    for _ in range(125):
        rates.append(optimizer.param_groups[0]["lr"])
        for scheduler in schedulers:
            scheduler.step()
    assert rates[:5] == pytest.approx([0, 0.5, 1, 1.5, 2], abs=1e-9)
    wave = [1 + math.cos(math.pi * (step - 4) / 40) for step in range(4, 125)]
    assert rates[4:] == pytest.approx(wave, abs=1e-9)
    assert rates[44] == pytest.approx(0, abs=1e-9) and rates[84] == pytest.approx(2)


def test_smps_u_net_reaches_the_size_of_the_input():
    changes = {"head.strides": (2, 4, 8), "head.channels": (5, 7, 3)}
    with quiet():
        protocol = protocols.load("mgca/segmentation_rsna", changes)
        model = build_segmentor(MAPS, (4, 6, 8), protocol)
    model.init_weights()
    maps = tuple(torch.randn(2, c, s, s) for c, s in ((4, 16), (6, 8), (8, 4)))
    assert model.decode_head(maps).shape == (2, 1, 32, 32)
    assert not model.decode_head.conv_seg.bias.any()
    with pytest.raises(BenchError, match="must be .2, 4, 8."):
        protocols.load("mgca/segmentation_rsna", {**changes, "head.strides": (2, 8, 16)})


def test_the_logits_of_a_prediction_are_logits():
    from mmseg.structures import SegDataSample

    with quiet():
        model = build_segmentor(MAPS, (4, 6, 8), protocols.load("demo/segmentation", THREE_MAPS))
    logits = torch.tensor([[[[-3.0, 0.5], [2.0, -0.1]]]])
    sample = SegDataSample(metainfo=dict(img_shape=(2, 2), ori_shape=(2, 2), pad_shape=(2, 2)))
    (made,) = model.postprocess_result(logits, [sample])
    assert torch.equal(made.seg_logits.data, logits[0])
    assert made.pred_sem_seg.data.tolist() == [[[0, 1], [1, 0]]]


def test_two_outputs_are_trained_by_a_softmax():
    from mmengine.structures import PixelData
    from mmseg.structures import SegDataSample

    changes = {"head.strides": (8, 16, 32), "head.channels": (4,), "head.dropout": 0.0}
    with quiet():
        model = build_segmentor(MAPS, (4, 6, 8), protocols.load("benchx/segmentation_rsna", changes))
    sample = SegDataSample(metainfo=dict(img_shape=(32, 32), ori_shape=(32, 32), pad_shape=(32, 32)))
    sample.gt_sem_seg = PixelData(data=torch.ones(1, 32, 32, dtype=torch.uint8))
    maps = tuple(torch.randn(2, c, s, s) for c, s in ((4, 16), (6, 8), (8, 4)))
    logits = model.eval().encode_decode(maps, [dict(img_shape=(32, 32))])
    loss = model.loss(maps, [sample, sample.clone()])["decode.loss_ce"]
    assert loss.item() == pytest.approx(-logits.log_softmax(1)[:, 1].mean().item(), rel=1e-5)


@pytest.mark.filterwarnings("ignore:Detected call of `scheduler.step")
def test_a_linear_schedule_warms_up_and_ends_at_zero():
    optimizer = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    given = TrainingOptimizer(type="Adam", lr=1.0, schedule="linear", warmup=4, warmup_start=0.01)
    schedulers = [
        PARAM_SCHEDULERS.build(one, default_args={"optimizer": optimizer}) for one in schedule(given, 24, "x")
    ]
    rates = []
    for _ in range(25):
        rates.append(optimizer.param_groups[0]["lr"])
        for scheduler in schedulers:
            scheduler.step()
    assert rates[0] == pytest.approx(0.01) and rates[4] == pytest.approx(1)
    # mmengine ends one step before ``end``
    assert rates[14] == pytest.approx(1 - 10 / 19) and rates[23:] == pytest.approx([0, 0])
