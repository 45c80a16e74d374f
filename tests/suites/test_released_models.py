"""The suite of all public models: complete, shown by its table, and helpful where nothing is here."""

import fake_parts
import pytest

from prior_bench import cli
from prior_bench.models.cards import model_cards
from prior_bench.report.tables.config import load_table
from prior_bench.store.store import Store
from prior_bench.suites.leakage import patient_space
from prior_bench.suites.plan import expand
from prior_bench.suites.scale import load_scale, with_data
from prior_bench.suites.suite import Suite, load_suite

MISSING = """
name = "tiny"
backbones = [
    dict(name="Here", type="fake"),
    dict(name="CheXzero", type="card", model="chexzero"),
    dict(name="On a hub", type="hf", model="ORG/NAME"),
    dict(name="A file", type="open_clip", model="ViT-B-32@gone.pt", input=dict(mean=0.5, std=0.5)),
]
evaluations = [dict(task="fake", data="fake", protocol="fake/plain")]
seeds = [0]
"""


@pytest.fixture(autouse=True)
def nothing_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    (tmp_path / "data/fake").mkdir(parents=True, exist_ok=True)


def test_every_card_is_a_row_under_its_title():
    rows = load_suite("released_models").backbones
    assert {row["type"] for row in rows} == {"card"}
    assert {row["model"]: row["name"] for row in rows} == {
        name: card.title for name, card in model_cards().items()
    }


def test_every_cell_is_a_column_and_every_column_a_cell():
    plan = expand(load_suite("released_models"), only=["backbone=CheXzero"], tolerate_absent=True)
    columns = load_table("released_models").columns
    specs = [run.spec.to_dict() for run in plan.runs]
    assert all(sum(column.takes(spec) for spec in specs) == 1 for column in columns)
    assert all(sum(column.takes(spec) for column in columns) == 1 for spec in specs)
    tasks = {spec["task"] for spec in specs}
    assert len(tasks) == 6 and len(plan.runs) == 18
    spaces = {patient_space(run.spec.data) for run in plan.runs}
    assert {"mimic_cxr", "chexpert", "nih_chestxray14"} <= spaces, "what models have seen is tested"


def test_a_dry_run_says_by_row_what_is_missing_and_where_it_is_had(capsys):
    only = [f"backbone={name}" for name in ("CheXzero", "RAD-DINO", "G2D", "CLIP, ViT-B/32 (OpenAI)")]
    arguments = [part for one in only for part in ("--only", one)]
    assert cli.main(["run", "released_models", "--dry-run", *arguments]) == 0
    text = capsys.readouterr().out
    assert "weights not there  CheXzero · classification · chexpert" in text
    assert "models/chexzero/chexzero.pt: the weights of CheXzero are not there" in text
    assert "https://drive.google.com/drive/folders/19YH2EALQTbkKXdJmKm3iaK8yPi9s1xc-" in text
    assert "hf download microsoft/rad-dino --local-dir " in text and "models/rad_dino; copy" in text
    assert "G2D cannot be loaded, and its embeddings are not there" in text
    assert "the weights 'openai' of ViT-B-32-quickgelu" in text
    assert "72 cells: 0 done, 0 to do, 72 cannot be run" in text


def test_rows_of_cards_are_kept_at_toy_scale():
    assert load_scale().kept == ["card"]
    suite = with_data(load_suite("released_models"), "sample")
    assert suite.backbones == load_suite("released_models").backbones
    assert all(str(entry["data"]["root"]).startswith("sample:") for entry in suite.evaluations)
    for entry in suite.evaluations:
        assert "transform" not in entry["overrides"], "each model takes images at its own size"


def test_whatever_is_here_runs_and_the_rest_is_named(parts, tmp_path, capsys):
    path = str(fake_parts.suite_config(tmp_path, MISSING))
    assert cli.main(["run", path]) == 1
    capsys.readouterr()
    assert cli.main(["run", path, "--dry-run"]) == 0
    text = capsys.readouterr().out
    assert text.count("weights not there") == 3 and "1 to do, 3 cannot be run" in text
    assert (
        "the model 'ORG/NAME' is not in the local cache" in text and "gone.pt: no such weights file" in text
    )
    assert cli.main(["run", path, "--skip-missing", "--device", "cpu"]) == 0
    said = capsys.readouterr()
    assert "1 run, 0 already done, 0 failed" in said.out
    assert said.err.count("missing: ") == 3 and "drive.google.com" in said.err
    assert len(Store.of("tiny").records()) == 1


def test_a_wrong_row_is_an_error_in_a_dry_run_too(parts):
    rows = [
        dict(name="A", type="card", model="chexzerro"),
        dict(name="B", type="card", model="chexzero", pool="cls"),
        dict(name="C", type="open_clip", model="ViT-B-32/opnai"),
    ]
    evaluations = [dict(task="fake", data="fake", protocol="fake/plain")]
    with pytest.raises(cli.BenchError) as caught:
        expand(Suite("s", rows, evaluations, [0]), tolerate_absent=True)
    text = str(caught.value)
    assert "did you mean chexzero" in text and "unknown key 'pool'" in text
    assert "unknown weights of ViT-B-32 'opnai'" in text
