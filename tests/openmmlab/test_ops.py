import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch

from prior_bench.errors import BenchError
from prior_bench.metrics.box_matching import pairwise_iou
from prior_bench.openmmlab import ops
from prior_bench.openmmlab import torchvision_ops as stand_in


def run(code, **variables):
    import os

    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        env={**os.environ, **variables},
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def slow_nms(boxes, scores, threshold):
    left, kept = list(np.argsort(-scores)), []
    while left:
        best = left.pop(0)
        kept.append(best)
        left = [i for i in left if pairwise_iou(boxes[[best]], boxes[[i]])[0, 0] <= threshold]
    return kept


@pytest.mark.parametrize("seed", range(5))
def test_nms_against_slow_reference(seed):
    rng = np.random.default_rng(seed)
    corner, size = rng.uniform(0, 30, (40, 2)), rng.uniform(5, 20, (40, 2))
    boxes, scores = np.concatenate([corner, corner + size], axis=1), rng.random(40)
    kept = stand_in.nms(torch.tensor(boxes), torch.tensor(scores), iou_threshold=0.4, offset=0)
    assert kept.tolist() == slow_nms(boxes, scores, 0.4)


def test_nms_offset_counts_the_last_pixel():
    # IoU of 10 x 10 boxes shifted by 5 columns: 50 / 150; with pixels counted, 11 x 11: 66 / 176
    boxes = torch.tensor([[0.0, 0, 10, 10], [5, 0, 15, 10]])
    scores = torch.tensor([0.9, 0.8])
    assert len(stand_in.nms(boxes, scores, iou_threshold=0.35, offset=0)) == 2
    assert len(stand_in.nms(boxes, scores, iou_threshold=0.35, offset=1)) == 1


def roi_align(image, rois, size, sampling, aligned):
    return roi_align_everything(image, rois, size, sampling, aligned, pool_mode=1)[0]


def roi_align_everything(image, rois, size, sampling, aligned, pool_mode, scale=1.0):
    output = image.new_zeros(len(rois), image.shape[1], *np.broadcast_to(size, 2))
    argmax_y, argmax_x = torch.zeros_like(output), torch.zeros_like(output)
    options = roi_align_options(output, sampling, aligned, pool_mode, scale)
    stand_in.roi_align_forward(image, rois, output, argmax_y, argmax_x, **options)
    return output, argmax_y, argmax_x


def roi_align_options(output, sampling, aligned, pool_mode, scale):
    return dict(
        aligned_height=output.shape[2],
        aligned_width=output.shape[3],
        spatial_scale=scale,
        sampling_ratio=sampling,
        pool_mode=pool_mode,
        aligned=aligned,
    )


def bilinear(image, y, x):
    """mmcv's rule: 0 beyond one pixel outside, else the border goes on."""
    height, width = image.shape
    if not (-1 <= y <= height and -1 <= x <= width):
        return 0.0
    y, x = np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)
    top, left = int(y), int(x)
    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
    above = image[top, left] * (left + 1 - x) + image[top, right] * (x - left)
    below = image[bottom, left] * (left + 1 - x) + image[bottom, right] * (x - left)
    return above * (top + 1 - y) + below * (y - top)


def slow_max_align(image, rois, size, sampling, aligned, scale):
    """One sample after the other: (value, y, x) of each bin's greatest."""
    found = np.zeros((3, len(rois), image.shape[1], *size))
    for r, (number, *corners) in enumerate(rois.numpy()):
        x1, y1, x2, y2 = np.array(corners) * scale - 0.5 * aligned
        extent = np.array([y2 - y1, x2 - x1])
        bins = (extent if aligned else np.maximum(extent, 1)) / size
        counts = [sampling or int(np.ceil(side)) for side in bins]
        for channel, i, j in np.ndindex(image.shape[1], *size):
            best = (float(np.finfo(np.float32).min), -1, -1)
            for down, across in np.ndindex(*counts):
                y = y1 + (i + (down + 0.5) / counts[0]) * bins[0]
                x = x1 + (j + (across + 0.5) / counts[1]) * bins[1]
                value = float(bilinear(image[int(number), channel].numpy(), y, x))
                best = max(best, (value, y, x), key=lambda one: one[0])
            found[:, r, channel, i, j] = best
    return torch.tensor(found, dtype=torch.float32)


ROIS = torch.tensor(
    [
        [0, 2, 2, 19, 13],
        [1, -6, 3, 9, 30],  # reaches over two edges of the image
        [1, 0, 0, 22, 22],
        [0, 4, 5, 4.4, 17],
        [0, 2, 2, 19, 13],
    ]
)


