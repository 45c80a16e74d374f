"""Keys: what changes them, and that neither source text nor places do."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import fake_parts
import pytest

from prior_bench import versions
from prior_bench.api import Metric, RunSpec, version_of, versioned
from prior_bench.errors import BenchError
from prior_bench.registry import CORRUPTIONS, DATASETS, TASKS
from prior_bench.sample import VERSION, SampleBenchmark
from prior_bench.suites.keys import run_key, run_versions
from prior_bench.suites.protocols import load

ROOT = Path(__file__).parents[2]


def spec_of(protocol="fake/plain", task="fake", data=None) -> RunSpec:
    data = data or {"name": "fake", "type": "fake", "root": "fake"}
    return RunSpec({"name": "Row"}, task, data, load(protocol).to_dict())


def test_key_changes_with_everything_that_determines_the_outcome_and_nothing_else():
    spec = spec_of()
    used = run_versions(spec)
    base = run_key(spec, "identity", "data", used)
    changed = [
        run_key(spec, "other", "data", used),
        run_key(spec, "identity", "other", used),
        run_key(spec, "identity", "data", {**used, "task": 2}),
        run_key(spec, "identity", "data", {**used, "metric auroc": 2}),
        run_key(replace(spec, seed=7), "identity", "data", used),
        run_key(replace(spec, fraction=0.5), "identity", "data", used),
        run_key(replace(spec, task="fake_text"), "identity", "data", used),
        run_key(replace(spec, protocol={**spec.protocol, "batch_size": 1}), "identity", "data", used),
        run_key(replace(spec, protocol={**spec.protocol, "version": 2}), "identity", "data", used),
    ]
    assert len({base, *changed}) == 10
    # where the data lies, what the row is called and which paper is quoted do not matter
    elsewhere = replace(spec, data={**spec.data, "root": "/elsewhere"}, backbone={"name": "Other"})
    quoted = replace(elsewhere, protocol={**spec.protocol, "source": "a paper"})
    assert run_key(quoted, "identity", "data", used) == base
    # what is new, or was never raised, is not in the key; nor is a protocol's version before it was raised
    assert run_key(spec, "identity", "data", {**used, "further": 1}) == base
    before = {name: value for name, value in spec.protocol.items() if name != "version"}
    assert run_key(replace(spec, protocol=before), "identity", "data", {}) == base


def test_keys_are_those_of_the_records_that_users_have():
    """Nothing that is changed here may change these: every stored result would be run again."""
    protocol = {"name": "p", "task": "t", "metrics": ["auroc"], "options": {"a": 0.5}, "defects": []}
    spec = RunSpec({"name": "Row"}, "t", {"name": "d", "type": "csv", "root": "d.csv"}, protocol, 0.1, 3)
    assert run_key(spec, "identity", "fingerprint", {"task": 1}) == "19d671c3a384544e"
    assert run_key(spec, "identity", "fingerprint", {"task": 2, "reader": 1}) == "fd68e79737d5fc10"


def test_versions_of_a_run_are_those_of_its_parts(monkeypatch):
    spec = spec_of()
    assert set(run_versions(spec)) == {"task", "metric auroc", "reader", *versions.EVALUATION}
    assert set(run_versions(spec).values()) == {1}
    monkeypatch.setattr(fake_parts.FakeTask, "version", 3, raising=False)
    monkeypatch.setattr(fake_parts.FakeTask, "machinery", ("features",), raising=False)
    monkeypatch.setattr(fake_parts.FakeTask, "metrics", {"auroc": Metric("auroc", version=2)}, raising=False)
    monkeypatch.setattr(fake_parts.FakeTask, "versions", lambda self, p: {f"of {p.name}": 5}, raising=False)
    monkeypatch.setattr(fake_parts.read_fake, "version", 4, raising=False)
    monkeypatch.setitem(versions.MACHINERY, "features", versions.Machine("", version=6))
    assert run_versions(spec) == {
        "task": 3,
        "features": 6,
        "metric auroc": 2,
        "reader": 4,
        "of fake/plain": 5,
    }


def test_versions_of_corruptions_prompts_and_the_generator(monkeypatch):
    data = {"name": "five", "type": "chexpert_5x200", "root": "sample:chexpert_5x200"}
    spec = spec_of("demo/zero_shot_corrupted", "zero_shot", data)
    found = run_versions(spec)
    assert found["corruption noise"] == found["prompts sample"] == 1 and found["generator"] == int(VERSION)
    monkeypatch.setattr(CORRUPTIONS.get("noise"), "version", 2, raising=False)
    monkeypatch.setattr(SampleBenchmark, "version", 9)
    found = run_versions(spec)
    assert (found["corruption noise"], found["corruption blur"], found["generator"]) == (2, 1, 9)
    assert "generator" not in run_versions(replace(spec, data={**data, "root": "/data/chexpert"}))


@pytest.mark.parametrize("name", TASKS.names())
def test_every_task_of_ours_declares_what_it_depends_on(name):
    if name.startswith("fake"):
        return
    task = TASKS.get(name)
    assert version_of(task) >= 1 and "version" in vars(task)
    assert set(task.machinery) <= set(versions.EVALUATION)


def test_versions_are_whole_numbers_from_1():
    @versioned(2)
    def read(root): ...

    assert version_of(read) == 2 and version_of(lambda: 0) == version_of(None) == 1
    for wrong in ("2", 0, True, 1.0):
        read.version = wrong
        with pytest.raises(BenchError, match=f"read_part: declares the version {wrong!r}"):
            version_of(read, "read_part")
        with pytest.raises(BenchError, match="an integer of at least 1"):
            versions.raised({"prompts": wrong})
    with pytest.raises(BenchError, match="did you mean features"):
        versions.machinery(["feature"])


def test_a_wrong_version_is_refused_when_the_run_is_planned(monkeypatch):
    monkeypatch.setattr(DATASETS.get("fake"), "version", "two", raising=False)
    with pytest.raises(BenchError, match="reader fake: declares the version 'two'"):
        run_versions(spec_of())


KEYS = """
import json, sys
sys.path.insert(0, sys.argv[1])
from prior_bench.backbones.random import RandomInit
from prior_bench.pretraining.config import load_config
from prior_bench.pretraining.identity import run_identity
from prior_bench.suites.keys import run_key, run_versions
from prior_bench.suites.protocols import load
from prior_bench.api import RunContext, RunSpec
from prior_bench.data.images.cache.image_cache import place_of
from prior_bench.features.extract import extract
from prior_bench.mock import mock_backbone
import prior_bench, tasks
from pathlib import Path
from tempfile import TemporaryDirectory
sys.path.append(sys.argv[2])
from tiny_data import tiny_manifest
keys = [RandomInit("r", image_encoder="resnet18").identity(0)]
keys.append(run_identity(load_config("mgca_sample"), "f", 0))
for name in ("clean/linear_probe", "clean/zero_shot", "clean/segmentation_frozen"):
    protocol = load(name)
    data = {"name": "d", "type": "csv", "root": "d.csv"}
    spec = RunSpec({"name": "Row"}, protocol.task, data, protocol.to_dict())
    keys.append(run_key(spec, "identity", "data", run_versions(spec)))
