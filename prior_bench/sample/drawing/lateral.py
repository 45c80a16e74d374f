"""A simple lateral view, for readers that must recognise lateral images and leave them out."""

from __future__ import annotations

import numpy as np

from prior_bench.sample.drawing.anatomy import Anatomy, Pose
from prior_bench.sample.drawing.findings import Finding
from prior_bench.sample.drawing.shapes import edge, ellipse


def lateral_attenuation(anatomy: Anatomy, findings: tuple[Finding, ...], pose: Pose, size: int) -> np.ndarray:
    """Compute the attenuation [size, size] of a left lateral view, with the sternum on the left.

    Args:
        anatomy: the chest, already deformed by the findings.
        findings: findings of the study; only an effusion is drawn, as fluid in the posterior angle.
        pose: position of the patient.
        size: side of the image in pixels.
    """
    x, y = pose.grid(size)
    body = edge(1 - ellipse(x, y, (0.0, 0.15), (0.86, 2.0)), 0.08)
    dome = sum(anatomy.dome) / 2
    floor = dome + 0.10 * x + 0.9 * np.clip(x - 0.05, 0, None) ** 2 - y
    cage = 1 - ellipse(x, y, (0.04, 0.02), (0.66, 0.90))
    lung = edge(cage, 0.06) * edge(floor, 0.03)
    girth = anatomy.heart_left + anatomy.heart_right
    heart = edge(1 - ellipse(x, y, (-0.26, dome - 0.28), (0.46 * girth, 0.36), 0.4), 0.10)
    aorta = edge(0.07 - np.abs(np.hypot(x - 0.06, y + 0.22) - 0.30), 0.06) * edge(0.1 - y, 0.4)
    phase = y / 0.14
    bodies = 0.8 + 0.2 * edge(0.42 - np.abs(phase - np.floor(phase) - 0.5), 0.12)
    spine = bodies * edge(0.09 - np.abs(x - 0.50 - 0.10 * y * y), 0.04)
    slant = (y + 0.35 * x) / anatomy.rib_spacing + anatomy.rib_phase
    ribs = edge(0.22 - np.abs(slant - np.floor(slant) - 0.5), 0.12) * edge(cage + 0.1, 0.1)
    air = lung * (1 - 0.75 * heart) * np.sqrt(np.clip(2.2 * cage + 0.2, 0, 1))
    for finding in findings:
        if finding.kind == "effusion":
            level = dome + 0.30 - 0.5 * finding.severity - 0.35 * np.clip(x, 0, 1) ** 2
            air = air * (1 - 0.85 * edge(y - level, 0.12))
    return body * (0.92 - 0.55 * air + 0.12 * spine + 0.05 * ribs + 0.08 * aorta * lung)
