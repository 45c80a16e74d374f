"""Findings of the pleural space: effusion and pneumothorax.

Each function draws a finding on the scene and returns its mask (bool [size, size]).
"""

from __future__ import annotations

import numpy as np

from prior_bench.sample.drawing.opacities import fill_air
from prior_bench.sample.drawing.phantom import Scene
from prior_bench.sample.drawing.shapes import edge, falloff


def effusion(scene: Scene, side: int, zone: str, severity: float, rng: np.random.Generator) -> np.ndarray:
    """Draw fluid at the base with a meniscus that rises at the chest wall; some fluid may layer behind."""
    a, x, y = scene.anatomy, scene.lateral(side), scene.y
    dome = a.dome[0 if side == -1 else 1]
    angle = dome + 1.25 * (a.chest - 0.40) ** 2
    layering = rng.random() < 0.3
    climb = (0.32 + 0.45 * severity + 0.40 * severity**2) * (0.75 if layering else 1.0)
    across = np.clip((x - 0.08) / (a.chest - 0.10), 0, 1)
    level = angle - climb + (0.19 - 0.03 * severity) * (1 - across**2.5)
    fluid = edge(y - level, 0.07 + 0.05 * rng.random())
    share = (0.82 + 0.15 * severity) * fluid
    veil = edge(y - level + 0.22, 0.5) * (0.10 + (0.30 * severity if layering else 0.05))
    fill_air(scene, np.maximum(share, veil))
    return (fluid > 0.5) & (scene.lung[side] > 0.3)


def pneumothorax(scene: Scene, side: int, zone: str, severity: float, rng: np.random.Generator) -> np.ndarray:
    """Draw air along apex and lateral wall: a dark rim without lung markings, bounded by a pleural line."""
    a = scene.anatomy
    down = np.clip((scene.y - a.apex) / 1.2, 0, 1)
    taper = rng.uniform(0.7, 1.0) * (1 - 0.45 * severity)
    rim = (0.085 + 0.36 * severity) * (1 - taper * down) - 0.02 * down
    depth = _round_minimum(scene.wall[side], 0.85 * scene.roof[side] + 0.02, 0.30)
    depth = depth + 0.008 * np.sin(9 * scene.y + rng.uniform(0, 6)).astype(np.float32)
    lung = scene.lung[side]
    pocket = lung * edge(rim - depth, 0.02)
    line = lung * falloff((depth - rim) / 0.017) * edge(rim - 0.02, 0.02)
    collapsed = lung * (1 - pocket)
    scene.vessels = scene.vessels * (1 - 0.97 * pocket)
    scene.air = scene.air + pocket * (0.10 + 0.30 * (1 - scene.air))
    scene.air = scene.air * (1 - (0.05 + 0.22 * severity) * collapsed)
    scene.tissue = scene.tissue + 0.07 * line
    return pocket > 0.5


def _round_minimum(a: np.ndarray, b: np.ndarray, rounding: float) -> np.ndarray:
    """Return the smaller of two distances, with a smooth transition where they are similar."""
    h = np.clip(0.5 + 0.5 * (b - a) / rounding, 0, 1)
    return b + (a - b) * h - rounding * h * (1 - h)
