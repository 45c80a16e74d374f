from dataclasses import replace

import pytest

from prior_bench.api import RunRecord
from prior_bench.cluster.costs import Costs
from prior_bench.cluster.planned import pack, plan_jobs
from prior_bench.errors import BenchError
from prior_bench.schema.cluster import ClusterFile
from prior_bench.suites.plan import expand


class Known:
    """Costs of which some are known, by fraction in seconds."""

    def __init__(self, **seconds):
        self.by_fraction = {float(name.removeprefix("f").replace("_", ".")): s for name, s in seconds.items()}

    def seconds(self, run):
        return self.by_fraction.get(run.spec.fraction)


def sizes(packed):
    return [[run.spec.fraction for run in runs] for runs, _ in packed]


def jobs_of(plan, cluster, tmp_path, queued=()):
    return plan_jobs(plan, plan.runnable(), cluster, Known(), tmp_path / "pretrain", queued)


def test_an_evaluation_waits_for_its_pre_training_alone(plan, cluster, tmp_path):
    jobs = jobs_of(plan, cluster, tmp_path)
    assert [(job.kind, job.title, len(job.keys), bool(job.needs)) for job in jobs] == [
        ("evaluation", "Ready seed 0", 2, False),
        ("evaluation", "Ready seed 0", 1, False),
        ("pretraining", "Trained seed 0", 1, False),
        ("evaluation", "Trained seed 0", 2, True),
        ("evaluation", "Trained seed 0", 1, True),
    ]
    assert jobs[3].needs == jobs[2].keys[0] == "trained-2.0-0"
    assert sorted(key for job in jobs if job.kind == "evaluation" for key in job.keys) == sorted(
        run.key for run in plan.runnable()
    )


def test_weights_that_exist_or_are_being_made_are_not_made_again(plan, cluster, tmp_path, trained):
    kinds = [job.kind for job in jobs_of(plan, cluster, tmp_path, ["trained-2.0-0"])]
    assert kinds == 4 * ["evaluation"]
    place = trained("Trained", 2.0).place(0, tmp_path / "pretrain")
    place.parent.mkdir(parents=True)
    place.touch()
    jobs = jobs_of(plan, cluster, tmp_path)
    assert len(jobs) == 4 and not any(job.needs for job in jobs)


def test_two_rows_of_the_same_weights_have_one_pre_training(suite, cluster, tmp_path):
    suite.backbones.append({**suite.backbones[1], "name": "Again"})
    jobs = jobs_of(expand(suite), cluster, tmp_path)
    assert [job.kind for job in jobs].count("pretraining") == 1
    assert {job.needs for job in jobs} == {"", "trained-2.0-0"}


@pytest.mark.parametrize(("gpus", "shape"), [(1, (2, 4)), (3, (1, 3)), (4, (1, 4)), (16, (4, 4))])
def test_a_config_says_how_many_gpus_a_pre_training_takes(suite, tmp_path, gpus, shape):
    suite.backbones[1]["gpus"] = gpus
    cluster = ClusterFile.model_validate({"pretraining": {"nodes": 2, "gpus_per_node": 4}})
    (job,) = (job for job in jobs_of(expand(suite), cluster, tmp_path) if job.kind == "pretraining")
    assert job.shape == shape


def test_gpus_that_do_not_fill_nodes_are_refused(suite, tmp_path):
    suite.backbones[1]["gpus"] = 6
    cluster = ClusterFile.model_validate({"pretraining": {"gpus_per_node": 4}})
    with pytest.raises(BenchError, match="Trained seed 0: takes 6 GPUs, and a node has 4"):
        jobs_of(expand(suite), cluster, tmp_path)


def test_cells_fill_the_wanted_minutes(plan):
    cluster = ClusterFile.model_validate({"evaluation": {"minutes_per_job": 10, "cells_per_job": 2}})
    runs = plan.runs[:3]
    assert sizes(pack(runs, cluster, Known(f0_1=200, f0_5=200, f1_0=200))) == [[0.1, 0.5, 1.0]]
    assert sizes(pack(runs, cluster, Known(f0_1=200, f0_5=200, f1_0=201))) == [[0.1, 0.5], [1.0]]
    assert sizes(pack(runs, cluster, Known(f0_1=9000, f0_5=1, f1_0=1))) == [[0.1], [0.5, 1.0]]
    assert [seconds for _, seconds in pack(runs, cluster, Known(f0_1=60, f0_5=90, f1_0=30))] == [180]


def test_cells_of_unknown_time_are_counted(plan):
    cluster = ClusterFile.model_validate({"evaluation": {"minutes_per_job": 10, "cells_per_job": 2}})
    assert sizes(pack(plan.runs[:3], cluster, Known())) == [[0.1, 0.5], [1.0]]
    assert sizes(pack(plan.runs[:3], cluster, Known(f0_1=300))) == [[0.1, 0.5], [1.0]]
    assert [seconds for _, seconds in pack(plan.runs[:3], cluster, Known(f0_1=300))] == [None, None]


def test_a_cell_takes_as_long_as_the_most_similar_recorded_ones(plan, store):
    one, two, three = plan.runs[:3]
    assert Costs(store).seconds(one) is None
    for run, seconds in ((one, 10.0), (two, 30.0)):
        record = RunRecord(run.key, "done", run.spec.to_dict(), provenance={"wall_seconds": seconds})
        store.save(record)
    failed = RunRecord(three.key, "failed", three.spec.to_dict(), provenance={"wall_seconds": 1.0})
    store.save(failed)
    costs = Costs(store)
    assert (costs.seconds(one), costs.seconds(two), costs.seconds(three)) == (10, 30, 20)
    other = replace(three, spec=replace(three.spec, protocol={**three.spec.protocol, "name": "other"}))
    assert costs.seconds(other) == 20
    assert costs.seconds(replace(three, spec=replace(three.spec, task="another"))) is None
