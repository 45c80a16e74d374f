"""A method whose map of a phrase is known: it is bright where the image is, or where the phrase says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch import nn

from prior_bench.api import Backbone, Features, InputSpec, TextBatch
from prior_bench.data.annotations.masks import FileMask
from prior_bench.data.annotations.phrases import GroundedPhrase
from prior_bench.data.manifest import Manifest

SIZE, GRID = 32, 8
QUADRANTS = ("upper left", "upper right", "lower left", "lower right")


class QuadrantTokenizer:
    """The number of the quadrant that a text names is its only token; 0 for other texts."""

    vocab_size = 4

    def __call__(self, texts):
        named = [" ".join(text).lower().split(" in the ")[-1].strip(" .") for text in texts]
        ids = torch.tensor([QUADRANTS.index(name) if name in QUADRANTS else 0 for name in named])[:, None]
        return TextBatch(ids, torch.ones_like(ids), torch.ones_like(ids), torch.zeros_like(ids))


class QuadrantEncoder(nn.Module):
    """Patches are unit vectors of their quadrant, whatever the image shows."""

    dim = local_dim = 4

    def __init__(self, spec: InputSpec):
        super().__init__()
        self.input = spec

    def forward(self, images):
        side = torch.arange(GRID) >= GRID // 2
        quadrant = 2 * side[:, None].int() + side[None, :].int()
        patches = torch.eye(4)[quadrant.flatten().long()].expand(len(images), -1, -1)
        return Features(images.mean((1, 2, 3))[:, None].expand(-1, 4), patches)


class PlantedMaps(nn.Module):
    """A text is the unit vector of its quadrant, so that its cosine is 1 there and 0 elsewhere.

    Args:
        spec: what the image encoder expects.
        wrong: shifts the quadrant of a text by so many.
        local: give local features; without them there is no map.
        always: the quadrant of every text, whatever it says.
    """

    attention_over = "sentences"

    def __init__(
        self, spec: InputSpec | None = None, wrong: int = 0, local: bool = True, always: int | None = None
    ):
        super().__init__()
        self.image_encoder = QuadrantEncoder(spec or InputSpec(size=SIZE, channels=1, mean=0.0, std=1.0))
        self.text_encoder = nn.Identity()
        self.text_encoder.tokenizer = QuadrantTokenizer()
        self.wrong, self.local, self.always = wrong, local, always

    def encode_image(self, images):
        features = self.image_encoder(images)
        return features if self.local else features._replace(local=None)

    def encode_text(self, text):
        named = text.input_ids[:, 0] + self.wrong
        vectors = torch.eye(4)[(named if self.always is None else torch.full_like(named, self.always)) % 4]
        return Features(vectors, vectors[:, None] if self.local else None)

    def similarity(self, image, text):
        return image.global_ @ text.global_.T

    def attention(self, image, text):
        return 0.25 + 0.5 * text.local @ image.local.mT


def planted_maps(resize: str = "squash", size: int = SIZE, **arguments) -> Backbone:
    """The method as a backbone; its input is ``size`` pixels, resized as ``resize`` says."""
    spec = InputSpec(size=size, channels=1, mean=0.0, std=1.0, resize=resize)
    method = PlantedMaps(spec, **arguments)
    return Backbone("planted", method.image_encoder, method, spec, f"maps-{resize}-{size}-{arguments}")


def quadrant_box(number: int, width: int = 64, height: int = 64) -> tuple[float, float, float, float]:
    """The box of a quadrant of an image."""
    x, y = (number % 2) * width / 2, (number // 2) * height / 2
    return x, y, x + width / 2, y + height / 2


def quadrant_phrases(
    folder: Path, images: int = 6, width: int = 64, height: int = 64, masks: bool = False
) -> Manifest:
    """Images of noise, two phrases each, all in the test split; two images per patient."""
    rng = np.random.default_rng(0)
    rows, phrases = [], []
    for i in range(images):
        Image.fromarray(rng.integers(0, 255, (height, width), np.uint8)).save(folder / f"{i}.png")
        rows.append({"id": f"i{i}", "patient_id": f"p{i // 2}", "image": f"{i}.png", "split": "test"})
        some = []
        for number in (i % 4, (i + 1) % 4):
            box, mask = quadrant_box(number, width, height), None
            if masks:
                drawn = np.zeros((height, width), np.uint8)
                x1, y1, x2, y2 = map(int, box)
                drawn[y1:y2, x1:x2] = 255
                Image.fromarray(drawn).save(folder / f"{i}-{number}-mask.png")
                mask = FileMask(f"{i}-{number}-mask.png", folder)
            some.append(
                GroundedPhrase(f"Opacity in the {QUADRANTS[number]}.", (box,), mask, QUADRANTS[number])
            )
        phrases.append(tuple(some))
    table = pd.DataFrame(rows).assign(phrases=pd.Series(phrases, dtype=object))
    return Manifest("quadrants", folder, table)