@pytest.mark.parametrize("sampling", [0, 1, 3])
@pytest.mark.parametrize("aligned", [True, False])
def test_max_roi_align_against_a_plain_loop(sampling, aligned):
    image = torch.rand(2, 3, 9, 11, generator=torch.Generator().manual_seed(0)) - 0.3
    found = roi_align_everything(image, ROIS, (2, 3), sampling, aligned, pool_mode=0, scale=0.5)
    expected = slow_max_align(image, ROIS, (2, 3), sampling, aligned, scale=0.5)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("sampling", [0, 2])
def test_max_roi_align_backward_is_the_gradient(sampling):
    random = torch.Generator().manual_seed(1)
    image = torch.rand(2, 2, 9, 11, generator=random)
    output, argmax_y, argmax_x = roi_align_everything(image, ROIS, (2, 3), sampling, True, 0, scale=0.5)
    upstream, grad = torch.rand(output.shape, generator=random), torch.full_like(image, 7.0)
    options = roi_align_options(output, sampling, True, 0, 0.5)
    stand_in.roi_align_backward(upstream, ROIS, argmax_y, argmax_x, grad, **options)
    step = 1e-4  # too small to change which sample is the greatest
    for place in np.ndindex(image.shape):
        values = []
        for sign in (1, -1):
            moved = image.clone()
            moved[place] += sign * step
            pooled = roi_align_everything(moved, ROIS, (2, 3), sampling, True, 0, scale=0.5)[0]
            values.append((pooled * upstream).double().sum())
        numeric = (values[0] - values[1]).item() / (2 * step)
        assert grad[place].item() == pytest.approx(numeric, abs=5e-3), place


def test_a_region_without_a_sample_has_no_gradient():
    image, rois = torch.rand(1, 1, 4, 4), torch.tensor([[0.0, 2, 2, 2, 3]])  # no width
    output, argmax_y, argmax_x = roi_align_everything(image, rois, 2, 0, True, pool_mode=0)
    assert (output < -1e38).all() and (argmax_y == -1).all() and (argmax_x == -1).all()
    grad = torch.ones_like(image)
    options = roi_align_options(output, 0, True, 0, 1.0)
    stand_in.roi_align_backward(torch.ones_like(output), rois, argmax_y, argmax_x, grad, **options)
    assert (grad == 0).all()


def test_roi_align_of_a_ramp_is_its_value_at_the_bin_centres():
    # bilinear sampling is exact on a plane: each bin gives the plane at its centre
    y, x = torch.meshgrid(torch.arange(16.0), torch.arange(16.0), indexing="ij")
    plane = (2 * x + 3 * y)[None, None]
    pooled = roi_align(plane, torch.tensor([[0.0, 2, 4, 10, 12]]), size=2, sampling=2, aligned=False)
    centres_x, centres_y = torch.tensor([4.0, 8.0]), torch.tensor([6.0, 10.0])
    torch.testing.assert_close(pooled[0, 0], 2 * centres_x[None, :] + 3 * centres_y[:, None])
    moved = roi_align(plane, torch.tensor([[0.0, 2, 4, 10, 12]]), size=2, sampling=2, aligned=True)
    torch.testing.assert_close(moved, pooled - 2.5)  # half a pixel in x and y


def test_roi_align_backward_is_the_gradient():
    torch.manual_seed(0)
    image, rois = torch.rand(1, 2, 8, 8), torch.tensor([[0.0, 1, 1, 6, 7]])
    upstream, grad = torch.rand(1, 2, 2, 2), torch.zeros(1, 2, 8, 8)
    stand_in.roi_align_backward(
        upstream,
        rois,
        image.new_zeros(0),
        image.new_zeros(0),
        grad,
        aligned_height=2,
        aligned_width=2,
        spatial_scale=1.0,
        sampling_ratio=2,
        pool_mode=1,
        aligned=True,
    )
    # linear in the image: <upstream, f(image)> = <grad, image>
    forward = (upstream * roi_align(image, rois, 2, 2, True)).sum()
    torch.testing.assert_close((grad * image).sum(), forward)


def test_what_is_missing_says_so_when_called():
    with pytest.raises(BenchError, match="(?s)ms_deform_attn_forward.*fix: install a compiled mmcv"):
        stand_in.ms_deform_attn_forward()
    with pytest.raises(AttributeError):
        stand_in.__wrapped__  # noqa: B018  inspect asks for it


