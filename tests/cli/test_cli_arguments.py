import pytest

from prior_bench.backbones.reference import backbone_row
from prior_bench.cli import arguments
from prior_bench.errors import BenchError


@pytest.mark.parametrize(
    "text, row",
    [
        ("timm:resnet50", {"name": "timm:resnet50", "type": "timm", "image_encoder": "resnet50"}),
        ("random:resnet18", {"name": "random:resnet18", "type": "random", "image_encoder": "resnet18"}),
        ("runs/mine.ckpt", {"name": "mine", "type": "checkpoint", "path": "runs/mine.ckpt"}),
        ("a.b.safetensors", {"name": "a.b", "type": "checkpoint", "path": "a.b.safetensors"}),
    ],
)
def test_what_a_backbone_argument_stands_for(text, row):
    assert backbone_row(text) == row


def test_an_unknown_backbone_says_what_it_could_have_been():
    with pytest.raises(BenchError, match="unknown backbone 'resnet50'.*\n.*timm:NAME"):
        backbone_row("resnet50")


def test_settings_are_literals_or_strings():
    found = arguments.assignments(["optimizer.lr=1e-3", "head.type=mlp", "metrics=('auroc',)"], "--set")
    assert found == {"optimizer.lr": 1e-3, "head.type": "mlp", "metrics": ("auroc",)}
    with pytest.raises(BenchError, match="--set: 'lr' is not KEY=VALUE"):
        arguments.assignments(["lr"], "--set")
