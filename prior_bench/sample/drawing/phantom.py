"""A frontal chest as layers of attenuation, before findings are drawn and before the exposure."""

from __future__ import annotations

import numpy as np

from prior_bench.sample.drawing.anatomy import LEFT, RIGHT, Anatomy, Pose
from prior_bench.sample.drawing.shapes import Strokes, edge, ellipse, falloff, smooth_noise

HILUM = (0.17, -0.12)
"""Place where the vessels enter the lung: distance from the midline, and height."""


class Scene:
    """The layers of one radiograph; findings change them in place.

    All layers are float32 [size, size].

    Attributes:
        size, anatomy, pose: the arguments.
        x, y: body coordinates of every pixel.
        body: soft outline of the patient.
        lung: soft outline of the lung field by side, without the heart.
        wall, roof, floor: signed distances into the lung from chest wall, apex and diaphragm, by side.
        air: depth of aerated lung along the ray, 0 to 1.
        heart: soft outline of the heart.
        vessels: markings of vessels and bronchi.
        bone: ribs, clavicles, spine.
        tissue: any further attenuation, positive or negative.
        metal: objects that are drawn over the body.
    """

    def __init__(self, anatomy: Anatomy, pose: Pose, size: int):
        self.size, self.anatomy, self.pose = size, anatomy, pose
        self.x, self.y = pose.grid(size)
        self.lung: dict[int, np.ndarray] = {}
        self.wall: dict[int, np.ndarray] = {}
        self.roof: dict[int, np.ndarray] = {}
        self.floor: dict[int, np.ndarray] = {}
        self.metal = np.zeros_like(self.x)
        self._draw_body()
        self._draw_heart()
        for side in (RIGHT, LEFT):
            self._draw_lung(side)
        self.air = self.lung[RIGHT] * self._depth(RIGHT) + self.lung[LEFT] * self._depth(LEFT)
        self.vessels = self._vessel_tree()
        self.bone = self.body * (self._ribs() + self._clavicles() + self._spine())
        self.tissue = self._soft_tissue()

    def lateral(self, side: int) -> np.ndarray:
        """Return the distance of every pixel from the midline towards ``side``."""
        return self.x * np.float32(side)

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Convert body points [..., 2] to image pixels."""
        return self.pose.to_pixels(points, self.size)

    def per_unit(self) -> float:
        """Return the number of image pixels per body unit."""
        return self.pose.scale * self.size / 2

    def attenuation(self) -> np.ndarray:
        """Sum all layers: about 0 in air, 0.3 in lung, 0.8 in heart and abdomen, above 1 in metal."""
        solid = self.body * (0.80 - 0.52 * self.air) + self.tissue + 0.9 * self.bone
        return solid + 0.13 * self.vessels + self.metal

    # --- parts -----------------------------------------------------------------------------------

    def _draw_body(self) -> None:
        a, x, y = self.anatomy, np.abs(self.x), self.y
        shoulder = edge(-0.35 - y, 0.6) * 0.45
        flank = a.chest + a.girth + 0.04 + shoulder
        collar = -1.02 + 0.35 * np.clip(x - 0.28, 0, None)
        outline = edge(flank - x, 0.05) * np.maximum(edge(y - collar, 0.08), edge(0.27 - x, 0.05))
        self.body = outline * (0.82 + 0.18 * np.sqrt(np.clip(1 - (x / (flank + 0.05)) ** 2, 0, 1)))

    def _draw_heart(self) -> None:
        a = self.anatomy
        x, y = self.x - a.shift - self.pose.turn, self.y
        middle, half = (a.heart_left - a.heart_right) / 2, (a.heart_left + a.heart_right) / 2
        floor = sum(a.dome) / 2
        height = 0.60 * half + 0.12
        centre = (middle, floor - 0.55 * height)
        lean = np.float32(0.30)
        radius = ellipse(x - lean * (y - centre[1]), y, centre, (half * 0.97, height))
        self.heart = edge(1 - radius, 0.05 / half)

    def _draw_lung(self, side: int) -> None:
        a, x, y = self.anatomy, self.lateral(side), self.y
        dome = a.dome[0 if side == RIGHT else 1]
        taper = np.clip((y - a.apex) / (dome - a.apex + 0.25), 0, 1)
        self.wall[side] = a.chest * (0.70 + 0.30 * np.sqrt(taper)) - x
        self.roof[side] = y - (a.apex + 1.15 * (x - 0.36) ** 2 + 1.5 * np.clip(x - 0.5, 0, None) ** 2)
        slope = np.where(x > 0.36, np.float32(1.25), np.float32(0.45))
        self.floor[side] = dome + slope * (x - 0.36) ** 2 - y
        inner = x - self._mediastinal_border(side)
        field = edge(self.wall[side], 0.03) * edge(self.roof[side], 0.04)
        field *= edge(self.floor[side], 0.025) * edge(inner, 0.045)
        self.lung[side] = field * (1 - (0.80 if side == LEFT else 0.9) * self.heart)

    def _mediastinal_border(self, side: int) -> np.ndarray:
        a, y = self.anatomy, self.y
        moved = side * (a.shift + self.pose.turn)
        border = a.mediastinum + 0.04 * np.clip(y + 0.2, 0, None) + moved
        if side == LEFT:
            knob = np.sqrt(np.clip(a.knob**2 - (y + 0.37) ** 2, 0, None))
            artery = 0.06 * falloff((y + 0.10) / 0.22)
            return border - 0.015 + 0.75 * knob + artery
        return border + 0.02 * falloff((y + 0.5) / 0.3) + 0.04 * falloff((y + 0.06) / 0.2)

    def _depth(self, side: int) -> np.ndarray:
        across = np.clip(self.wall[side] * 2.6, 0, 1)
        along = np.clip(self.roof[side] * 1.6 + 0.25, 0, 1)
        return np.sqrt(across * along) * (0.92 + 0.08 * np.clip(self.floor[side] * 2, 0, 1))

    def _vessel_tree(self) -> np.ndarray:
        rng = np.random.default_rng(self.anatomy.tree)
        strokes = Strokes(self.size)
        self._branches(strokes, rng)
        lungs = self.lung[RIGHT] + self.lung[LEFT]
        shift = self.anatomy.shift + self.pose.turn
        hila = sum(
            falloff(ellipse(self.lateral(s), self.y, (HILUM[0] + s * shift, HILUM[1]), (0.12, 0.17)))
            for s in (RIGHT, LEFT)
        )
        texture = smooth_noise(rng, self.size, self.size // 5)
        markings = strokes.array(blur=0.5) * 0.9 + hila * 0.55 + 0.10 * texture
        return self.anatomy.vascularity * markings * np.clip(lungs + 0.2 * hila, 0, 1)

    def _branches(self, strokes: Strokes, rng: np.random.Generator) -> None:
        """Draw the vessels that spread from both hila, all at once; each row of an array is a vessel."""
        shift, unit, each, steps = self.anatomy.shift + self.pose.turn, self.per_unit(), 11, 7
        side = np.repeat((RIGHT, LEFT), each)[:, None]
        angle = np.tile(np.linspace(-1.25, 1.35, each), 2)[:, None] + rng.normal(0, 0.08, (2 * each, 1))
        hilum = np.stack((side * HILUM[0] + shift, HILUM[1] + np.where(side == RIGHT, 0.03, -0.02)), axis=-1)
        reach = np.where(angle > 0, 0.62, 0.5)
        bends = angle + np.cumsum(rng.normal(0, 0.10, (2 * each, steps)), axis=1)
        hops = rng.uniform(0.7, 1.3, bends.shape) * reach / steps
        courses = np.stack((side * np.cos(bends), np.sin(bends)), axis=-1)
        path = hilum + np.cumsum(courses * hops[..., None], axis=1)
        forks = np.array([1, 2, 4])
        turns = bends[:, forks]
        turns = turns + rng.choice((-1, 1), turns.shape) * rng.uniform(0.35, 0.7, turns.shape)
        ends = np.stack((side * np.cos(turns), np.sin(turns)), axis=-1)
        ends = ends * rng.uniform(0.12, 0.24, (*turns.shape, 1))
        twigs = path[:, forks, None] + ends[:, :, None] * np.array([[0.0], [0.5], [1.0]])
        twigs[..., 1, 1] += 0.012
        widths, fades = np.linspace(0.026, 0.007, steps) * unit, 0.85 - 0.09 * np.arange(steps)
        twigs, path = self.pixels(twigs), self.pixels(path)
        for fork in range(len(forks)):  # faint vessels first, because later strokes cover earlier ones
            strokes.lines(twigs[:, fork], widths[forks[fork]] * 0.6, fades[forks[fork]] * 0.75)
        for i in reversed(range(steps - 1)):
            strokes.lines(path[:, i : i + 2], widths[i], fades[i])

    def _ribs(self) -> np.ndarray:
        a, y = self.anatomy, self.y
        x = np.abs(self.x)
        cage = edge(np.minimum(self.wall[RIGHT], self.wall[LEFT]) + 0.03, 0.04)
        cage *= np.maximum(edge(self.roof[RIGHT] + 0.05, 0.05), edge(self.roof[LEFT] + 0.05, 0.05))
        posterior = y - (-0.16 * x + 0.62 * x * x)
        anterior = y - (0.52 - 0.80 * x + 0.25 * x * x)
        back = self._rib_profile(posterior / a.rib_spacing + a.rib_phase, 0.23) * edge(x - 0.07, 0.03)
        front = self._rib_profile(anterior / (1.12 * a.rib_spacing) + 0.6 + a.rib_phase, 0.25)
        front *= edge(x - 0.34, 0.2)
        fade = 1 - 0.5 * edge(y - max(a.dome) - 0.1, 0.3)
        return cage * fade * (0.105 * back + 0.06 * front)

    @staticmethod
    def _rib_profile(phase: np.ndarray, half: float) -> np.ndarray:
        """Return periodic bands: a plateau with a brighter cortex at both edges."""
        off = np.abs(phase - np.floor(phase) - 0.5)
        inside = edge(half - off, 0.10)
        return inside * (0.65 + 0.5 * np.clip(off / half, 0, 1) ** 3)

    def _clavicles(self) -> np.ndarray:
        a, total = self.anatomy, np.zeros_like(self.x)
        for side in (RIGHT, LEFT):
            x = self.lateral(side) - side * 2 * self.pose.turn
            middle = a.clavicle - 0.20 * (x - 0.08) + 0.06 * np.sin(5.0 * x).astype(np.float32)
            off = np.abs(self.y - middle)
            half = 0.032 + 0.012 * falloff((x - 0.06) / 0.1)
            along = edge(x - 0.06, 0.03) * edge(0.92 - x, 0.1)
            total = total + along * edge(half - off, 0.02) * (0.7 + 0.4 * np.clip(off / half, 0, 1) ** 2)
        return 0.13 * total

    def _spine(self) -> np.ndarray:
        x = self.x - 0.5 * self.pose.turn
        phase = self.y / 0.135
        off = np.abs(phase - np.floor(phase) - 0.5)
        bodies = 0.75 + 0.25 * edge(0.42 - off, 0.12)
        return 0.085 * bodies * edge(0.085 - np.abs(x), 0.03)

    def _soft_tissue(self) -> np.ndarray:
        a, x, y = self.anatomy, self.x, self.y
        abdomen = 0.10 * np.minimum(edge(-self.floor[RIGHT], 0.1), edge(-self.floor[LEFT], 0.1))
        windpipe = edge(0.035 - np.abs(x - 0.4 * a.shift - 0.01), 0.025) * edge(-0.24 - y, 0.1)
        trunk = 0.06 * self.heart - 0.11 * windpipe
        stomach = falloff(ellipse(x, y, (0.36, a.dome[1] + 0.16), (0.16, 0.09)))
        scapula = sum(
            edge(1 - ellipse(self.lateral(s), y, (0.80, -0.38), (0.13, 0.32), -0.25), 0.25)
            for s in (RIGHT, LEFT)
        )
        breast = sum(falloff(ellipse(self.lateral(s), y, (0.46, 0.20), (0.36, 0.34))) for s in (RIGHT, LEFT))
        return self.body * (abdomen + trunk - 0.16 * stomach + 0.05 * scapula + 0.09 * a.breast * breast)
