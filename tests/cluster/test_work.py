"""What runs in a job: the same cells under the same keys, or a refusal that names what has changed."""

import json

import pytest

from prior_bench.cli import main
from prior_bench.cluster import unchanged
from prior_bench.cluster.jobs_folder import JobsFolder
from prior_bench.cluster.planned import PlannedJob
from prior_bench.cluster.stored_jobs import stored
from prior_bench.cluster.work import run_job
from prior_bench.engine.execute import evaluate
from prior_bench.errors import BenchError
from prior_bench.schema.cluster_jobs import StoredJob, StoredOptions
from prior_bench.store.store import Store


@pytest.fixture
def written(plan, store, file):
    """Write the file of a job, and return its path."""

    def write(kind, runs=()):
        keys = ("trained-2.0-0",) if kind == "pretraining" else tuple(run.key for run in runs) or ("tiny",)
        options = StoredOptions(name="tiny", called=str(file))
        folder = JobsFolder(store)
        return folder.path(folder.add(stored(PlannedJob(kind, "a job", keys, tuple(runs)), plan, options)))

    return write


@pytest.fixture
def in_slurm(monkeypatch):
    """What Slurm tells a task of an array."""
    told = {"SLURM_JOB_ID": "14", "SLURM_ARRAY_JOB_ID": "12", "SLURM_ARRAY_TASK_ID": "1"}
    told |= {"SLURMD_NODENAME": "n7", "CUDA_VISIBLE_DEVICES": "3", "SLURM_RESTART_COUNT": "2"}
    for name, value in told.items():
        monkeypatch.setenv(name, value)


def changes(path):
    with pytest.raises(BenchError) as error:
        run_job(path)
    return str(error.value)


def test_a_job_gives_the_records_of_a_serial_run(written, plan, store, in_slurm, capsys):
    assert run_job(written("evaluation", plan.runs[:2])) == 0
    assert "2 run, 0 already done, 0 failed" in capsys.readouterr().out
    serial = Store(store.root.parent / "serial")
    evaluate(plan, serial, device="cpu", say=lambda line: None)
    done = store.records()
    assert set(done) == {run.key for run in plan.runs[:2]}
    for key, record in done.items():
        assert record.metrics["auroc"] == serial.get(key).metrics["auroc"]
        assert record.spec == serial.get(key).spec
    bound = done[plan.runs[0].key].provenance["binding"]
    assert bound == {"slurm_job": "12_1", "restarts": 2, "SLURMD_NODENAME": "n7", "CUDA_VISIBLE_DEVICES": "3"}
    assert run_job(written("evaluation", plan.runs[:2])) == 0
    assert "0 run, 2 already done" in capsys.readouterr().out, "what is recorded does not run again"


def test_a_job_with_a_failing_cell_fails(written, plan, monkeypatch, parts, capsys):
    monkeypatch.setattr(parts.FakeTask, "run", lambda *arguments: 1 / 0)
    assert run_job(written("evaluation", plan.runs[:1])) == 1
    assert "error: ZeroDivisionError" in capsys.readouterr().err


def test_a_pre_training_makes_the_weights_and_evaluations_wait_for_them(written, plan, trained, store):
    evaluation, pretraining = written("evaluation", plan.runs[3:]), written("pretraining", plan.runs[3:4])
    assert "Trained: its pre-trained weights are not there" in changes(evaluation)
    assert run_job(pretraining) == 0
    (place,) = (store.root.parent / "pretrain").glob("*/model.safetensors")
    assert place.parent.name == "fake-seed0-trained-2.0-0" and place.read_text() == "slurm True"
    assert run_job(evaluation) == 0 and len(store.records()) == 3


def test_an_evaluation_does_not_read_the_data_of_pre_training(written, plan, trained, monkeypatch):
    evaluation, pretraining = written("evaluation", plan.runs[3:]), written("pretraining", plan.runs[3:4])
    run_job(pretraining)
    monkeypatch.setitem(trained.today, "fingerprint", "other")
    assert run_job(evaluation) == 0


