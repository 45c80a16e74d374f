"""A dozen tiny images with bright rectangles, their boxes and masks; every other image has none."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from prior_bench.data.annotations.masks import BoxMask
from prior_bench.data.manifest import Manifest


def dense_manifest(root: Path, train: int = 8, valid: int = 4, test: int = 4) -> Manifest:
    """Images of 60 x 80 pixels, so that padding to a square moves coordinates."""
    rng = np.random.default_rng(0)
    rows = []
    for split, images in (("train", train), ("valid", valid), ("test", test)):
        for i in range(images):
            name = f"{split}{i}"
            pixels, boxes = rng.normal(70, 10, (60, 80)), np.zeros((0, 5), np.float32)
            if i % 2 == 0:
                x, y = rng.integers(5, 40), rng.integers(5, 30)
                pixels[y : y + 25, x : x + 30] += 120
                boxes = np.array([[x, y, x + 30, y + 25, 0]], np.float32)
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(root / f"{name}.png")
            rows.append(
                {
                    "id": name,
                    "patient_id": f"patient-{split}{i // 2}",
                    "image": f"{name}.png",
                    "split": split,
                    "boxes": boxes,
                    "mask": BoxMask(boxes),
                }
            )
    return Manifest("dense", root, pd.DataFrame(rows), box_classes=("opacity",))


def interrupt_after(monkeypatch, checkpoints: int) -> None:
    """Let the run die right after it has written so many resumable checkpoints."""
    from prior_bench.openmmlab import hooks

    written, save = [], hooks.save

    def dying_save(runner, name, **options):
        save(runner, name, **options)
        written.append(name)
        if written.count(hooks.LATEST) == checkpoints:
            raise KeyboardInterrupt

    monkeypatch.setattr(hooks, "save", dying_save)
