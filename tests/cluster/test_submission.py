import json
import sys
from pathlib import Path

import pytest

from prior_bench.api import RunRecord
from prior_bench.cli import main
from prior_bench.cluster.jobs_folder import JobsFolder
from prior_bench.cluster.queue import queue
from prior_bench.cluster.status import State, cell_states, status_text, training_states
from prior_bench.cluster.submission import cancel_suite, submit_suite
from prior_bench.errors import BenchError
from prior_bench.schema.cluster import ClusterFile
from prior_bench.schema.cluster_jobs import StoredOptions
from prior_bench.suites.plan import expand

pytest.importorskip("submitit")


@pytest.fixture
def submit(plan, store, cluster, file):
    """Submit the suite, or another plan; return the lines that were said."""

    def submitted(plan=plan, cluster=cluster):
        lines = []
        submit_suite(plan, store, cluster, StoredOptions(name="tiny", called=str(file)), lines.append)
        return lines

    return submitted


@pytest.fixture
def command(file, tmp_path, capsys):
    """Run ``prior-bench submit`` with a cluster file; return status, output and messages."""
    (tmp_path / "cluster.py").write_text('partition = "gpu"\nevaluation = dict(cells_per_job=2)\n')

    def run(*arguments):
        status = main(["submit", str(file), "--cluster", str(tmp_path / "cluster.py"), *arguments])
        told = capsys.readouterr()
        return status, told.out, told.err

    return run


def record(store, run, status="done"):
    store.save(RunRecord(run.key, status, run.spec.to_dict(), error="x" if status == "failed" else ""))


def states(store):
    return [cell.state for cell in cell_states(store, queue())]


def test_jobs_wait_for_what_they_need_and_ask_for_what_the_cluster_says(slurm, submit, store):
    lines = submit()
    assert lines == [
        "job 101: tiny pretrain Trained seed 0",
        "jobs 102_0 to 1: tiny eval Ready seed 0",
        "jobs 103_0 to 1: tiny eval Trained seed 0, after 101",
        "job 104: tiny table, after 101, 102, 103",
    ]
    train, ready, trained, table = (slurm.options(number) for number in ("101", "102", "103", "104"))
    assert "dependency" not in train and "dependency" not in ready
    assert trained["dependency"] == "afterok:101" and trained["kill-on-invalid-dep"] == "yes"
    assert table["dependency"] == "afterany:101:102:103"
    assert ready["array"] == "0-1%2" and "array" not in train
    assert (ready["gpus-per-task"], ready["ntasks-per-node"], ready["nodes"]) == ("1", "1", "1")
    assert (train["gpus-per-node"], train["ntasks-per-node"]) == ("1", "1")
    assert "gpus-per-task" not in table and "gpus-per-node" not in table
    assert train["time"] == "1440" and ready["time"] == "240" and train["signal"] == "USR2@120"
    assert "requeue" in train and train["job-name"] == "tiny-pretrain-Trained-seed-0"
    assert "srun --unbuffered" in slurm.script("101") and " -K1 " in slurm.script("101")


def test_a_pre_training_has_a_task_per_gpu_of_all_nodes(slurm, submit):
    shape = {"nodes": 2, "gpus_per_node": 4, "cpus": 6, "memory": "64G", "time": "2d"}
    submit(cluster=ClusterFile.model_validate({"pretraining": shape, "gpu_type": "a100", "setup": ["one"]}))
    options = slurm.options("101")
    assert (options["nodes"], options["ntasks-per-node"], options["gpus-per-node"]) == ("2", "4", "a100:4")
    assert (options["cpus-per-task"], options["mem"], options["time"]) == ("6", "64G", "2880")
    assert slurm.options("102")["gpus-per-task"] == "a100:1"
    assert "\none\n" in slurm.script("101")


def test_a_job_is_a_command_and_data(slurm, submit, store, plan):
    submit()
    folder = JobsFolder(store)
    (job,) = (job for job in folder.jobs() if job.number == "103_1")
    content = json.loads(folder.path(job.file).read_text())
    assert [run["key"] for run in content["runs"]] == job.keys == [plan.runs[5].key]
    assert content["runs"][0]["spec"] == json.loads(json.dumps(plan.runs[5].spec.to_dict()))
    private = folder.root / "submitit"
    assert private.stat().st_mode & 0o777 == (private / job.token).stat().st_mode & 0o777 == 0o700

    import submitit

    pickled = private / job.token / "103_1_submitted.pkl"
    function = submitit.core.utils.DelayedSubmission.load(pickled).function
    assert function.argv == [sys.executable, "-P", "-m", "prior_bench", "job", str(folder.path(job.file))]
    assert f"{sys.executable} -P -u -m submitit" in slurm.script("103")
    assert function.environment["PRIOR_BENCH_RESULTS"] == str(store.root.parent)
    assert function.environment["PRIOR_BENCH_JOB"] == job.file


