"""A method that knows the answers: image k and text k are the k-th unit vectors of the joint space."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch import nn

from prior_bench.api import Backbone, Features, InputSpec, TextBatch
from prior_bench.data.manifest import Manifest

STEP = 12
"""Grey levels between the images of neighbouring numbers."""


class Tokenizer:
    """The number in a text is its only token."""

    def __call__(self, texts):
        numbers = [int(re.search(r"\d+", " ".join(text)).group()) for text in texts]
        ids = torch.tensor(numbers)[:, None]
        return TextBatch(ids, torch.ones_like(ids), torch.ones_like(ids), torch.zeros_like(ids))


class Planted(nn.Module):
    """``wrong`` maps numbers of images to other numbers."""

    def __init__(self, dim=20, wrong=None):
        super().__init__()
        self.image_encoder, self.text_encoder = nn.Identity(), nn.Identity()
        self.text_encoder.tokenizer = Tokenizer()
        self.dim, self.wrong = dim, wrong or {}

    def encode_image(self, images):
        numbers = (images.mean((1, 2, 3)) * 255 / STEP).round().long().tolist()
        return Features(torch.eye(self.dim)[[self.wrong.get(n, n) for n in numbers]])

    def encode_text(self, text):
        return Features(torch.eye(self.dim)[text.input_ids[:, 0]])

    def similarity(self, image, text):
        return image.global_ @ text.global_.T


def planted_backbone(**arguments) -> Backbone:
    method = Planted(**arguments)
    spec = InputSpec(size=8, channels=1, mean=0.0, std=1.0)
    return Backbone("planted", method.image_encoder, method, spec, f"planted-{arguments}")


def numbered_images(root: Path, numbers, **columns) -> Manifest:
    """Images of constant grey that code their numbers; all in the test split."""
    for number in set(numbers):
        Image.fromarray(np.full((8, 8), STEP * number, np.uint8)).save(root / f"{number}.png")
    table = pd.DataFrame(
        {
            "id": [f"i{i}" for i in range(len(numbers))],
            "patient_id": [f"p{i}" for i in range(len(numbers))],
            "image": [f"{number}.png" for number in numbers],
            "split": "test",
        }
    )
    labels = tuple(columns.pop("labels", ()))
    targets = columns.pop("targets", None)
    for j, label in enumerate(labels):
        table[label] = np.asarray(targets, dtype=float)[:, j]
    exclusive = columns.pop("exclusive", False)
    for name, values in columns.items():
        table[name] = pd.Series(list(values), dtype=object)
    return Manifest("numbered", root, table, labels=labels, exclusive=exclusive)