def test_a_pre_training_refuses_what_has_changed(written, plan, trained, monkeypatch):
    path = written("pretraining", plan.runs[3:4])
    for name, value, said in (
        ("fingerprint", "other", "'Trained': data: content was data, and is other now"),
        ("source", "new", "'Trained': source code of its method: it was code, and is new now"),
        ("versions", {"method": 3}, "'Trained': declared version of method: it was 1, and is 3 now"),
        ("config", "-x", "'Trained': config: identity was trained-2.0-0, and is trained-2.0-0-x now"),
    ):
        with monkeypatch.context() as change:
            change.setitem(trained.today, name, value)
            text = changes(path)
            assert said in text and "fix: submit the suite again: prior-bench submit" in text
    assert run_job(path) == 0


def test_an_evaluation_refuses_what_has_changed(written, plan, parts, store, monkeypatch):
    path = written("evaluation", plan.runs[:2])
    read = parts.read_fake

    def other(root, *, split="default"):
        manifest = read(root, split=split)
        manifest.table.loc[0, "Edema"] = 1 - manifest.table.loc[0, "Edema"]
        return manifest

    with monkeypatch.context() as change:
        change.setitem(parts.DATASETS.module_dict, "fake", other) if hasattr(
            parts.DATASETS, "module_dict"
        ) else change.setattr(parts.DATASETS, "get", lambda name: other)
        assert "data set 'fake': content was" in changes(path)
    with monkeypatch.context() as change:
        change.setattr(unchanged, "task_source", lambda task: "new")
        assert "source code of the task 'fake': it was" in changes(path)
    with monkeypatch.context() as change:
        change.setattr(parts.FakeTask, "version", 2, raising=False)
        assert "declared version of task: it was 1, and is 2 now" in changes(path)
    with monkeypatch.context() as change:
        change.setattr(parts.FakeBackbone, "identity", lambda self, seed: "other")
        assert "backbone 'Ready': identity was 1.0-0, and is other now" in changes(path)
    assert not store.records()
    assert run_job(path) == 0


def test_a_key_that_was_changed_by_hand_is_refused(written, plan, store):
    values = json.loads(written("evaluation", plan.runs[:1]).read_text())
    values["runs"][0]["spec"]["fraction"] = 0.2
    folder = JobsFolder(store)
    path = folder.path(folder.add(StoredJob.model_validate(values)))
    assert f"key was {plan.runs[0].key}, and is" in changes(path)


def test_a_job_of_other_results_is_refused(written, plan, monkeypatch, tmp_path):
    path = written("evaluation", plan.runs[:1])
    monkeypatch.setenv("PRIOR_BENCH_RESULTS", str(tmp_path / "others"))
    assert "is of another results folder\n  fix: set PRIOR_BENCH_RESULTS" in changes(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "cannot be read: is no JSON"),
        ("[]", "cannot be read: is no JSON object"),
        (
            '{"kind": "shell", "title": "x", "suite": {"name": "a", "called": "a"}}',
            "kind: unknown choice 'shell'",
        ),
        ('{"kind": "table", "title": "x"}', "the key 'suite' is missing"),
        ("[" * 100_000, "cannot be read"),
    ],
)
def test_a_damaged_job_is_refused(store, text, said):
    path = store.root / "cluster/jobs/x.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert said in changes(path)
    path.unlink()
    assert "there is no such job\n  fix: submit the suite again" in changes(path)


def test_the_last_job_writes_tables_and_report(written, plan, store):
    evaluate(plan, store, device="cpu", say=lambda line: None)
    assert run_job(written("table")) == 0
    assert "| Trained" in (store.root / "tables.md").read_text()
    assert "Trained" in (store.root / "report.html").read_text()


def test_a_job_is_only_what_was_submitted(written, plan, tmp_path):
    file = written("table")
    file.write_text(file.read_text().replace('"called": "', f'"called": "{tmp_path}/evil'))
    assert "is not what was submitted" in changes(file)


def test_the_command_runs_no_job_that_came_with_a_store(written, plan, monkeypatch, capsys):
    """Its name may be the hash of its content, and its config or task anything that can be imported."""
    file = written("evaluation", plan.runs[:1])
    assert main(["job", str(file)]) == 1
    assert "was not submitted by this process's job" in capsys.readouterr().err
    monkeypatch.setenv("PRIOR_BENCH_JOB", file.name)
    assert main(["job", str(file)]) == 0 and "1 run" in capsys.readouterr().out
