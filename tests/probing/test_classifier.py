import pytest
import torch
from torch import nn
from torch.nn import functional as F

from prior_bench.errors import BenchError
from prior_bench.mock import MockImageEncoder
from prior_bench.probing.model import Classifier, classification_loss, linear_head

NAN = float("nan")


def classifier(backbone=True, batch_norm=True, **head):
    return Classifier(
        MockImageEncoder(32),
        32,
        2,
        exclusive=False,
        frozen={"backbone": backbone, "batch_norm": batch_norm},
        head=head,
    )


def statistics(model):
    return torch.cat([m.running_mean for m in model.backbone.modules() if isinstance(m, nn.BatchNorm2d)])


def test_unknown_labels_do_not_enter_the_loss():
    logits = torch.tensor([[0.3, -0.2], [1.0, 5.0]])
    masked = classification_loss(logits, torch.tensor([[1.0, 0.0], [0.0, NAN]]), exclusive=False)
    known = F.binary_cross_entropy_with_logits(torch.tensor([0.3, -0.2, 1.0]), torch.tensor([1.0, 0.0, 0.0]))
    assert masked == pytest.approx(known.item())
    assert classification_loss(logits, torch.full((2, 2), NAN), exclusive=False) == 0


def test_no_gradient_comes_from_unknown_labels():
    logits = torch.zeros(1, 2, requires_grad=True)
    classification_loss(logits, torch.tensor([[1.0, NAN]]), exclusive=False).backward()
    assert logits.grad.tolist() == [[-0.5, 0.0]]


def test_exclusive_loss_is_cross_entropy():
    logits, target = torch.randn(3, 4), torch.eye(4)[[2, 0, 3]]
    expected = F.cross_entropy(logits, torch.tensor([2, 0, 3]))
    assert classification_loss(logits, target, exclusive=True) == expected


@pytest.mark.parametrize(("backbone", "batch_norm", "moves"), [(1, 1, 0), (1, 0, 1), (0, 1, 0), (0, 0, 1)])
def test_frozen_means_what_it_says(backbone, batch_norm, moves):
    model = classifier(bool(backbone), bool(batch_norm)).train()
    before = statistics(model).clone()
    model(torch.randn(4, 1, 32, 32), torch.ones(4, 2), mode="loss")["loss"].backward()
    assert torch.equal(statistics(model), before) == (not moves)
    assert (model.backbone.stages[0][0].weight.grad is None) == bool(backbone)
    assert model.head[-1].weight.grad is not None


def test_heads():
    assert [type(layer) for layer in linear_head(8, 2)] == [nn.Linear]
    layers = linear_head(8, 2, norm="layer", dropout=0.2, init="truncated_normal")
    assert [type(layer) for layer in layers] == [nn.LayerNorm, nn.Dropout, nn.Linear]
    assert layers[-1].bias.abs().sum() == 0
    assert [type(layer) for layer in linear_head(8, 2, norm="batch")] == [nn.BatchNorm1d, nn.Linear]
    with pytest.raises(BenchError, match="did you mean layer"):
        linear_head(8, 2, norm="layr")
    with pytest.raises(BenchError, match="did you mean truncated_normal"):
        linear_head(8, 2, init="truncated_norml")


@pytest.mark.parametrize(
    ("backbone", "batch_norm", "dropout", "statistics_move"),
    [(1, 1, 0, 0), (1, 0, 1, 1), (0, 1, 1, 0), (0, 0, 1, 1)],
)
def test_a_trained_backbone_keeps_its_dropout_where_its_batch_norm_stands_still(
    backbone, batch_norm, dropout, statistics_move
):
    encoder = MockImageEncoder(32)
    encoder.dropout = nn.Dropout()
    frozen = {"backbone": bool(backbone), "batch_norm": bool(batch_norm)}
    model = Classifier(encoder, 32, 2, exclusive=False, frozen=frozen, head={"dropout": 0.1}).train()
    assert model.training and all(layer.training for layer in model.head)
    assert encoder.dropout.training == bool(dropout)
    assert encoder.stages[0][1].training == bool(statistics_move)
    assert not any(module.training for module in model.eval().modules())


def test_a_truncated_normal_has_a_deviation_of_two_hundredths():
    torch.manual_seed(0)
    weight = linear_head(200, 50, init="truncated_normal")[-1].weight
    assert weight.std().item() == pytest.approx(0.02, rel=0.05) and weight.mean().abs() < 0.001


def test_a_frozen_backbone_passes_no_gradient_on():
    model = classifier(backbone=True).train()
    images = torch.randn(4, 1, 32, 32, requires_grad=True)
    model(images, torch.ones(4, 2), mode="loss")["loss"].backward()
    assert images.grad is None
    assert not any(parameter.requires_grad for parameter in model.backbone.parameters())


def paired(**head):
    return Classifier(None, 3, 1, exclusive=False, frozen=FROZEN, head={"two_outputs": True, **head})


FROZEN = {"backbone": True, "batch_norm": True}


def test_a_single_label_may_have_two_outputs():
    model = paired()
    features, target = torch.randn(4, 3), torch.tensor([[1.0], [0.0], [1.0], [NAN]])
    logits = model(features, target)
    assert logits.shape == (4, 2)
    expected = F.cross_entropy(logits[:3], torch.tensor([1, 0, 1]))
    assert model(features, target, mode="loss")["loss"].item() == pytest.approx(expected.item())
    with torch.no_grad():
        scores = [float(one["score"][0]) for one in model(features, target, mode="predict")]
    assert scores == pytest.approx(torch.sigmoid(logits[:, 1] - logits[:, 0]).tolist())


@pytest.mark.parametrize(("classes", "exclusive"), [(3, False), (2, True)])
def test_several_labels_have_one_output_each(classes, exclusive):
    model = Classifier(
        None, 3, classes, exclusive=exclusive, frozen=FROZEN, head={"two_outputs": True, "norm": None}
    )
    assert model(torch.randn(2, 3), torch.eye(classes)[:2]).shape == (2, classes)


def test_near_zero_weights_have_the_default_bias():
    torch.manual_seed(0)
    linear = linear_head(200, 50, init="near_zero")[-1]
    assert linear.weight.std().item() == pytest.approx(2e-5, rel=0.05)
    assert linear.bias.abs().max().item() == pytest.approx(200**-0.5, rel=0.1)


def test_the_number_added_to_the_variance_may_be_given():
    assert [linear_head(8, 2, norm=norm, eps=1e-3)[0].eps for norm in ("layer", "batch")] == [1e-3, 1e-3]
    assert linear_head(8, 2, norm="layer")[0].eps == nn.LayerNorm(8).eps
