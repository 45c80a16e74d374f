"""Opacities of the lung: atelectasis, consolidation, edema and nodules.

Each function draws an opacity on the scene and returns its mask (bool [size, size]). An opacity replaces air,
so its contrast depends on the depth of lung at each pixel.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from prior_bench.sample.drawing.anatomy import LEFT, RIGHT
from prior_bench.sample.drawing.phantom import HILUM, Scene
from prior_bench.sample.drawing.shapes import Strokes, edge, ellipse, falloff, smooth_noise

VISIBLE = 0.4
"""A pixel belongs to the mask if the opacity has more than this share of its full strength there."""


def zone_height(scene: Scene, side: int, zone: str) -> float:
    """Return the height of the middle of a lung zone (upper, mid or lower third), in body units."""
    dome = scene.anatomy.dome[0 if side == RIGHT else 1]
    share = {"upper": 0.27, "mid": 0.56, "lower": 0.84}[zone]
    return scene.anatomy.apex + share * (dome - scene.anatomy.apex)


def fill_air(scene: Scene, share: np.ndarray) -> None:
    """Replace a share (0 to 1 per pixel) of the air with fluid or collapsed lung."""
    scene.air = scene.air * (1 - share)
    scene.vessels = scene.vessels * (1 - 0.8 * share)


def consolidation(
    scene: Scene, side: int, zone: str, severity: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw a patchy opacity with an irregular border and air bronchograms."""
    centre = np.array([rng.uniform(0.36, 0.52), zone_height(scene, side, zone) + rng.normal(0, 0.04)])
    return _consolidated(scene, side, centre, 0.27 + 0.17 * severity, severity, rng)


