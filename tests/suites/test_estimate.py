"""Rough GPU hours, by hand, and the dry runs of the papers' suites without any data or checkpoint."""

from dataclasses import replace

import pytest

from prior_bench import paths
from prior_bench.api import RunSpec
from prior_bench.cli.run import describe_plan
from prior_bench.engine.execute import Overwrite
from prior_bench.store.store import Store
from prior_bench.suites.estimate import FORWARD, FROZEN, TRAINED, gpu_hours, split_sizes
from prior_bench.suites.plan import DataSets, Plan, PlannedRun, expand
from prior_bench.suites.protocols import load
from prior_bench.suites.suite import Suite, load_suite

PAPERS = ("mgca_", "gloria_", "lovt_", "benchx_", "prior_tasks")
SUITES = sorted(
    path.stem for path in (paths.shipped("configs") / "suites").glob("*.py") if path.stem.startswith(PAPERS)
)


def planned(protocol: str, data: str, fraction: float = 1.0, **overrides) -> PlannedRun:
    loaded = load(protocol, overrides or None)
    reference = {"name": data, "type": data, "root": data}
    return PlannedRun(RunSpec({"name": "Row"}, loaded.task, reference, loaded.to_dict(), fraction, 0))


def hours(*runs: PlannedRun) -> tuple[float, int]:
    return gpu_hours(Plan(Suite("s", [], []), list(runs), {}, DataSets()), runs)


def test_training_counts_epochs_size_and_what_is_trained():
    frozen = (50 * 0.1 * 16_010 / FROZEN + (50 * 5337 + 5337) / FORWARD) / 3600
    assert hours(planned("mgca/segmentation_rsna", "rsna_pneumonia", 0.1)) == (pytest.approx(frozen), 0)
    trained = (100 * 8578 / TRAINED + (100 * 1910 + 1903) / FORWARD) * (512 / 224) ** 2 / 3600
    assert hours(planned("gloria/segmentation_siim", "siim_acr")) == (pytest.approx(trained), 0)
    steps = (20_000 * 8 / FROZEN + (10 * 4003 + 4003) / FORWARD) * (512 / 224) ** 2 / 3600
    assert hours(planned("benchx/segmentation_rsna", "rsna_pneumonia")) == (pytest.approx(steps), 0)


def test_cached_features_are_paid_for_once():
    runs = [planned("prior/linear", "rsna_pneumonia", share) for share in (0.01, 0.1, 1.0)]
    assert hours(*runs) == (pytest.approx(26_684 / FORWARD / 3600), 0)


def test_corrupted_test_images_come_on_top():
    options = {"corruptions": ["noise", "blur"], "severities": [1, 5]}
    corrupted = {"options": options, "metrics": ["auroc_corrupted"]}
    runs = [planned("prior/linear", "rsna_pneumonia", 1.0, **overrides) for overrides in ({}, corrupted)]
    test = split_sizes(runs[0].spec, DataSets())[2]
    assert hours(*runs) == (pytest.approx((26_684 + 4 * test) / FORWARD / 3600), 0)


def test_unknown_counts_are_said_to_be_unknown():
    run = planned("clean/segmentation_frozen", "object_cxr", **{"split": {"rule": "nobodys"}})
    assert split_sizes(run.spec, DataSets()) is None and hours(run) == (0.0, 1)
    known = planned("prior/linear", "rsna_pneumonia").spec
    synthetic = {**known.data, "root": "sample:rsna_pneumonia"}
    assert split_sizes(replace(known, data=synthetic), DataSets()) is None


@pytest.mark.parametrize("name", SUITES)
def test_paper_suite_plans_without_data_and_checkpoints(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plan = expand(load_suite(name), tolerate_absent=True)
    text = describe_plan(plan, Store.of(name), Overwrite.FAILED)
    assert "missing: checkpoints/" in text and "is not there" in text and "cannot be run" in text
    assert not plan.runnable()
    if name != "benchx_retrieval":  # a thousand images
        assert "rough estimate: " in text and "assumed" in text
    assert list(tmp_path.iterdir()) == []
