import numpy as np
import pytest
import torch
from planted import STEP, numbered_images, planted_backbone

from prior_bench.explain.measure import agreement, image_l1, mean_image, measure

COUNT = 12


class Knowing:
    """Reads the number off an image: gives it back, and that unit vector among the decoded sentences."""

    def __init__(self, blind=False, rebuilds=True):
        self.blind, self.rebuilds = blind, rebuilds
        self.random = torch.Generator().manual_seed(0)

    def decoded_sentences(self, images):
        numbers = (images.mean((1, 2, 3)) * 255 / STEP).round().long()
        if self.blind:
            numbers = torch.randint(0, COUNT, numbers.shape, generator=self.random)
        return torch.stack([torch.zeros(len(images), 20), torch.eye(20)[numbers]], dim=1)

    def true_sentences(self, text):
        return torch.eye(20)[text.input_ids[:, 0]][:, None], torch.ones(
            len(text.input_ids), 1, dtype=torch.bool
        )

    def reconstruct(self, images, text):
        return {"all": images + 2 / 255} if self.rebuilds else None


def run(tmp_path, context, explainer):
    data = numbered_images(tmp_path, list(range(COUNT)), report=[(f"Study {n}.",) for n in range(COUNT)])
    backbone = planted_backbone()
    mean = torch.full((1, 1, 8, 8), STEP * (COUNT - 1) / 2 / 255)
    return {m.name: m for m in measure(backbone, explainer, data, mean, context)}


def test_a_model_that_knows_beats_chance(tmp_path, context):
    found = run(tmp_path, context, Knowing())
    image = found["image L1, from all (grey levels of 255)"]
    assert image.value == pytest.approx(2, abs=1e-3) and image.chance == pytest.approx(STEP * 3, abs=1e-3)
    assert image.gain == pytest.approx(STEP * 3 - 2, abs=1e-3) and image.verdict == "better than chance"
    cosine = found["sentences, cosine after matching"]
    assert (cosine.value, cosine.chance, cosine.gain) == (1, 0, 1) and cosine.images == COUNT
    l1 = found["sentences, L1 after matching"]
    assert l1.value == 0 and l1.chance == pytest.approx(1 / 20) and l1.gain > 0, "the zero slot is nearer"


def test_a_model_that_guesses_does_not_differ_from_chance(tmp_path, context):
    found = run(tmp_path, context, Knowing(blind=True, rebuilds=False))
    assert list(found) == ["sentences, cosine after matching", "sentences, L1 after matching"]
    low, high = found["sentences, cosine after matching"].gain_interval
    assert low <= 0 <= high
    assert found["sentences, cosine after matching"].verdict == "not significantly different from chance"


def test_matching_does_not_depend_on_the_order():
    torch.manual_seed(0)
    true = torch.randn(3, 8)
    decoded = torch.cat([torch.randn(2, 8) + 9, true[[2, 0, 1]]])
    assert agreement(decoded, true) == (pytest.approx(1), 0)
    assert agreement(decoded[:3], true).l1 > 0.5


def test_l1_is_in_grey_levels_and_at_the_size_of_the_reconstruction():
    images = torch.zeros(2, 3, 8, 8)
    found = image_l1(torch.full((2, 1, 16, 16), 0.5), images, std=0.25)
    np.testing.assert_allclose(found, 255 * 0.25 * 0.5)


def test_the_mean_image_is_of_the_training_split(tmp_path, context):
    data = numbered_images(tmp_path, [0, 2, 4, 20])
    assert mean_image(planted_backbone(), data, context) is None
    data.table["split"] = ["train", "train", "train", "test"]
    mean = mean_image(planted_backbone(), data, context)
    assert mean.shape == (1, 1, 8, 8)
    torch.testing.assert_close(mean, torch.full_like(mean, 2 * STEP / 255))
