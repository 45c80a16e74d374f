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


@pytest.mark.parametrize(
    "text, changes, row",
    [
        (
            "runs/mine.ckpt",
            dict(image_encoder="resnet18", input=dict(size=96), pool="attention"),
            {
                "name": "mine",
                "type": "checkpoint",
                "path": "runs/mine.ckpt",
                "image_encoder": {"model_name": "resnet18", "pool": "attention"},
                "input": {"size": 96},
            },
        ),
        (
            "timm:resnet50",
            dict(input=dict(size=384)),
            {
                "name": "timm:resnet50",
                "type": "timm",
                "image_encoder": {"model_name": "resnet50", "input": {"size": 384}},
            },
        ),
    ],
)
def test_the_image_encoder_and_its_input_can_be_changed(text, changes, row):
    assert backbone_row(text, **changes) == row


@pytest.mark.parametrize(
    "text, changes, message",
    [
        ("timm:resnet50", dict(image_encoder="resnet18"), "image_encoder: only a checkpoint"),
        ("timm:resnet50", dict(tokenizer="vocab.txt"), "tokenizer: only a checkpoint"),
        ("prior_sample", dict(input=dict(size=96)), "input: cannot be changed for prior_sample"),
        ("random:prior_sample", dict(pool="avg"), "pool: cannot be changed for random:prior_sample"),
        ("mine.ckpt", dict(pool="avg"), "pool: cannot be changed for mine.ckpt\n.*--image-encoder"),
    ],
)
def test_changes_that_a_backbone_does_not_take_are_refused(text, changes, message):
    with pytest.raises(BenchError, match=message):
        backbone_row(text, **changes)


def test_keywords_are_literals_or_words():
    found = arguments.keywords("size=384,mean=(0.48,0.46,0.41),resize=crop,std=.3", "--input")
    assert found == {"size": 384, "mean": (0.48, 0.46, 0.41), "resize": "crop", "std": 0.3}
    for wrong in ("size", "size=", "1", "mean=open('x')", "**{}", "size=1)+(2"):
        with pytest.raises(BenchError, match="--input: .* is not KEY=VALUE,KEY=VALUE"):
            arguments.keywords(wrong, "--input")
