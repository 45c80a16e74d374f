"""Foreign objects: support devices, and objects that patients did not take off.

Each function ``(scene, side, rng)`` draws an object on the scene and returns its mask (bool [size, size]).
"""

from __future__ import annotations

import numpy as np

from prior_bench.sample.drawing.phantom import Scene
from prior_bench.sample.drawing.shapes import Strokes


def _put(scene: Scene, strokes: Strokes, density: float) -> np.ndarray:
    shape = strokes.array(blur=0.3)
    scene.metal = np.maximum(scene.metal, density * shape)
    return shape > 0.25


def pacemaker(scene: Scene, side: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a generator below the clavicle and a lead to the right ventricle."""
    strokes, unit = Strokes(scene.size), scene.per_unit()
    box = np.array([side * rng.uniform(0.55, 0.64), rng.uniform(-0.52, -0.44)])
    corners = np.array([[-0.09, -0.07], [0.06, -0.08], [0.10, 0.0], [0.06, 0.08], [-0.07, 0.08]])
    strokes.polygon(scene.pixels(box + corners))
    vein, atrium = np.array([-0.09, -0.42]), np.array([-0.12, 0.05])
    tip = np.array([rng.uniform(0.18, 0.28), rng.uniform(0.22, 0.30)])
    path = _smooth(np.stack((box, [side * 0.25, -0.62], vein, atrium, [0.02, 0.22], tip)))
    strokes.line(scene.pixels(path), 0.022 * unit, 0.6)
    return _put(scene, strokes, 0.55)


def central_line(scene: Scene, side: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a catheter from the neck or arm into the superior vena cava."""
    strokes = Strokes(scene.size)
    start = [side * 0.95, rng.uniform(-0.60, -0.45)] if rng.random() < 0.5 else [side * 0.20, -1.05]
    tip = [-0.10 + rng.normal(0, 0.01), rng.uniform(-0.22, -0.02)]
    bend = [side * 0.42, -0.66] if abs(start[0]) > 0.5 else [side * 0.17, -0.75]
    path = _smooth(np.array([start, bend, [side * 0.14 - 0.02, -0.56], [-0.10, -0.42], tip]))
    strokes.line(scene.pixels(path), 0.022 * scene.per_unit(), 0.8)
    return _put(scene, strokes, 0.22)


def endotracheal_tube(scene: Scene, side: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a tube in the trachea with its tip some centimetres above the carina."""
    strokes = Strokes(scene.size)
    tip = rng.uniform(-0.48, -0.38)
    for offset in (-0.022, 0.022):
        line = np.array([[offset + 0.02, -1.1], [offset + 0.01, -0.7], [offset, tip]])
        strokes.line(scene.pixels(line), 0.014 * scene.per_unit(), 0.9)
    return _put(scene, strokes, 0.22)


def ecg_leads(scene: Scene, side: int, rng: np.random.Generator) -> np.ndarray:
    """Draw electrodes on the skin with their wires."""
    strokes, unit = Strokes(scene.size), scene.per_unit()
    for place in ((-0.62, -0.50), (0.62, -0.48), (0.66, 0.40))[: int(rng.integers(2, 4))]:
        pad = np.array(place) + rng.normal(0, 0.05, 2)
        strokes.disc(scene.pixels(pad), 0.035 * unit, 1.0)
        way = _smooth(np.stack((pad, pad * [0.9, 1] + [0.1, 0.25], [rng.uniform(-0.3, 0.9), 1.1])))
        strokes.line(scene.pixels(way), 0.014 * unit, 0.55)
    return _put(scene, strokes, 0.40)


def buttons(scene: Scene, side: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a row of buttons on clothing."""
    strokes, unit = Strokes(scene.size), scene.per_unit()
    left, top = side * rng.uniform(0.2, 0.5), rng.uniform(-0.5, -0.2)
    for i in range(int(rng.integers(2, 5))):
        strokes.disc(scene.pixels(np.array([left + 0.01 * i, top + 0.24 * i])), 0.042 * unit, 1.0)
    return _put(scene, strokes, 0.30)


def coin(scene: Scene, side: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a round metal disc, such as a coin or medallion in a pocket."""
    strokes = Strokes(scene.size)
    place = np.array([side * rng.uniform(0.3, 0.6), rng.uniform(-0.4, 0.2)])
    strokes.disc(scene.pixels(place), rng.uniform(0.06, 0.09) * scene.per_unit())
    return _put(scene, strokes, 0.6)


def necklace(scene: Scene, side: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a chain around the neck."""
    strokes = Strokes(scene.size)
    x = np.linspace(-0.24, 0.24, 15)
    depth = rng.uniform(0.25, 0.4)
    path = np.stack((x, -0.95 + depth * (1 - (x / 0.24) ** 2)), axis=1)
    strokes.line(scene.pixels(path), 0.020 * scene.per_unit(), 0.9)
    return _put(scene, strokes, 0.45)


def _smooth(points: np.ndarray, rounds: int = 3) -> np.ndarray:
    """Smooth a polyline [n, 2] by Chaikin's corner cutting."""
    for _ in range(rounds):
        near, far = 0.75 * points[:-1] + 0.25 * points[1:], 0.25 * points[:-1] + 0.75 * points[1:]
        inner = np.stack((near, far), axis=1).reshape(-1, 2)
        points = np.concatenate((points[:1], inner, points[-1:]))
    return points


VARIANTS = {
    "pacemaker": pacemaker,
    "central_line": central_line,
    "endotracheal_tube": endotracheal_tube,
    "ecg_leads": ecg_leads,
    "buttons": buttons,
    "coin": coin,
    "necklace": necklace,
}
DEVICES = ("pacemaker", "central_line", "endotracheal_tube", "ecg_leads")
"""Variants that are support devices in reports and labels; the others are external objects."""
