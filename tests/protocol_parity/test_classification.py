"""Linear probes and fine-tuning of the papers: each ingredient is theirs, and a wrong line is noticed."""

from pathlib import Path

import pytest

from prior_bench.protocol_parity.check import check_protocols
from prior_bench.protocol_parity.ingredients import ingredients_of
from prior_bench.protocol_parity.official import official_runs
from prior_bench.protocol_parity.values import differing
from prior_bench.suites import protocols

GOLDEN = Path(__file__).parents[1] / "golden" / "protocols"
NAMES = [
    *(f"mgca/linear_{data}" for data in ("chexpert", "rsna", "covidx")),
    *(f"gloria/linear_{data}" for data in ("chexpert", "rsna")),
    *(f"benchx/finetune_{data}" for data in ("nih", "rsna", "vindr", "covidx")),
]
MEASURED = {
    (name, ingredient): measured
    for run in official_runs(GOLDEN)
    for name in run.protocols
    for ingredient, measured in run.ingredients.items()
}


QUICK = ("mgca/linear_rsna", "gloria/linear_rsna", "benchx/finetune_rsna")


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in NAMES]
)
def test_the_statements_are_true(name):
    outcomes = list(check_protocols(GOLDEN, name))
    assert not [(one.statement.ingredient, one.text) for one in outcomes if one.failed]
    assert sum(one.compared > 0 for one in outcomes) >= 11


@pytest.mark.parametrize("name", NAMES)
def test_each_computed_ingredient_has_a_fixture(name):
    compared = {ingredient for of, ingredient in MEASURED if of == name}
    assert {part for part, one in ingredients_of("classification").items() if one.compute} <= compared


