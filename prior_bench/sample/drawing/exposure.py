"""Conversion of attenuation to grey values: scatter, blur, noise, display curve and side marker."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

from prior_bench.sample.drawing.anatomy import LEFT, Pose
from prior_bench.sample.drawing.shapes import smooth_noise


@dataclass(frozen=True)
class Technique:
    """The exposure and display of one radiograph.

    Attributes:
        low, high: attenuations shown as black and white.
        gamma: exponent of the display curve; values above 1 darken the lungs.
        scatter: share of the signal that scatter replaces by a constant.
        blur: standard deviation of the blur, as a share of the image's side.
        noise: standard deviation of the pixel noise.
        clouds: standard deviation of the low-frequency noise.
        marker: whether the image has a side marker.
    """

    low: float
    high: float
    gamma: float
    scatter: float
    blur: float
    noise: float
    clouds: float
    marker: bool


def draw_technique(rng: np.random.Generator, view: str) -> Technique:
    """Draw the exposure of one radiograph; portable AP views have less contrast and more noise."""
    portable = view == "AP"
    return Technique(
        low=rng.normal(0.02, 0.04),
        high=rng.normal(1.02, 0.05),
        gamma=float(np.exp(rng.normal(0.0, 0.18))),
        scatter=rng.uniform(0.10, 0.30) if portable else rng.uniform(0.0, 0.15),
        blur=rng.uniform(0.002, 0.006) if portable else rng.uniform(0.0015, 0.004),
        noise=rng.uniform(0.018, 0.040) if portable else rng.uniform(0.010, 0.028),
        clouds=rng.uniform(0.01, 0.03),
        marker=bool(rng.random() < 0.6),
    )


def expose(attenuation: np.ndarray, technique: Technique, pose: Pose, rng: np.random.Generator) -> np.ndarray:
    """Convert an attenuation map [size, size] to a radiograph, uint8 of the same shape."""
    size = attenuation.shape[0]
    film = gaussian_filter(attenuation, technique.blur * size, truncate=3.0)
    veil = np.float32(0.55) * film.mean() + np.float32(0.2)
    film = (1 - technique.scatter) * film + technique.scatter * veil
    film = film + technique.clouds * smooth_noise(rng, size, 3)
    film = film + technique.noise * rng.standard_normal(film.shape, dtype=np.float32)
    shown = np.clip((film - technique.low) / (technique.high - technique.low), 0, 1)
    grey = (255 * shown ** np.float32(technique.gamma)).astype(np.uint8)
    return _mark(grey, pose) if technique.marker else grey


def _mark(grey: np.ndarray, pose: Pose) -> np.ndarray:
    """Draw an "L" next to the patient's left shoulder."""
    size = grey.shape[0]
    image = Image.fromarray(grey)
    corner = pose.to_pixels(np.array([LEFT * 0.86, -0.86]), size)
    letter = corner + np.array([[0, 0], [0, 0.045], [0.026, 0.045]]) * size
    ImageDraw.Draw(image).line([tuple(p) for p in letter.tolist()], fill=250, width=max(1, size // 96))
    return np.array(image)
