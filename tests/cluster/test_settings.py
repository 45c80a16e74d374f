import pytest

from prior_bench.cluster.settings import load_cluster, parameters
from prior_bench.errors import BenchError
from prior_bench.schema.cluster import ClusterFile, minutes_of


def test_a_kind_of_job_may_have_a_partition_of_its_own():
    cluster = ClusterFile.model_validate(
        {"partition": ["a", "b"], "qos": "low", "pretraining": {"partition": "c"}, "table": {"qos": "high"}}
    )
    assert [parameters(cluster, kind)["partition"] for kind in ("pretraining", "evaluation")] == ["c", "a,b"]
    assert [parameters(cluster, kind)["qos"] for kind in ("evaluation", "table")] == ["low", "high"]
    assert "account" not in parameters(cluster, "table")


def test_a_cluster_without_gpus_is_asked_for_none():
    cluster = ClusterFile.model_validate({"pretraining": {"gpus_per_node": 0}, "evaluation": {"gpus": 0}})
    for kind in ("pretraining", "evaluation", "table"):
        asked = parameters(cluster, kind)
        assert asked["ntasks_per_node"] == 1 and not [key for key in asked if "gpus" in key]


@pytest.mark.parametrize(("text", "minutes"), [("90min", 90), ("4h", 240), ("2 d", 2880)])
def test_lengths_of_time(text, minutes):
    assert minutes_of(text) == minutes


def test_all_problems_of_a_cluster_file_are_named_by_their_keys(tmp_path):
    path = tmp_path / "cluster.py"
    path.write_text(
        'partitoin = "gpu"\nsetup = ["a\\nb"]\nrequeues = -1\nevaluation = dict(time="4:00", gpus=2)\n'
        'pretraining = dict(nodes="two")\n'
    )
    with pytest.raises(BenchError) as error:
        load_cluster(str(path))
    said = str(error.value)
    for part in (
        f"{path}: the cluster file cannot be used:",
        "unknown key 'partitoin'",
        "did you mean partition or",
        "setup[0]: is 'a\\nb'; must be one line of text",
        "requeues: is -1; must be at least 0",
        "evaluation.time: is '4:00'; must be a whole number with min, h or d, such as '90min'",
        "evaluation.gpus: is 2; must be at most 1",
        "pretraining.nodes: is 'two'; must be a whole number",
    ):
        assert part in said, said


def test_the_cluster_file_may_come_from_the_environment(tmp_path, monkeypatch):
    with pytest.raises(
        BenchError, match="no cluster file is named\n.*--cluster FILE, or PRIOR_BENCH_CLUSTER"
    ):
        load_cluster(None)
    monkeypatch.setenv("PRIOR_BENCH_CLUSTER", "example")
    assert load_cluster(None).pretraining.gpus_per_node == 4
    with pytest.raises(BenchError, match="unknown config in cluster 'exampel'.*\n.*example"):
        load_cluster("exampel")