def off(name, ingredient, changes):
    """What differs from the official code if the protocol is changed."""
    measured = MEASURED[name, ingredient]
    compute = ingredients_of("classification")[ingredient].compute
    return differing(
        compute(protocols.load(name, changes), measured.given), measured.expected, measured.tolerance
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "ingredient", "changes"),
    [
        ("mgca/linear_chexpert", "training transform", {"transform.train.RandomHorizontalFlip.p": 0.4}),
        ("mgca/linear_chexpert", "training transform", {"transform.train.ColorJitter.brightness": 0.3}),
        ("mgca/linear_chexpert", "training transform", {"transform.train.ColorJitter.p": 0.5}),
        ("mgca/linear_chexpert", "training transform", {"transform.train.GaussianBlur.kernel_size": 3}),
        ("mgca/linear_chexpert", "training transform", {"transform.train.GaussianBlur.sigma": (0.1, 3.0)}),
        ("mgca/linear_rsna", "training transform", {"transform.train.Resize.size": 260}),
        ("mgca/linear_rsna", "training transform", {"transform.input.interpolation": "bilinear"}),
        (
            "benchx/finetune_nih",
            "training transform",
            {"transform.train.RandomResizedCrop.scale": (0.2, 1.0)},
        ),
        ("benchx/finetune_nih", "training transform", {"transform.input.mean": 0.5}),
        ("mgca/linear_chexpert", "test transform", {"transform.input.interpolation": "bilinear"}),
        ("mgca/linear_chexpert", "test transform", {"transform.input.interpolation": "bilinear_aliased"}),
        ("mgca/linear_chexpert", "test transform", {"transform.input.rounding": "nearest"}),
        ("mgca/linear_chexpert", "test transform", {"transform.input.resize": "squash"}),
        ("mgca/linear_chexpert", "test transform", {"transform.input.mean": 0.45}),
        ("mgca/linear_covidx", "test transform", {"transform.eval.Resize.size": 224}),
        ("benchx/finetune_nih", "test transform", {"transform.input.rounding": "nearest"}),
        ("benchx/finetune_nih", "test transform", {"transform.input.resize": "pad"}),
        ("benchx/finetune_nih", "test transform", {"transform.input.mean": 0.5}),
        ("mgca/linear_rsna", "test transform", {"transform.input.brighten": None}),
        ("benchx/finetune_rsna", "test transform", {"transform.input.brighten": None}),
        ("mgca/linear_rsna", "batches", {"batch_size": 64}),
        ("mgca/linear_rsna", "batches", {"stopping.last_batch": "carried"}),
        ("benchx/finetune_rsna", "batches", {"stopping.last_batch": "dropped"}),
        ("mgca/linear_rsna", "head", {"head.norm": "layer"}),
        ("mgca/linear_rsna", "head", {"head.dropout": 0.1}),
        ("benchx/finetune_rsna", "head", {"head.eps": None}),
        ("benchx/finetune_rsna", "head", {"head.init": "truncated_normal"}),
        ("benchx/finetune_rsna", "head", {"head.two_outputs": False}),
        ("benchx/finetune_nih", "head", {"head.init": "near_zero"}),
        ("mgca/linear_rsna", "enlargement", {"options.enlarge": None}),
        ("mgca/linear_rsna", "enlargement", {"options.enlarge": "as_pretrained"}),
        ("gloria/linear_rsna", "enlargement", {"options.enlarge": 299}),
        ("gloria/linear_rsna", "enlargement", {"options.enlarge": None}),
        ("mgca/linear_rsna", "frozen parts", {"frozen.batch_norm": False}),
        ("mgca/linear_rsna", "frozen parts", {"frozen.backbone": False}),
        ("gloria/linear_rsna", "frozen parts", {"frozen.batch_norm": True}),
        ("benchx/finetune_rsna", "frozen parts", {"frozen.batch_norm": True}),
        ("benchx/finetune_rsna", "loss", {"head.eps": None}),
        ("benchx/finetune_rsna", "loss", {"head.two_outputs": False}),
        ("mgca/linear_rsna", "optimiser", {"optimizer.weight_decay": 1e-4}),
        ("mgca/linear_rsna", "optimiser", {"optimizer.type": "Adam"}),
        ("gloria/linear_rsna", "optimiser", {"optimizer.betas": (0.9, 0.999)}),
        ("gloria/linear_rsna", "optimiser", {"optimizer.lr": 1e-4}),
        ("benchx/finetune_rsna", "optimiser", {"optimizer.backbone_lr_scale": 1.0}),
        ("mgca/linear_rsna", "schedule", {"optimizer.schedule": "cosine"}),
        ("gloria/linear_chexpert", "schedule", {"optimizer.schedule": "plateau", "optimizer.patience": 5}),
        ("benchx/finetune_rsna", "schedule", {"optimizer.schedule": "cosine"}),
        ("benchx/finetune_rsna", "schedule", {"optimizer.warmup": 50}),
        ("benchx/finetune_nih", "schedule", {"optimizer.total": 1200}),
        ("gloria/linear_chexpert", "training step", {"optimizer.clip": None}),
        ("gloria/linear_chexpert", "training step", {"optimizer.amp": False}),
        ("gloria/linear_rsna", "training step", {"optimizer.clip": 0.25}),
        ("benchx/finetune_rsna", "training step", {"optimizer.clip": 0.5}),
        ("benchx/finetune_rsna", "training step", {"optimizer.backbone_lr_scale": 1.0}),
        ("mgca/linear_rsna", "training step", {"optimizer.type": "RAdam"}),
        ("mgca/linear_rsna", "stopping and selection", {"stopping.patience": 9}),
        ("mgca/linear_rsna", "stopping and selection", {"stopping.epochs": 12}),
        ("mgca/linear_rsna", "stopping and selection", {"stopping.tested": "last"}),
        ("gloria/linear_rsna", "stopping and selection", {"stopping.tested": "best"}),
        ("benchx/finetune_rsna", "stopping and selection", {"stopping.first": 5}),
        ("benchx/finetune_rsna", "stopping and selection", {"stopping.interval": 1}),
        ("benchx/finetune_rsna", "stopping and selection", {"stopping.patience": 11}),
    ],
)
def test_another_protocol_is_told_apart(name, ingredient, changes):
    assert off(name, ingredient, changes)


def test_other_metrics_are_told_apart(monkeypatch):
    """Scores with a wrong partner, and the macro F1 in place of BenchX's F1 of class 1."""
    from tasks.parity import classifiers

    given = {**MEASURED["benchx/finetune_rsna", "metric"].given}
    expected = MEASURED["benchx/finetune_rsna", "metric"].expected
    protocol = protocols.load("benchx/finetune_rsna")
    assert not differing(classifiers.metric(protocol, given), expected, {"*": 1e-4})
    labels = classifiers.planted_labels
    monkeypatch.setattr(classifiers, "planted_labels", lambda *how: labels(*how).roll(1, 0))
    assert len(differing(classifiers.metric(protocol, given), expected, {"*": 1e-4})) == len(expected)