def test_what_is_queued_is_not_submitted_again(slurm, submit, store):
    submit()
    before = slurm.queue()
    assert submit() == [] and slurm.queue() == before
    assert states(store) == 6 * ["queued"]


def test_what_is_recorded_is_not_submitted_and_what_failed_is(slurm, submit, store, plan):
    for run, status in zip(plan.runs, ["done", "failed", "done"], strict=False):
        record(store, run, status)
    assert submit()[1] == "job 102: tiny eval Ready seed 0"
    (job,) = (job for job in JobsFolder(store).jobs() if job.number == "102")
    assert job.keys == [plan.runs[1].key]
    assert states(store) == ["done", "queued", "done", *3 * ["queued"]]


def test_what_another_process_runs_is_not_submitted(slurm, submit, store, plan):
    with store.claims.take(plan.runs[0].key):
        submit()
        assert states(store)[0] == "running"
    assert plan.runs[0].key not in {key for job in JobsFolder(store).jobs() for key in job.keys}


def test_jobs_that_ended_without_a_record_have_failed_and_are_submitted_again(slurm, submit, store, plan):
    submit()
    slurm.end("102_0", "103_0", "103_1", "104", "101")
    assert states(store) == ["failed", "failed", "queued", "failed", "failed", "failed"]
    assert [one.state for one in training_states(store, queue())] == ["failed"]
    lines = submit()
    assert lines == [
        "job 105: tiny pretrain Trained seed 0",
        "job 106: tiny eval Ready seed 0",
        "jobs 107_0 to 1: tiny eval Trained seed 0, after 105",
        "job 108: tiny table, after 102, 105, 106, 107",
    ]
    assert states(store) == 6 * ["queued"]
    assert len(JobsFolder(store).jobs()) == 6, "jobs whose cells are in others are dropped"


def test_new_cells_wait_for_a_pre_training_that_is_queued_already(slurm, submit, suite):
    submit(plan=expand(suite, only=["backbone=Trained", "fraction=1"]))
    lines = submit()
    assert not any("pretrain" in line for line in lines)
    assert slurm.options("105")["dependency"] == "afterok:101"
    assert lines[-1] == "job 106: tiny table, after 101, 102, 104, 105"
    assert slurm.lines("cancelled") == ["103"], "the earlier table's job"


def test_a_submission_that_was_killed_before_it_noted_the_number_is_found(slurm, submit, store):
    (slurm.root / "forget").touch()  # Slurm has the job, and its answer is lost
    with pytest.raises(BenchError, match="sbatch: Socket timed out"):
        submit()
    (slurm.root / "forget").unlink()
    assert slurm.queue() == ["101"]
    lines = submit()
    assert "jobs 103_0 to 1: tiny eval Trained seed 0, after 101" in lines
    assert not any("pretrain" in line for line in lines)


def test_a_job_that_slurm_refuses_is_not_taken_for_submitted(slurm, submit, store):
    (slurm.root / "refuse").write_text("sbatch: error: no partition gpuu\nsbatch: error: failed\n")
    with pytest.raises(BenchError, match="^sbatch: no partition gpuu; failed\n"):
        submit()
    assert states(store) == 6 * ["not submitted"]
    (slurm.root / "refuse").unlink()
    assert len(submit()) == 4


def test_large_arrays_are_split(slurm, submit, plan):
    cluster = ClusterFile.model_validate({"evaluation": {"cells_per_job": 1}, "array_size": 2})
    assert submit(cluster=cluster)[1:3] == [
        "jobs 102_0 to 1: tiny eval Ready seed 0",
        "job 103: tiny eval Ready seed 0",
    ]


def test_the_status_names_nodes_and_counts(slurm, submit, store, plan, command):
    submit()
    slurm.state("101", "RUNNING", "n[1-2]")
    slurm.state("102_0", "RUNNING", "n3")
    record(store, plan.runs[1])
    record(store, plan.runs[5], "failed")
    slurm.end("103_1")
    with store.claims.take(plan.runs[0].key):
        status, text, _ = command("--status")
    assert status == 0
    assert text.splitlines() == [
        "tiny: 6 cells",
        "  done           1",
        "  running        1",
        f"    {plan.runs[0].label}: on n3 (job 102_0)",
        "  queued         3",
        "  failed         1",
        f"    {plan.runs[5].label}: x",
        "  not submitted  0",
        "pre-trainings",
        "  running        Trained seed 0: on n[1-2] (job 101)",
    ]
    assert "tiny: 3 cells" in command("--status", "--only", "backbone=Ready")[1]


def test_a_name_is_no_line_of_the_status():
    forged = State("x\n  done  99", "failed", "broke\n  done  98")
    text = status_text("tiny", [forged], [State("t\n  done  97", "queued", "job 1\n  done  96")])
    assert "\n  done  9" not in text and len(text.splitlines()) == 9


