"""Rendering of one image of a study, with the masks and boxes of its findings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from prior_bench.sample.cohort import Patient, Study, View
from prior_bench.sample.drawing.anatomy import breathe, draw_pose
from prior_bench.sample.drawing.exposure import draw_technique, expose
from prior_bench.sample.drawing.findings import Drawn, deform, draw
from prior_bench.sample.drawing.lateral import lateral_attenuation
from prior_bench.sample.drawing.phantom import Scene


@dataclass(frozen=True)
class Radiograph:
    """One image.

    Attributes:
        pixels: uint8 [size, size].
        drawn: its findings with masks and boxes; empty for a lateral view.
    """

    pixels: np.ndarray
    drawn: tuple[Drawn, ...]

    def mask(self, kind: str) -> np.ndarray:
        """Return the union of the masks of all findings of one kind, bool [size, size]."""
        masks = [d.mask for d in self.drawn if d.finding.kind == kind]
        return np.logical_or.reduce([np.zeros(self.pixels.shape, bool), *masks])

    def boxes(self, kind: str) -> np.ndarray:
        """Return the boxes of all findings of one kind, float32 [n, 4] (x1, y1, x2, y2)."""
        boxes = [d.boxes for d in self.drawn if d.finding.kind == kind]
        return np.concatenate([np.zeros((0, 4), np.float32), *boxes])


def render(patient: Patient, study: Study, view: View, size: int) -> Radiograph:
    """Render one image of a study.

    Args:
        patient, study, view: subject of the image; with ``size``, they determine the result.
        size: side of the image in pixels.
    """
    rng = np.random.default_rng(view.seed)
    deformed = deform(patient.anatomy, study.findings)
    anatomy = breathe(deformed, rng, view.position)
    pose = draw_pose(rng, view.position)
    technique = draw_technique(rng, view.position)
    if view.position == "LATERAL":
        attenuation = lateral_attenuation(anatomy, study.findings, pose, size)
        return Radiograph(expose(attenuation, technique, pose, rng), ())
    scene = Scene(anatomy, pose, size)
    drawn = tuple(draw(scene, finding) for finding in study.findings)
    return Radiograph(expose(scene.attenuation(), technique, pose, rng), drawn)