keys.append(RandomInit("r", config="convirt_sample", overrides={"data.dataset": sys.argv[3]}).identity(0))
keys.append(place_of(Path("/images"), 256).name)
with TemporaryDirectory() as folder:
    context = RunContext(cache_dir=Path(folder) / "cache")
    extract(mock_backbone(), tiny_manifest(Path(folder), images=4).select([0, 1]), context)
    (kept,) = context.cache_dir.rglob("*.safetensors")
    keys.append(kept.name)
print(json.dumps([prior_bench.__file__, tasks.__file__, keys]))
"""


def keys_of(checkout: Path) -> list[str]:
    """Of weights, runs, features and an image cache, as the source in ``checkout`` has them."""
    reports = checkout / "reports.csv"
    reports.write_text("image,split,report\na.png,train,There is edema.\nb.png,train,No edema.\n")
    for name in ("a", "b"):
        shutil.copy(ROOT / "tests/data/hannover_cxr/images/4d98e1de.jpg", checkout / f"{name}.png")
    command = [sys.executable, "-c", KEYS, str(checkout), str(ROOT / "tests/helpers"), str(reports)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=checkout)
    assert run.returncode == 0, run.stderr
    package, tasks, keys = json.loads(run.stdout.splitlines()[-1])
    assert Path(package).is_relative_to(checkout) and Path(tasks).is_relative_to(checkout)
    return keys


@pytest.mark.slow
def test_comments_code_and_moved_modules_change_no_key(tmp_path):
    """On a copy of the source: only what is declared counts."""
    for name in ("prior_bench", "tasks", "baselines", "configs", "results/published"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    before = keys_of(tmp_path)
    changed = [
        tmp_path / name
        for name in (
            "tasks/classification.py",
            "tasks/zero_shot.py",
            "prior_bench/encoders/image.py",
            "prior_bench/pretraining/trainer.py",
            "prior_bench/features/extract.py",
            "prior_bench/data/images/decode.py",
            "prior_bench/data/images/cache/image_cache.py",
            "prior_bench/mock.py",
            "baselines/mgca/losses.py",
        )
    ]
    for file in changed:
        file.write_text(f"# a comment\n{file.read_text()}\nNEW = 1\n")
    for place in ("prior_bench.encoders.image", "prior_bench.mock", "baselines.convirt", "tasks.zero_shot"):
        old = tmp_path / f"{place.replace('.', '/')}.py"
        old.rename(old.with_name(f"moved_{old.name}"))
        package, _, name = place.rpartition(".")
        old.write_text(
            f"import sys\nfrom {package} import moved_{name}\nsys.modules[__name__] = moved_{name}\n"
        )
    (tmp_path / "prior_bench/encoders/left_behind.py").write_text("IMAGE = 'a stale file'\n")
    assert keys_of(tmp_path) == before
    task = tmp_path / "tasks/classification.py"
    task.write_text(task.read_text().replace("    version = 1\n", "    version = 2\n"))
    same = [True, True, False, True, True, True, True, True]
    assert [a == b for a, b in zip(keys_of(tmp_path), before, strict=True)] == same
    machinery = tmp_path / "prior_bench/versions.py"
    text = machinery.read_text()
    begin = text.index('"images": Machine(')
    machinery.write_text(text[:begin] + text[begin:].replace('")', '", version=2)', 1))
    # untrained weights alone do not depend on how images are read
    same = [True, False, False, False, False, True, False, False]
    assert [a == b for a, b in zip(keys_of(tmp_path), before, strict=True)] == same
