"""Radiographs of the sample benchmark's phantom with findings at given places, each with its healthy twin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from prior_bench.sample.drawing.anatomy import draw_anatomy, draw_pose
from prior_bench.sample.drawing.exposure import Technique, expose
from prior_bench.sample.drawing.findings import Finding, deform, draw
from prior_bench.sample.drawing.phantom import Scene

SIDE = 192
"""Pixels at which the phantom is rendered, before it is enlarged to the stored size."""
STRENGTH = 0.35
"""Attenuation added in a marked place; lung and heart differ by about 0.5."""
TECHNIQUE = Technique(-0.6, 2.0, 1.0, scatter=0.0, blur=0.002, noise=0.01, clouds=0.01, marker=False)
"""A range so wide that nothing is black or white, in which differences are the findings' own."""


@dataclass(frozen=True)
class Twins:
    """The same patient on the same film with and without findings, uint8 [height, width] each."""

    ill: np.ndarray
    healthy: np.ndarray

    def difference(self) -> np.ndarray:
        """int16 [height, width]; 0 where nothing was drawn."""
        return self.ill.astype(np.int16) - self.healthy


def marked(seed: int, mask: np.ndarray, sign: int = 1) -> Twins:
    """A patient with something dense (or, with ``sign=-1``, airy) exactly where the mask is.

    Args:
        seed: of patient, pose and film.
        mask: uint8 [height, width], 1 where the finding is; its size is that of the images.
        sign: 1 or -1.
    """
    scene, film = _scene(seed)
    healthy = _exposed(scene, film)
    small = Image.fromarray(255 * mask).resize((SIDE, SIDE), Image.Resampling.BOX)
    scene.tissue = scene.tissue + sign * STRENGTH * (np.asarray(small, np.float32) / 255)
    ill = _exposed(scene, film)
    size = mask.shape[::-1]
    return Twins(
        *(np.array(Image.fromarray(i).resize(size, Image.Resampling.NEAREST)) for i in (ill, healthy))
    )


def with_findings(seed: int, findings: tuple[Finding, ...]) -> Twins:
    """A patient with findings as the sample benchmark draws them, at SIDE x SIDE."""
    scene, film = _scene(seed)
    healthy = _exposed(scene, film)
    scene, _ = _scene(seed, findings)
    for finding in findings:
        draw(scene, finding)
    return Twins(_exposed(scene, film), healthy)


def _scene(seed: int, findings: tuple[Finding, ...] = ()) -> tuple[Scene, int]:
    rng = np.random.default_rng(seed)
    anatomy = deform(draw_anatomy(rng, "F" if seed % 2 else "M", 40 + seed % 40), findings)
    return Scene(anatomy, draw_pose(np.random.default_rng(seed), "PA"), SIDE), seed


def _exposed(scene: Scene, film: int) -> np.ndarray:
    rng = np.random.default_rng(film)  # the same grain on both
    return expose(scene.attenuation(), TECHNIQUE, scene.pose, rng)
