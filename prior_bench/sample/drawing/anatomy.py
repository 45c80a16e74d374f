"""Parameters of the phantom: the anatomy of the patient and the pose in the image.

Lengths are in *body units*. In an upright, centred image, x runs from -1 (the patient's right) to 1, and y
from -1 (top) to 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

RIGHT, LEFT = -1, 1
"""Sides of the patient, as the sign of x."""


@dataclass(frozen=True)
class Anatomy:
    """The shape of one chest.

    Attributes:
        chest: half the inner width of the rib cage at its base.
        apex: height of the lung apices.
        dome: heights of the right and left hemidiaphragm.
        heart_right, heart_left: extent of the heart from the midline to each side.
        mediastinum: half the width of the upper mediastinum.
        knob: size of the aortic knob.
        shift: displacement of heart and mediastinum, positive to the patient's left.
        rib_spacing, rib_phase: spacing and phase of the posterior ribs at the spine.
        clavicle: height of the medial ends of the clavicles.
        girth: thickness of the chest wall.
        breast: density of breast shadows, 0 to 1.
        vascularity: strength of the vessel markings.
        tree: seed of the vessel tree.
    """

    chest: float
    apex: float
    dome: tuple[float, float]
    heart_right: float
    heart_left: float
    mediastinum: float
    knob: float
    shift: float
    rib_spacing: float
    rib_phase: float
    clavicle: float
    girth: float
    breast: float
    vascularity: float
    tree: int

    @property
    def cardiothoracic_ratio(self) -> float:
        """The heart's width over the thorax's inner width; above 0.5 in a PA view is cardiomegaly."""
        return (self.heart_right + self.heart_left) / (2 * self.chest)


def draw_anatomy(rng: np.random.Generator, sex: str, age: int) -> Anatomy:
    """Draw a healthy chest for a patient of a sex (``"M"``, ``"F"``) and age in years."""
    chest = rng.normal(0.80 if sex == "M" else 0.76, 0.03)
    ratio = rng.normal(0.445, 0.026) + 0.0004 * (age - 50)
    heart = 2 * chest * float(np.clip(ratio, 0.38, 0.49))
    left_share = rng.uniform(0.66, 0.72)
    dome = rng.normal(0.40, 0.04)
    return Anatomy(
        chest=chest,
        apex=rng.normal(-0.80, 0.03),
        dome=(dome, dome + rng.uniform(0.02, 0.08)),
        heart_right=heart * (1 - left_share),
        heart_left=heart * left_share,
        mediastinum=rng.normal(0.125, 0.01),
        knob=rng.normal(0.075, 0.01) + 0.0004 * (age - 50),
        shift=0.0,
        rib_spacing=rng.normal(0.185, 0.01),
        rib_phase=rng.uniform(0, 1),
        clavicle=rng.normal(-0.66, 0.03),
        girth=float(np.clip(rng.normal(0.16, 0.05), 0.08, 0.3)),
        breast=rng.uniform(0.3, 1.0) if sex == "F" else 0.0,
        vascularity=rng.normal(1.0, 0.12),
        tree=int(rng.integers(2**31)),
    )


def breathe(anatomy: Anatomy, rng: np.random.Generator, view: str) -> Anatomy:
    """Return the chest at one exposure: depth of breath varies, and an AP view magnifies the heart."""
    portable = view == "AP"
    breath = rng.normal(-0.06 if portable else 0.0, 0.04)
    widen = rng.normal(1.07 if portable else 1.0, 0.025)
    return replace(
        anatomy,
        dome=(anatomy.dome[0] + breath, anatomy.dome[1] + breath),
        heart_right=anatomy.heart_right * widen,
        heart_left=anatomy.heart_left * widen,
        mediastinum=anatomy.mediastinum * widen,
        clavicle=anatomy.clavicle - (0.05 if portable else 0.0),
    )


@dataclass(frozen=True)
class Pose:
    """The position of the patient in the image.

    Attributes:
        angle: rotation in the image plane, in radians.
        scale: magnification.
        dx, dy: shift in body units.
        turn: rotation about the long axis, which shifts anterior structures against posterior ones.
    """

    angle: float = 0.0
    scale: float = 1.0
    dx: float = 0.0
    dy: float = 0.0
    turn: float = 0.0

    def grid(self, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the body coordinates x, y (float32 [size, size]) of the pixel centres."""
        line = ((np.arange(size, dtype=np.float32) + 0.5) * (2.0 / size) - 1.0) / np.float32(self.scale)
        u, v = line[None, :] - np.float32(self.dx), line[:, None] - np.float32(self.dy)
        cos, sin = np.float32(np.cos(self.angle)), np.float32(np.sin(self.angle))
        return cos * u + sin * v, cos * v - sin * u

    def to_pixels(self, points: np.ndarray, size: int) -> np.ndarray:
        """Convert body points [..., 2] to image pixels; this is the inverse of :meth:`grid`."""
        x, y = points[..., :1], points[..., 1:]
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        turned = np.concatenate((cos * x - sin * y + self.dx, cos * y + sin * x + self.dy), axis=-1)
        return (turned * self.scale + 1.0) * (size / 2)


def draw_pose(rng: np.random.Generator, view: str) -> Pose:
    """Draw the pose of one exposure; it varies more for a portable AP view."""
    loose = 1.5 if view == "AP" else 1.0
    return Pose(
        angle=rng.normal(0, 0.03 * loose),
        scale=rng.normal(0.98, 0.05 * loose),
        dx=rng.normal(0, 0.04 * loose),
        dy=rng.normal(0.04, 0.05 * loose),
        turn=rng.normal(0, 0.02 * loose),
    )
