"""Findings: their properties, the deformation of the chest that they cause, and their place in the image."""

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
    """One abnormality of a patient at one time.

    Attributes:
        kind: one of :data:`KINDS`.
        side: ``"right"``, ``"left"``, ``"bilateral"``, or empty if the finding has no side.
        zone: ``"upper"``, ``"mid"``, ``"lower"``, or empty.
        severity: 0 (barely visible) to 1 (extreme); it determines extent and contrast.
        seed: seed of its individual shape, which is the same in all studies of a patient.
        variant: kind of a foreign object; ``"focal"`` for a small consolidation; empty otherwise.
    """

    kind: str
    side: str = ""
    zone: str = ""
    severity: float = 0.5
    seed: int = 0
    variant: str = ""

    @property
    def grade(self) -> str:
        """The severity as a radiologist reports it: mild, moderate or severe."""
        return "mild" if self.severity < 0.4 else "moderate" if self.severity < 0.72 else "severe"


@dataclass(frozen=True)
class Drawn:
    """A finding as it appears in one image.

    Attributes:
        finding: the finding.
        mask: bool [size, size], the pixels that it covers.
        boxes: float32 [n, 4], x1, y1, x2, y2 in pixels around each separate part (x2, y2 exclusive).
    """

    finding: Finding
    mask: np.ndarray
    boxes: np.ndarray


def deform(anatomy: Anatomy, findings: tuple[Finding, ...]) -> Anatomy:
    """Return the chest as its findings deform it: wide heart, raised diaphragm, shifted mediastinum."""
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
    """Draw a finding into the layers of a scene, whose anatomy must already be deformed by it."""
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
    """Return boxes float32 [n, 4] (x1, y1, x2, y2; ends exclusive) around the :func:`parts` of a mask."""
    corners = [box for box, _ in parts(mask, smallest_share)]
    return np.array(corners, dtype=np.float32).reshape(-1, 4)


def parts(
    mask: np.ndarray, smallest_share: float = 0.08
) -> list[tuple[tuple[int, int, int, int], np.ndarray]]:
    """Return the box (x1, y1, x2, y2; ends exclusive) and mask [height, width] of each connected part.

    Args:
        mask: bool [height, width].
        smallest_share: parts that cover less than this share of the mask are left out.
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
