import math

import pytest
import torch

from prior_bench.losses.contrastive import Temperature, info_nce


def test_two_pairs_by_hand():
    image = torch.tensor([[2.0, 0.0], [0.0, 3.0]])
    text = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    # cosines: [[1, r], [0, r]] with r = 1 / sqrt(2); temperature 0.5 doubles them
    r = math.sqrt(0.5)
    rows = [math.log(math.exp(2) + math.exp(2 * r)) - 2, math.log(1 + math.exp(2 * r)) - 2 * r]
    columns = [math.log(math.exp(2) + 1) - 2, math.log(2)]
    image_to_text, text_to_image = info_nce(image, text, 0.5)
    assert image_to_text.item() == pytest.approx(sum(rows) / 2, rel=1e-6)
    assert text_to_image.item() == pytest.approx(sum(columns) / 2, rel=1e-6)


def test_invariant_to_scale_and_to_a_common_order():
    image, text = torch.randn(6, 5, dtype=torch.float64), torch.randn(6, 5, dtype=torch.float64)
    order = torch.randperm(6)
    torch.testing.assert_close(info_nce(image, text, 0.1), info_nce(7 * image[order], 0.2 * text[order], 0.1))
    assert info_nce(image, text, 0.1)[0] == info_nce(text, image, 0.1)[1]


def test_indistinguishable_pairs_cost_log_of_the_batch():
    same = torch.ones(8, 4)
    assert info_nce(same, same, 0.07)[0].item() == pytest.approx(math.log(8), rel=1e-6)


def test_temperature_fixed_and_learned():
    assert Temperature(0.1)() == 0.1 and not list(Temperature(0.1).parameters())
    learned = Temperature(0.07, learnable=True)
    assert learned().item() == pytest.approx(0.07, rel=1e-6)
    learned().backward()
    assert learned.logit_scale.grad.item() == pytest.approx(-0.07, rel=1e-5)
    with torch.no_grad():
        learned.logit_scale.fill_(100.0)
    assert learned().item() == pytest.approx(0.01)