def test_softnms_by_hand():
    # IoU 1/2 (linear): 0.8 * (1 - 1/2) = 0.4, below the distant box
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 20], [50, 50, 60, 60]])
    dets = torch.zeros(3, 5)
    kept = stand_in.softnms(
        boxes,
        torch.tensor([0.9, 0.8, 0.5]),
        dets,
        iou_threshold=0.3,
        sigma=0.5,
        min_score=0.01,
        method=1,
        offset=0,
    )
    assert kept.tolist() == [0, 2, 1]
    torch.testing.assert_close(dets[:, 4], torch.tensor([0.9, 0.5, 0.4]))


def test_focal_loss_by_hand_and_its_gradient():
    logits = torch.zeros(2, 1)  # p = 1/2: loss = alpha * (1/2)^2 * ln 2
    target, output = torch.tensor([0, 1]), torch.zeros(2, 1)
    options = dict(gamma=2.0, alpha=0.25)
    stand_in.sigmoid_focal_loss_forward(logits, target, torch.zeros(0), output, **options)
    torch.testing.assert_close(output[:, 0], np.log(2) / 4 * torch.tensor([0.25, 0.75]))

    def total(values):
        out = torch.zeros(2, 1, dtype=torch.float64)
        stand_in.sigmoid_focal_loss_forward(values, target, torch.zeros(0), out, **options)
        return out.sum()

    at, grad = torch.tensor([[0.3], [-0.7]], dtype=torch.float64), torch.zeros(2, 1)
    stand_in.sigmoid_focal_loss_backward(at, target, torch.zeros(0), grad, **options)
    for i in range(2):
        step = torch.zeros(2, 1, dtype=torch.float64)
        step[i] = 1e-2
        numeric = (total(at + step) - total(at - step)) / 2e-2
        assert grad[i].item() == pytest.approx(numeric.item(), abs=1e-4)


def test_provider_is_known_without_torch_or_mmcv():
    said = run(
        """
        import sys
        from prior_bench.openmmlab import ops
        ops.install()
        ops.install()
        print(ops.provider(), [m for m in ("torch", "mmcv") if m in sys.modules])
        print(sum(type(finder).__name__ == "StandInFinder" for finder in sys.meta_path))
        """
    )
    assert said in ("torchvision stand-in []\n1",) or "compiled" in said


@pytest.fixture
def fake_mmcv(tmp_path):
    """A folder with an mmcv whose extension is what the test writes into it."""
    package = tmp_path / "mmcv"
    package.mkdir()
    (package / "__init__.py").write_text("")
    return package


REPORT = """
    from prior_bench.openmmlab import ops
    ops.install()
    from mmcv import _ext
    print(ops.provider(), getattr(_ext, "REAL", None))
"""


@pytest.mark.slow
def test_a_compiled_extension_wins(fake_mmcv):
    (fake_mmcv / "_ext.py").write_text("REAL = True")
    said = run(REPORT, PYTHONPATH=str(fake_mmcv.parent))
    assert "compiled" in said and said.endswith("True")


@pytest.mark.slow
def test_the_override_forces_the_stand_in(fake_mmcv):
    (fake_mmcv / "_ext.py").write_text("REAL = True")
    said = run(REPORT, PYTHONPATH=str(fake_mmcv.parent), PRIOR_BENCH_OPS="torchvision")
    assert said.startswith("torchvision stand-in <function")


@pytest.mark.slow
def test_a_broken_extension_is_passed_over(fake_mmcv):
    (fake_mmcv / "_ext.py").write_text("raise ImportError('undefined symbol')")
    said = run(REPORT, PYTHONPATH=str(fake_mmcv.parent))
    assert said.startswith("torchvision stand-in <function")


def test_stand_in_serves_mmcvs_own_wrappers():
    ops.install()
    from mmcv.ops import RoIAlign, batched_nms

    image = torch.rand(2, 3, 9, 11, requires_grad=True)
    pooled = RoIAlign((2, 3), spatial_scale=0.5, pool_mode="max")(image, ROIS)
    expected = slow_max_align(image.detach(), ROIS, (2, 3), 0, True, scale=0.5)[0]
    torch.testing.assert_close(pooled, expected, rtol=1e-4, atol=1e-4)
    pooled.sum().backward()
    assert image.grad.sum() > 0

    boxes = torch.tensor([[0.0, 0, 10, 10], [1, 0, 11, 10], [1, 0, 11, 10]])
    dets, kept = batched_nms(
        boxes, torch.tensor([0.9, 0.8, 0.7]), torch.tensor([0, 0, 1]), dict(type="nms", iou_threshold=0.5)
    )
    assert kept.tolist() == [0, 2]
    torch.testing.assert_close(dets[:, :4], boxes[[0, 2]])
