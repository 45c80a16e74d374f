"""Folds as seeds: which split a run gets, its key, and what the plan checks."""

import json
import re

import fake_parts
import pytest

from prior_bench import paths
from prior_bench.data.manifest import Manifest
from prior_bench.errors import BenchError, ErrorList
from prior_bench.registry import DATASETS
from prior_bench.suites.data_sets import DataSets
from prior_bench.suites.plan import expand
from prior_bench.suites.protocols import load
from prior_bench.suites.suite import load_suite

SUITE = """
backbones = [dict(name="A", type="fake", seeded=False)]
evaluations = [
    dict(task="fake", data="fake", protocol="fake/plain", overrides={}),
]
seeds = [0, 1, 2]
"""


def read_folds(root, *, split="default"):
    """Ten rows of five patients, of which the fold in the split's name, "folds:N", is tested."""
    data = fake_parts.read_fake(root)
    rule, _, fold = split.partition(":")
    if rule == "default":
        return data
    if int(fold or 0) > 4:
        raise BenchError(f"there is no fold {fold}")
    number = range(len(data))
    data.table["split"] = ["test" if row // 2 == int(fold or 0) else "train" for row in number]
    return Manifest("fake", root, data.table, labels=fake_parts.CLASSES, split_rule=split)


@pytest.fixture
def plan_of(tmp_path, monkeypatch):
    def plan(split="{}", seeds="[0, 1, 2]"):
        text = SUITE.replace("{}", split).replace("[0, 1, 2]", seeds)
        suite = load_suite(str(fake_parts.suite_config(tmp_path, text)))
        monkeypatch.setitem(DATASETS._module_dict, "fake", read_folds)
        return expand(suite)

    return plan


FOLDS = '{"split.rule": "folds", "split.by_seed": True}'


def test_each_seed_is_tested_on_its_own_fold(plan_of):
    plan = plan_of(FOLDS)
    tested = [
        set(plan.data_sets.open(run.spec.data, run.spec.protocol, run.spec.seed).split("test").table["id"])
        for run in plan.runs
    ]
    assert tested == [{"i0", "i1"}, {"i2", "i3"}, {"i4", "i5"}]
    assert len({run.key for run in plan.runs}) == 3


def test_without_it_the_seeds_share_a_split_and_a_fingerprint(plan_of):
    plan = plan_of()
    spec = plan.runs[0].spec
    assert "by_seed" not in json.dumps(spec.protocol)
    found = {plan.data_sets.fingerprint(spec.data, spec.protocol, seed) for seed in (0, 1, 2)}
    assert len(found) == 1 and len(plan.data_sets._read) == 1


def test_every_fold_is_checked_before_anything_runs(plan_of):
    with pytest.raises(ErrorList, match="there is no fold 7"):
        plan_of(FOLDS, "[0, 7]")


def test_shipped_protocols_state_the_seed_only_where_the_author_does():
    folder = paths.shipped("configs") / "protocols"
    names = [path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.py")]
    stated = {name for name in names if load(name).split.get("by_seed")}
    assert stated == {
        "prior/detection_rsna",
        "prior/finetune",
        "prior/linear",
        "prior/segmentation_siim",
        "prior/zero_shot_draws",
    }
    suite = load_suite("prior_tasks")
    for entry in suite.evaluations:
        if entry["protocol"] in stated:
            assert entry.get("seeds", suite.seeds) == [0, 1, 2, 3, 4]


def test_a_rule_without_folds_says_so(tiny_sample):
    data = {"name": "x", "type": "siim_acr", "root": str(tiny_sample / "siim_acr")}
    protocol = load("prior/segmentation_siim", {"split.rule": "default"}).to_dict()
    with pytest.raises(BenchError, match=re.escape("makes one split, and none for seed 2")):
        DataSets().open(data, protocol, 2)
