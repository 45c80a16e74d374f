import prior_oracle as oracle
import torch

from prior_bench.prior import reconstruction as ccr


def test_scrambling_is_reading_the_map_in_memory_order():
    feature_map = torch.arange(24.0).reshape(2, 3, 2, 2)
    patches = feature_map.flatten(2).mT
    assert torch.equal(ccr.scramble(patches), feature_map.view(2, -1, 3))


def test_map_puts_every_patch_in_its_place():
    feature_map = torch.randn(2, 5, 3, 3)
    patches = feature_map.flatten(2).mT
    assert torch.equal(ccr.to_map(patches), feature_map)
    assert torch.equal(ccr.to_map(patches, scrambled=True), patches.reshape(2, 5, 3, 3))


def test_masking_hides_positions_of_the_image_half_only():
    torch.manual_seed(0)
    patches, attended = torch.ones(4, 16, 6), torch.ones(4, 16, 6)
    fused = ccr.fuse(patches, attended, 0.5, by_channel=False, scrambled=False)
    image, text = fused.split(6, dim=1)
    assert torch.equal(text, torch.ones_like(text))
    assert torch.equal(image, image[:, :1].expand_as(image))  # a position is hidden in all channels
    assert set(image.unique().tolist()) == {0.0, 2.0}

    image = ccr.fuse(patches, attended, 0.5, by_channel=True, scrambled=False)[:, :6]
    assert torch.equal(image, image[..., :1, :1].expand_as(image))  # a channel at all positions
    assert set(image.unique().tolist()) == {0.0, 2.0}


def test_image_loss_resizes_the_target():
    decoded = torch.zeros(2, 1, 8, 8)
    assert ccr.image_loss(decoded, torch.full((2, 1, 8, 8), 0.5)) == 0.5
    assert ccr.image_loss(decoded, torch.full((2, 3, 4, 4), -0.5)) == 0.5


def test_a_perfect_decoder_in_another_order_costs_nothing():
    torch.manual_seed(0)
    targets = torch.randn(3, 5, 8)
    decoded = torch.stack([one[torch.tensor([2, 4, 1, 0, 3])] for one in targets])
    columns = ccr.assign(ccr.matching_cost(decoded, targets))
    everywhere = torch.ones(3, 5, dtype=torch.bool)
    assert ccr.report_loss(ccr.reorder(decoded, columns), targets, everywhere) == 0
    assert ccr.report_loss(ccr.reorder(decoded, columns, inverse=True), targets, everywhere) > 0.1


def test_matching_equals_trying_all_permutations():
    torch.manual_seed(0)
    decoded, targets = torch.randn(2, 4, 5, 6)
    ordered = ccr.reorder(decoded, ccr.assign(ccr.matching_cost(decoded, targets)))
    for ours, one, wanted in zip(ordered, decoded, targets, strict=True):
        assert torch.equal(ours, one[oracle.best_order(one, wanted)])
