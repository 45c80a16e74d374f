"""Parts of segmentation and detection on planted maps, which a whole training would show only roughly."""

from pathlib import Path

import numpy as np
import torch
from golden_case import Case, Numbers, summary
from torch import Tensor

from prior_bench.openmmlab import torchvision_ops
from prior_bench.openmmlab.detector import build_detector
from prior_bench.openmmlab.dice_loss import BatchDiceLoss
from prior_bench.openmmlab.focal_loss import BinaryFocalLoss
from prior_bench.openmmlab.quiet import quiet
from prior_bench.openmmlab.sampler import RoundSampler
from prior_bench.openmmlab.segmentor import build_segmentor, training_loss
from prior_bench.suites import protocols

MAPS = dict(type="PrecomputedMaps")
CHANNELS = (4, 6, 8)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def pyramid(sides: tuple[int, ...]) -> tuple[Tensor, ...]:
    return tuple(drawn(2, c, side, side, seed=c) for c, side in zip(CHANNELS, sides, strict=True))


def losses(folder: Path) -> Numbers:
    """On few pixels, so that what is added to a fraction counts."""
    logits, target = drawn(2, 1, 4, 4), (drawn(2, 4, 4, seed=1) > 0.5).long()
    of_protocol = training_loss(protocols.load("demo/segmentation"))
    return {
        "dice": [float(BatchDiceLoss(log=log)(logits, target)) for log in (False, True)],
        "focal": [float(BinaryFocalLoss(gamma=gamma)(logits, target)) for gamma in (2.0, 3.0)],
        "default": [float(BinaryFocalLoss()(logits, target)), float(BatchDiceLoss()(logits, target))],
        "of the protocol": float(of_protocol(logits, target)),
    }


def heads(folder: Path) -> Numbers:
    torch.manual_seed(0)
    found = {}
    with quiet(), torch.no_grad():
        changes = {"head.strides": (8, 16, 32), "head.channels": (5, 7)}
        segmentor = build_segmentor(MAPS, CHANNELS, protocols.load("demo/segmentation", changes)).eval()
        found["unet"] = summary(segmentor.decode_head(pyramid((16, 8, 4))))
        protocol = protocols.load("demo/detection", {"head.width": 0.03125})
        detector = build_detector(MAPS, CHANNELS, 2, 208, protocol).eval()
        levels = detector.bbox_head(detector.neck(pyramid((16, 8, 4))))[0]
        found["yolo"] = [summary(level) for level in levels]
    priors = detector.bbox_head.prior_generator
    found["anchors"] = [list(map(list, level)) for level in priors.base_sizes]
    found["test"] = {k: value for k, value in detector.test_cfg.items() if isinstance(value, (int, float))}
    return found


def sampling(folder: Path) -> Numbers:
    found: Numbers = {}
    for seed in (0, 1):
        sampler = RoundSampler(images=7, batch_size=3, seed=seed)
        sampler.set_epoch(2)
        found[f"seed {seed}"] = [[draw.row, draw.seed] for draw in sampler]
    return found


def suppression(folder: Path) -> Numbers:
    random = np.random.default_rng(0)
    corner = random.integers(0, 30, (25, 2))
    boxes = torch.from_numpy(np.concatenate([corner, corner + random.integers(8, 20, (25, 2))], 1)).float()
    scores = torch.from_numpy(random.permutation(25) / 25).float()
    return {
        str(threshold): torchvision_ops.nms(boxes, scores, iou_threshold=threshold, offset=0).tolist()
        for threshold in (0.3, 0.5)
    }


CASES = [Case(run.__name__, ("openmmlab",), run) for run in (losses, heads, sampling, suppression)]
