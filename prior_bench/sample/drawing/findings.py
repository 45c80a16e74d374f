"""Findings: what they are, how they deform the chest, and where they end up in the image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import find_objects, label

from prior_bench.sample.drawing import objects, opacities, pleura
from prior_bench.sample.drawing.anatomy import LEFT, RIGHT, Anatomy
from prior_bench.sample.drawing.phantom import Scene

KINDS = (
    "atelectasis",
    "cardiomegaly",
    "consolidation",
    "edema",
    "effusion",
    "lesion",
    "pneumothorax",
    "foreign_object",
)
SIDES = {"right": (RIGHT,), "left": (LEFT,), "bilateral": (RIGHT, LEFT), "": ()}


@dataclass(frozen=True)
class Finding:
    """One abnormality of one patient at one time.

    Attributes:
        kind: one of :data:`KINDS`.
        side: ``"right"``, ``"left"``, ``"bilateral"``, or empty where a side makes no sense.
        zone: ``"upper"``, ``"mid"``, ``"lower"``, or empty.
        severity: 0 (barely there) to 1 (extreme); drives extent and contrast.
        seed: of its individual shape, which a patient keeps from study to study.
        variant: which foreign object; ``"focal"`` for a small consolidation; empty otherwise.
    """

    kind: str
    side: str = ""
    zone: str = ""
    severity: float = 0.5
    seed: int = 0
    variant: str = ""

    @property
    def grade(self) -> str:
        """Severity in a radiologist's words: mild, moderate or severe."""
        return "mild" if self.severity < 0.4 else "moderate" if self.severity < 0.72 else "severe"


@dataclass(frozen=True)
class Drawn:
    """A finding as it appears in one image.

    Attributes:
        finding: what it is.
        mask: bool [size, size], the pixels it covers.
        boxes: float32 [n, 4], x1, y1, x2, y2 in pixels around each separate part (x2, y2 exclusive).
    """

    finding: Finding
    mask: np.ndarray
    boxes: np.ndarray


def deform(anatomy: Anatomy, findings: tuple[Finding, ...]) -> Anatomy:
    """The chest with the shape its findings give it: wide heart, raised diaphragm, shifted mediastinum."""
    for finding in findings:
        for side in SIDES[finding.side]:
            if finding.kind == "atelectasis" and finding.zone == "lower":
                right, left = anatomy.dome
                higher = 0.04 + 0.12 * finding.severity
                dome = (right - higher, left) if side == RIGHT else (right, left - higher)
                anatomy = replace(anatomy, dome=dome)
            if finding.kind == "atelectasis":
                anatomy = replace(anatomy, shift=anatomy.shift + side * 0.03 * finding.severity)
            if finding.kind == "pneumothorax" and finding.severity > 0.72:
                anatomy = replace(anatomy, shift=anatomy.shift - side * 0.12 * finding.severity)
        if finding.kind == "cardiomegaly":
            widen = (0.51 + 0.12 * finding.severity) / anatomy.cardiothoracic_ratio
            anatomy = replace(
                anatomy,
                heart_right=anatomy.heart_right * widen,
                heart_left=anatomy.heart_left * widen,
                vascularity=anatomy.vascularity * 1.1,
            )
    return anatomy


def draw(scene: Scene, finding: Finding) -> Drawn:
    """Draw a finding into the scene's layers; the scene's anatomy must already be deformed by it."""
    rng = np.random.default_rng(finding.seed)
    if finding.kind == "cardiomegaly":
        mask = scene.heart > 0.5
    elif finding.kind == "edema":
        mask = opacities.edema(scene, finding.severity, rng)
    elif finding.kind == "foreign_object":
        side = SIDES[finding.side][0] if finding.side else RIGHT
        mask = objects.VARIANTS[finding.variant](scene, side, rng)
    else:
        painter = _PAINTERS[f"{finding.variant} {finding.kind}".strip()]
        parts = [painter(scene, side, finding.zone, finding.severity, rng) for side in SIDES[finding.side]]
        mask = np.logical_or.reduce(parts)
    return Drawn(finding, mask, boxes_around(mask))


def boxes_around(mask: np.ndarray, smallest_share: float = 0.08) -> np.ndarray:
    """Boxes float32 [n, 4] (x1, y1, x2, y2; ends exclusive) around the parts of a mask, see :func:`parts`."""
    corners = [box for box, _ in parts(mask, smallest_share)]
    return np.array(corners, dtype=np.float32).reshape(-1, 4)


def parts(
    mask: np.ndarray, smallest_share: float = 0.08
) -> list[tuple[tuple[int, int, int, int], np.ndarray]]:
    """The connected parts of a mask: box (x1, y1, x2, y2; ends exclusive), and its own mask of equal shape.

    Args:
        mask: bool [height, width].
        smallest_share: parts below this share of the whole are left out.
    """
    numbered, count = label(mask, structure=np.ones((3, 3)))
    sizes = np.bincount(numbered.ravel(), minlength=count + 1)[1:]
    return [
        ((cols.start, rows.start, cols.stop, rows.stop), numbered == number)
        for number, ((rows, cols), size) in enumerate(zip(find_objects(numbered), sizes, strict=True), 1)
        if size >= smallest_share * sizes.sum()
    ]


_PAINTERS: dict[str, Callable[..., np.ndarray]] = {
    "atelectasis": opacities.atelectasis,
    "consolidation": opacities.consolidation,
    "focal consolidation": opacities.focal_consolidation,
    "effusion": pleura.effusion,
    "lesion": opacities.lesion,
    "pneumothorax": pleura.pneumothorax,
}