def focal_consolidation(
    scene: Scene, side: int, zone: str, severity: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw a small consolidation, with a diameter of a tenth to a fifth of the image's side."""
    centre = _within_lung(scene, side, zone, rng)
    return _consolidated(scene, side, centre, 0.10 + 0.09 * severity, severity, rng)


def lesion(scene: Scene, side: int, zone: str, severity: float, rng: np.random.Generator) -> np.ndarray:
    """Draw a round, well-defined nodule or mass, with a diameter of 3 to 12 % of the image's side."""
    centre, radius = _within_lung(scene, side, zone, rng), 0.028 + 0.08 * severity
    away = ellipse(
        scene.lateral(side), scene.y, centre, tuple(radius * rng.uniform(0.85, 1.15, 2)), rng.uniform(-1, 1)
    )
    solid = edge(1 - away + 0.10 * smooth_noise(rng, scene.size, 24), 0.5)
    fill_air(scene, (0.50 + 0.30 * severity) * solid)
    scene.tissue = scene.tissue + 0.08 * solid  # denser than fluid, so that an effusion does not hide it
    return (solid > VISIBLE) & (scene.lung[side] > 0.4)


def _within_lung(scene: Scene, side: int, zone: str, rng: np.random.Generator) -> np.ndarray:
    """Return the place nearest to a random place in a zone where heart and diaphragm do not hide the lung."""
    x, y = scene.lateral(side), scene.y
    wanted = rng.uniform(0.24, 0.64), zone_height(scene, side, zone) + rng.normal(0, 0.06)
    lung = scene.lung[side]
    away = np.where(lung > min(0.9, lung.max() - 0.01), np.hypot(x - wanted[0], y - wanted[1]), np.inf)
    nearest = np.unravel_index(np.argmin(away), away.shape)
    return np.array([x[nearest], y[nearest]])


def _consolidated(
    scene: Scene, side: int, centre: np.ndarray, radius: float, severity: float, rng: np.random.Generator
) -> np.ndarray:
    radii = (radius * rng.uniform(0.75, 1.05), radius * rng.uniform(0.85, 1.2))
    away = ellipse(scene.lateral(side), scene.y, centre, radii, rng.uniform(-0.6, 0.6))
    patchy = 1 - away + 0.20 * smooth_noise(rng, scene.size, 11) + 0.08 * smooth_noise(rng, scene.size, 30)
    core = edge(patchy - 0.22, 0.55) * (away < 1.45)
    opacity = (0.62 + 0.32 * severity) * core
    fill_air(scene, opacity * (1 - 0.45 * _bronchograms(scene, side, centre, radius, rng)))
    return (core > VISIBLE) & (scene.lung[side] > 0.4)


def _bronchograms(
    scene: Scene, side: int, centre: np.ndarray, radius: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw air-filled bronchi that spread from the hilum through an opacity."""
    strokes, hilum = Strokes(scene.size), np.array(HILUM)
    for _ in range(4):
        target = centre + rng.normal(0, 0.45 * radius, 2)
        bend = (hilum + target) / 2 + rng.normal(0, 0.03, 2)
        path = np.stack((hilum, bend, target, target + 0.5 * (target - bend))) * [side, 1]
        strokes.line(scene.pixels(path), 0.014 * scene.per_unit())
    return strokes.array(blur=0.5)


def atelectasis(scene: Scene, side: int, zone: str, severity: float, rng: np.random.Generator) -> np.ndarray:
    """Draw plate-like bands; if severe in the lower zone, also a wedge of collapsed lung at the diaphragm."""
    x, y = scene.lateral(side), scene.y
    height = zone_height(scene, side, zone)
    total = np.zeros_like(x)
    for _ in range(1 + int(severity > 0.3) + int(severity > 0.65)):
        centre = (rng.uniform(0.30, 0.46), height + rng.uniform(-0.09, 0.07))
        tilt = rng.normal(0.0, 0.22)
        along, half = rng.uniform(0.20, 0.28) + 0.12 * severity, rng.uniform(0.032, 0.042) + 0.022 * severity
        dx = x - centre[0]
        off = y - centre[1] - tilt * dx - 0.5 * dx * dx
        band = edge(half - np.abs(off), 0.02) * edge(along - np.abs(dx), 0.12)
        total = np.maximum(total, band)
    total *= 1 + 0.12 * smooth_noise(rng, scene.size, 16)
    haze = 0.30 * falloff(ellipse(x, y, (0.40, height + 0.03), (0.36, 0.20)))
    wedge = np.zeros_like(x)
    if severity > 0.6 and zone == "lower":
        depth = scene.floor[side]
        wedge = edge(0.16 * severity - depth - 0.25 * (x - 0.12), 0.10)
    shape = np.clip(np.maximum(total, 0.8 * wedge) + haze, 0, 1)
    fill_air(scene, (0.50 + 0.34 * severity) * shape)
    covered = np.maximum(total, wedge) > VISIBLE
    return covered & (scene.lung[side] > 0.4)


def edema(scene: Scene, severity: float, rng: np.random.Generator) -> np.ndarray:
    """Draw bilateral perihilar haze, thick indistinct vessels, and short septal lines at the bases."""
    haze = np.zeros_like(scene.x)
    septa, unit = Strokes(scene.size), scene.per_unit()
    for side in (RIGHT, LEFT):
        radii = (0.52 + 0.12 * severity, 0.62 + 0.12 * severity)
        bell = falloff(ellipse(scene.lateral(side), scene.y, (HILUM[0] + 0.10, HILUM[1] + 0.08), radii))
        haze = np.maximum(haze, np.sqrt(bell))
        for _ in range(5):
            start = np.array([scene.anatomy.chest - rng.uniform(0.05, 0.12), rng.uniform(0.02, 0.34)])
            line = start + np.array([[0, 0], [-rng.uniform(0.06, 0.12), 0.01]])
            septa.line(scene.pixels(line * [side, 1]), 0.009 * unit, 0.5)
    cloudy = haze * (1 + 0.22 * smooth_noise(rng, scene.size, 14))
    engorged = gaussian_filter(scene.vessels, 0.006 * scene.size, truncate=3.0)
    scene.vessels = scene.vessels + severity * 1.3 * engorged * haze
    lungs = scene.lung[RIGHT] + scene.lung[LEFT]
    scene.vessels = scene.vessels + (0.3 + 0.5 * severity) * septa.array(0.4) * lungs
    scene.air = scene.air * (1 - (0.12 + 0.32 * severity) * np.clip(cloudy, 0, 1))
    return (haze > VISIBLE) & (lungs > 0.4)
