"""A data set of tiny PNG files whose labels can be seen in the pixels and read in the reports."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from prior_bench.data.manifest import Manifest

CLASSES = ("Edema", "Pleural Effusion")


def tiny_manifest(
    root: Path, images: int = 60, *, exclusive: bool = False, size: int = 48, seed: int = 0
) -> Manifest:
    """Edema brightens the image, an effusion brightens its lower third; two images per patient.

    Of 60 images 36 are for training, 12 for validation, 12 for the test.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(images):
        first, second = (i % 2, 1 - i % 2) if exclusive else (i % 2, i // 2 % 2)
        pixels = rng.normal(60, 15, (size, size)) + 60 * first
        pixels[2 * size // 3 :] += 100 * second
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(root / f"{i:03d}.png")
        part = i / images
        rows.append(
            {
                "id": f"i{i:03d}",
                "patient_id": f"p{i // 2:03d}",
                "study_id": f"s{i:03d}",
                "image": f"{i:03d}.png",
                "split": "train" if part < 0.6 else "valid" if part < 0.8 else "test",
                "view": "PA",
                CLASSES[0]: float(first),
                CLASSES[1]: float(second),
                "report": (
                    f"There is {'' if first else 'no '}edema.",
                    f"There is {'' if second else 'no '}pleural effusion.",
                    f"Study {i}.",
                ),
            }
        )
    return Manifest("tiny", root, pd.DataFrame(rows), labels=CLASSES, exclusive=exclusive)
