import numpy as np
import pytest
from scipy.ndimage import binary_dilation, find_objects

from prior_bench.sample.drawing.anatomy import RIGHT, Pose, draw_anatomy
from prior_bench.sample.drawing.findings import KINDS, Finding, boxes_around, deform, draw
from prior_bench.sample.drawing.objects import VARIANTS
from prior_bench.sample.drawing.phantom import Scene

SIZE = 128
CASES = [
    Finding(kind, side, zone, severity, seed=seed, variant=variant)
    for kind, side, zone, variant in (
        ("atelectasis", "left", "lower", ""),
        ("atelectasis", "right", "mid", ""),
        ("consolidation", "right", "upper", ""),
        ("consolidation", "bilateral", "lower", ""),
        ("consolidation", "left", "mid", "focal"),
        ("lesion", "right", "upper", ""),
        ("lesion", "left", "lower", ""),
        ("lesion", "bilateral", "mid", ""),
        ("edema", "", "", ""),
        ("effusion", "left", "lower", ""),
        ("effusion", "bilateral", "lower", ""),
        ("pneumothorax", "right", "upper", ""),
        *(("foreign_object", "left", "", name) for name in VARIANTS),
    )
    for seed, severity in enumerate((0.25, 0.8))
]


def anatomy():
    return draw_anatomy(np.random.default_rng(3), "M", 60)


def scene_of(*findings, pose=None):
    return Scene(deform(anatomy(), findings), pose or Pose(), SIZE)


@pytest.mark.parametrize("finding", CASES, ids=lambda f: f"{f.kind}-{f.variant}{f.side}-{f.severity}")
def test_mask_and_boxes_lie_on_what_was_drawn(finding):
    scene = scene_of(finding, pose=Pose(angle=0.05, scale=1.03, dx=0.04))
    before = scene.attenuation()
    drawn = draw(scene, finding)
    changed = np.abs(scene.attenuation() - before)
    assert drawn.mask.shape == (SIZE, SIZE) and drawn.mask.any()
    assert changed[drawn.mask].mean() > 0.02
    assert changed[drawn.mask].mean() > 3 * changed[~drawn.mask].mean()
    assert len(drawn.boxes) >= 1
    for x1, y1, x2, y2 in drawn.boxes:
        assert 0 <= x1 < x2 <= SIZE and 0 <= y1 < y2 <= SIZE
        assert drawn.mask[int(y1) : int(y2), int(x1) : int(x2)].any()


def test_findings_stay_on_their_side():
    midline = SIZE // 2
    for kind, zone in (("consolidation", "mid"), ("effusion", "lower"), ("pneumothorax", "upper")):
        finding = Finding(kind, "right", zone, 0.6, seed=1)
        mask = draw(scene_of(finding), finding).mask
        assert not mask[:, midline + 3 :].any(), f"{kind} of the right lung belongs to the image's left"


def test_zones_are_ordered_from_top_to_bottom():
    heights = []
    for zone in ("upper", "mid", "lower"):
        finding = Finding("consolidation", "right", zone, 0.5, seed=1)
        heights.append(np.nonzero(draw(scene_of(finding), finding).mask)[0].mean())
    assert heights == sorted(heights) and heights[2] - heights[0] > SIZE / 6


@pytest.mark.parametrize("kind", ["consolidation", "effusion", "lesion", "pneumothorax"])
def test_severity_enlarges(kind):
    zone = "upper" if kind == "pneumothorax" else "lower"
    areas = []
    for severity in (0.2, 0.5, 0.9):
        finding = Finding(kind, "left", zone, severity, seed=4)
        areas.append(draw(scene_of(finding), finding).mask.sum())
    assert areas[0] < areas[1] < areas[2]


def test_small_findings_are_of_the_size_of_a_patch_and_smaller():
    """At 96 pixels a patch of a 6 x 6 grid is a sixth of the side."""
    for seed in range(8):
        for severity in (0.12, 0.5, 0.98):
            for kind, variant, least, most in (
                ("lesion", "", 0.03, 0.14),
                ("consolidation", "focal", 0.05, 0.27),
            ):
                finding = Finding(kind, "right", "mid", severity, seed=seed, variant=variant)
                x1, y1, x2, y2 = draw(scene_of(finding), finding).boxes[0]
                assert least <= (x2 - x1 + y2 - y1) / 2 / SIZE <= most, finding


def test_a_nodule_is_not_hidden_by_heart_or_diaphragm():
    for seed in range(20):
        finding = Finding("lesion", "left", "lower", 0.3, seed=seed)
        others = (Finding("cardiomegaly", severity=0.9), Finding("atelectasis", "left", "lower", 0.9))
        scene = scene_of(finding, *others)
        assert draw(scene, finding).mask.sum() > 12


def test_cardiomegaly_widens_the_heart_beyond_half_the_thorax():
    healthy = anatomy()
    assert healthy.cardiothoracic_ratio < 0.5
    for severity in (0.2, 0.9):
        assert deform(healthy, (Finding("cardiomegaly", severity=severity),)).cardiothoracic_ratio > 0.5


def test_atelectasis_raises_its_own_diaphragm_only():
    healthy = anatomy()
    deformed = deform(healthy, (Finding("atelectasis", "right", "lower", 0.5),))
    assert deformed.dome[0] < healthy.dome[0] and deformed.dome[1] == healthy.dome[1]


def test_effusion_brightens_and_pneumothorax_darkens():
    for kind, zone, sign in (("effusion", "lower", 1), ("pneumothorax", "upper", -1)):
        finding = Finding(kind, "right", zone, 0.6, seed=2)
        scene = scene_of(finding)
        before = scene.attenuation()
        mask = draw(scene, finding).mask
        assert sign * (scene.attenuation() - before)[mask].mean() > 0.02


def test_boxes_enclose_the_large_parts_of_a_mask_exactly():
    mask = np.zeros((20, 30), bool)
    mask[2:7, 3:9] = True
    mask[10:18, 15:30] = True
    mask[0, 0] = True  # a crumb of under 8 % gets no box
    assert sorted(boxes_around(mask).tolist()) == [[3, 2, 9, 7], [15, 10, 30, 18]]
    assert boxes_around(np.zeros((5, 5), bool)).shape == (0, 4)


def test_box_is_tight_around_a_drawn_consolidation():
    finding = Finding("consolidation", "left", "mid", 0.7, seed=9)
    drawn = draw(scene_of(finding), finding)
    x1, y1, x2, y2 = drawn.boxes[0].astype(int)
    inside = binary_dilation(drawn.mask)[y1:y2, x1:x2]
    rows, columns = find_objects(inside.astype(int))[0]
    assert (rows.start, columns.start) == (0, 0) and inside.shape == (rows.stop, columns.stop)


def test_pose_maps_back_and_forth():
    pose = Pose(angle=0.1, scale=0.9, dx=0.05, dy=-0.03)
    x, y = pose.grid(SIZE)
    pixels = pose.to_pixels(np.stack((x, y), axis=-1).astype(float), SIZE)
    columns, rows = np.meshgrid(np.arange(SIZE) + 0.5, np.arange(SIZE) + 0.5)
    np.testing.assert_allclose(pixels, np.stack((columns, rows), axis=-1), atol=1e-3)


def test_lungs_are_darker_than_heart_and_abdomen():
    scene = scene_of()
    film = scene.attenuation()
    assert film[scene.lung[RIGHT] > 0.9].mean() < 0.7 * film[scene.heart > 0.9].mean()


def test_every_kind_has_a_painter():
    assert {case.kind for case in CASES} | {"cardiomegaly"} == set(KINDS)