def test_cancelling_takes_this_suites_jobs_alone(slurm, submit, store, command):
    (slurm.root / "queue" / "7").write_text("PENDING||Priority|another\n")
    submit()
    assert command("--cancel") == (0, "jobs of tiny cancelled: 6\n", "")
    assert slurm.queue() == ["7"]
    assert states(store) == 6 * ["not submitted"]
    assert command("--cancel")[1] == "jobs of tiny cancelled: 0\n"
    assert len(submit()) == 4


def test_a_dry_run_prints_the_jobs_and_makes_nothing(slurm, store, command):
    status, text, _ = command("--dry-run")
    assert status == 0
    assert text.splitlines() == [
        "evaluation    Ready seed 0: 2 cells",
        "evaluation    Ready seed 0: 1 cell",
        "pre-training  Trained seed 0: nodes x GPUs 1 x 1, at most 24h before it is queued again",
        "evaluation    Trained seed 0: 2 cells, after its pre-training",
        "evaluation    Trained seed 0: 1 cell, after its pre-training",
        "tables        after all others",
        "6 cells: 0 done, 0 queued or running, 6 in 4 new jobs; new pre-trainings: 1",
    ]
    assert slurm.queue() == [] and not store.root.exists()


def test_the_command_submits_once(slurm, command):
    assert "jobs submitted: 5; see them: prior-bench submit" in command()[1]
    assert command()[1] == "nothing to submit: all cells are done or queued\n"
    assert slurm.options("101")["partition"] == "gpu"


def test_without_slurm_or_submitit_it_says_what_to_do(command, slurm, monkeypatch):
    monkeypatch.setitem(sys.modules, "submitit", None)
    assert (
        command()[2] == "error: submit: submitit is not installed\n  fix: pip install 'prior-bench[slurm]'\n"
    )
    monkeypatch.setenv("PATH", "/nowhere")
    status, _, said = command()
    assert status == 1 and said.startswith("error: Slurm: no sbatch on this machine\n  fix: run it where")
    status, text, said = command("--dry-run")
    assert status == 0 and "6 in 4 new jobs" in text and "the queue is taken as empty" in said
    assert "no squeue on this machine" in command("--status")[2]


def test_a_damaged_list_of_jobs_is_named(slurm, submit, store):
    submit()
    place = store.root / "cluster/jobs.json"
    place.write_text(place.read_text().replace('"102_0"', '"102; rm"'))
    with pytest.raises(BenchError, match=r"jobs\.json: the list of jobs cannot be read.*number"):
        submit()


def test_a_folder_of_somebody_else_is_not_given_to_submitit(slurm, submit, store, tmp_path):
    (store.root / "cluster").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (store.root / "cluster/submitit").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BenchError, match="submitit: is a symbolic link"):
        submit()


@pytest.mark.parametrize("kind", ["evaluation", "table"])
def test_jobs_that_a_list_only_claims_are_not_cancelled(slurm, submit, store, kind):
    (slurm.root / "queue/77").write_text("RUNNING|n1|None|another work of mine\n")
    listed = {"token": "0" * 16, "number": "77", "kind": kind, "title": "x", "keys": ["k"]}
    (store.root / "cluster").mkdir(parents=True)
    (store.root / "cluster/jobs.json").write_text(
        json.dumps({"jobs": [{**listed, "file": f"{'0' * 16}.json"}]})
    )
    assert cancel_suite(store) == 0
    submit()  # it cancels an earlier job of the tables
    assert slurm.lines("cancelled") == [] and "77" in slurm.queue()


def test_files_of_a_sent_store_are_not_taken_for_jobs(slurm, submit, store):
    """The names of job files can be known before: those of the same suite elsewhere."""
    submit()
    folder = JobsFolder(store)
    written = {path: path.read_bytes() for path in (folder.root / "jobs").iterdir()}
    (folder.root / "jobs.json").unlink()
    slurm.end()
    for path in written:
        path.write_text(path.read_text().replace("tiny", "evil"))
    submit()
    assert {path: path.read_bytes() for path in written} == written


def test_what_waits_in_submitits_folder_is_not_used(slurm, submit, store, tmp_path):
    place = store.root / "cluster/submitit"
    place.mkdir(parents=True)
    for number in ("101", "101_0", "102_0", "102_1"):
        (place / f"{number}_submitted.pkl").symlink_to(tmp_path / "elsewhere")
        (place / f"{number}_0_log.out").symlink_to(tmp_path / "elsewhere")
    submit()
    outputs = {Path(slurm.options(number)["output"]).parent for number in ("101", "102", "103", "104")}
    assert len(outputs) == 4 and {output.parent for output in outputs} == {place}
    assert not (tmp_path / "elsewhere").exists()
