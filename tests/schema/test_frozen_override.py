"""``--set frozen.backbone=false`` is a bool from the command line to the weights and the record."""

import copy

import pytest
import torch
from tiny_data import CLASSES, tiny_manifest

from prior_bench.cli import main
from prior_bench.probing import gradient
from prior_bench.store.store import Store

SHORT = ("stopping.epochs=1", "batch_size=12", "optimizer.warmup=0", "transform.input.size=32")


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """The classifiers that are built, each with a copy of the weights its backbone had before."""
    for name in ("DATA", "RESULTS", "CACHE"):
        monkeypatch.setenv(f"PRIOR_BENCH_{name}", str(tmp_path / name.lower()))
    monkeypatch.chdir(tmp_path)
    table = tiny_manifest(tmp_path).table
    table[["image", "patient_id", "split", *CLASSES]].to_csv("my.csv", index=False)
    built, make = [], gradient.Classifier

    def spied(*arguments, **named):
        made = make(*arguments, **named)
        built.append((made, copy.deepcopy(made.backbone.state_dict())))
        return made

    monkeypatch.setattr(gradient, "Classifier", spied)
    return built


@pytest.mark.parametrize("word", ["false", "False", "true"])
def test_a_backbone_is_trained_as_the_word_says(trained, word):
    settings = (*SHORT, f"frozen.backbone={word}", f"frozen.batch_norm={word}")
    given = [text for setting in settings for text in ("--set", setting)]
    command = ["eval", "classification", "--backbone", "random:resnet18", "--data", "my.csv"]
    flags = ["--protocol", "clean/finetune", "--device", "cpu", "--resamples", "0"]
    assert main([*command, *flags, *given]) == 0
    frozen = word == "true"
    (record,) = Store.of("eval").records().values()
    assert record.spec["protocol"]["frozen"] == {"backbone": frozen, "batch_norm": frozen}
    ((classifier, before),) = trained
    after = classifier.backbone.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    convolutions = {name for name in before if name.endswith(("conv1.weight", "conv2.weight"))}
    assert len(convolutions) > 10
    assert changed == set() if frozen else changed >= convolutions
