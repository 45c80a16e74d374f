"""Evaluations on patients that were trained on are refused, or allowed and said so in the table."""

import json
from dataclasses import replace

import fake_parts
import pandas as pd
import pytest

from prior_bench import cli
from prior_bench.backbones.checkpoint import CheckpointFile
from prior_bench.backbones.pretrained import Pretrained
from prior_bench.checkpoints.layouts import known_layouts
from prior_bench.checkpoints.native import save_image_encoder
from prior_bench.data.manifest import Manifest
from prior_bench.data.readers.siim_acr import reader as siim_acr
from prior_bench.data.references import resolve
from prior_bench.encoders.image import ImageEncoder
from prior_bench.engine.execute import evaluate
from prior_bench.errors import ErrorList
from prior_bench.registry import BACKBONES, DATASETS
from prior_bench.report.runs.reported_runs import reported_runs
from prior_bench.report.tables.render import render
from prior_bench.report.tables.table import build_table, table_of_entries
from prior_bench.store.store import Store
from prior_bench.suites import leakage
from prior_bench.suites.leakage import leaks_of_pretraining, leaks_of_training, patient_space
from prior_bench.suites.plan import expand
from prior_bench.suites.suite import load_suite

SUITE = """
name = "tiny"
backbones = [dict(name="Clean", type="fake"), dict(name="Seen", type="trained", splits=("train", "test"))]
evaluations = [dict(task="fake_text", data="fake", protocol="fake/text")]
seeds = [0]
"""


def read_torn(root, *, split="default") -> Manifest:
    """A split that tears the last training patient apart."""
    made = fake_parts.read_fake(root)
    parts = ["train" if row < 5 else "test" for row in range(10)]
    return replace(made, name="torn", table=made.table.assign(split=parts))


class Trained(fake_parts.FakeBackbone):
    """Trained on the fake data set."""

    def __init__(self, name, splits=("train",), dataset="fake"):
        super().__init__(name, value=2.0)
        self.splits, self.dataset = splits, dataset

    def training_data(self):
        return [{"dataset": self.dataset, "split_rule": "default", "splits": list(self.splits)}]


@pytest.fixture(autouse=True)
def trained(tmp_path):
    BACKBONES.register_module("trained", force=True, module=Trained)
    DATASETS.register_module("torn", force=True, module=read_torn)
    for name in ("fake", "torn"):
        (tmp_path / "data" / name).mkdir(parents=True)
    leakage._seen.cache_clear()


def suite_of(tmp_path, text=SUITE):
    return load_suite(str(fake_parts.suite_config(tmp_path, text)))


def test_test_patients_of_pretraining_are_refused_with_the_way_out(tmp_path):
    with pytest.raises(ErrorList) as caught:
        expand(suite_of(tmp_path))
    message = str(caught.value)
    assert "1 problem(s), nothing was run" in message
    assert (
        "backbone 'Seen' on fake, rule 'default': 2 of 2 test patients were seen in pre-training on fake"
        in message
    )
    assert "--allow-leakage, or allow_leakage = True" in message


def test_training_on_other_patients_is_no_leak(tmp_path):
    plan = expand(suite_of(tmp_path, SUITE.replace('("train", "test")', '("train",)')))
    assert [run.leaks for run in plan.runs] == [(), ()]


def test_allowed_leaks_are_recorded_and_printed_under_the_table(tmp_path):
    plan = expand(suite_of(tmp_path, SUITE + "allow_leakage = True"))
    store = Store.of("tiny")
    evaluate(plan, store, device="cpu", say=lambda line: None)
    told = {r.spec["backbone"]["name"]: r.provenance.get("leakage") for r in store.records().values()}
    assert told == {"Clean": None, "Seen": ["2 of 2 test patients were seen in pre-training on fake"]}
    table = build_table(table_of_entries("tiny", "Tiny", reported_runs([store])), [store])
    sentence = "Leakage: Seen on fake: 2 of 2 test patients were seen in pre-training on fake."
    assert table.notes.count(sentence) == 1
    assert all(sentence in render(table, style) for style in ("markdown", "html"))
    assert sentence in json.loads(render(table, "json"))["notes"]


def test_the_option_of_the_command_allows_it(tmp_path, capsys):
    path = str(fake_parts.suite_config(tmp_path, SUITE))
    assert cli.main(["run", path, "--dry-run"]) == 1
    assert "were seen in pre-training" in capsys.readouterr().err
    assert cli.main(["run", path, "--dry-run", "--allow-leakage"]) == 0


def test_an_evaluation_that_trains_on_its_test_patients_is_refused_once_for_all_rows(tmp_path):
    text = SUITE.replace("fake_text", "fake").replace('data="fake"', 'data="torn"')
    with pytest.raises(ErrorList) as caught:
        expand(suite_of(tmp_path, text.replace("fake/text", "fake/plain").replace('("train", "test")', "()")))
    assert [error.what for error in caught.value.errors] == ["1 of 3 test patients are in the training split"]


def test_tasks_that_train_on_nothing_may_use_a_torn_split(tmp_path):
    torn = read_torn(tmp_path)
    assert leaks_of_training(fake_parts.FakeTextTask(), torn) == []
    assert len(leaks_of_training(fake_parts.FakeTask(), torn)) == 1


def test_a_task_that_looks_at_no_patient_cannot_leak(tmp_path, monkeypatch):
    monkeypatch.setattr(fake_parts.FakeTextTask, "needs", ())
    assert [run.leaks for run in expand(suite_of(tmp_path)).runs] == [(), ()]


def test_identifiers_are_compared_within_one_space_only():
    expected = {
        "mimic_cxr": "mimic_cxr",
        "mimic_5x200": "mimic_cxr",
        "chexpert": "chexpert",
        "chexpert_5x200@there": "chexpert",
        "sample:mimic_cxr": "synthetic mimic_cxr",
        "openi": "openi",
    }
    assert {name: patient_space(resolve(name)) for name in expected} == expected
    assert patient_space(resolve("one/a.csv")) != patient_space(resolve("two/a.csv"))


def test_data_that_cannot_be_looked_at_is_a_remark(tmp_path):
    (tmp_path / "data" / "fake").rmdir()
    data, manifest = resolve("fake"), read_torn(tmp_path)
    (leak,) = leaks_of_pretraining(Trained("Gone"), data, manifest)
    assert not leak.certain
    assert "cannot be looked at (no such file or folder)" in leak.text


def test_what_is_known_of_released_weights_is_a_remark_on_that_data_only(tmp_path):
    source = fake_parts.FakeBackbone("Released")
    source.known_exposure = lambda: [("fake", "its training had all of it"), ("mimic_cxr", "and that")]
    manifest = read_torn(tmp_path)
    found = leaks_of_pretraining(source, resolve("fake"), manifest)
    assert [(leak.text, leak.certain) for leak in found] == [("its training had all of it", False)]
    assert leaks_of_pretraining(source, resolve("torn"), manifest) == []


def test_manifests_without_a_test_split_have_nothing_to_leak(tmp_path):
    whole = read_torn(tmp_path)
    table: pd.DataFrame = whole.table.assign(split="train")
    nothing = replace(whole, table=table)
    assert leaks_of_training(fake_parts.FakeTask(), nothing) == []
    assert leaks_of_pretraining(Trained("Seen"), resolve("fake"), nothing) == []


def test_a_row_trained_here_and_a_checkpoint_of_ours_say_what_they_were_trained_on(tmp_path):
    expected = {"split_rule": "default", "splits": ("train",)}
    (told,) = leakage._training_data(Pretrained("ConVIRT", "convirt_sample"))
    assert told.items() >= expected.items() and told["dataset"]["type"] == "mimic_cxr"
    encoder = ImageEncoder("resnet18", model_args={"layers": (1, 1, 1, 1), "channels": (4, 4, 4, 4)})
    data = {"dataset": "fake", "split_rule": "default", "splits": ["train", "test"]}
    path = save_image_encoder(tmp_path / "ours.safetensors", encoder, {"config": {"data": data}})
    found = leaks_of_pretraining(
        CheckpointFile("Ours", str(path)), resolve("fake"), fake_parts.read_fake(tmp_path)
    )
    assert [leak.text for leak in found] == ["2 of 2 test patients were seen in pre-training on fake"]
    without = save_image_encoder(tmp_path / "bare.safetensors", encoder, {})
    assert CheckpointFile("Bare", str(without)).training_data() == []


def test_the_layouts_of_prior_say_that_it_has_seen_all_of_mimic():
    layouts = [layout for layout in known_layouts() if layout.name.startswith("PRIOR")]
    assert len(layouts) == 2
    for layout in layouts:
        ((data, clause),) = layout.exposure
        assert data == patient_space(resolve("mimic_5x200")) and "test splits included" in clause


def test_layouts_know_what_their_files_have_seen_as_their_cards_do():
    from prior_bench.models.cards import model_card

    wanted = {
        "GLoRIA, ResNet-50": "gloria",
        "MGCA, ResNet-50": "mgca_r50",
        "MGCA, ViT-B/16": "mgca_vit",
        "ConVIRT (MGCA repository), ResNet-50": "convirt_mgca_r50",
        "ConVIRT (MGCA repository), ViT-B/16": "convirt_mgca_vit",
        "ConVIRT (edreisMD), ResNet-50": "convirt_edreis",
    }
    layouts = {layout.name: layout for layout in known_layouts()}
    for name, card in wanted.items():
        assert dict(layouts[name].exposure) == model_card(card).trained_on, name
    assert [data for data, _ in layouts["GLoRIA, ResNet-50"].exposure] == ["chexpert"]
    assert layouts["ConVIRT (edreisMD), ResNet-50"].exposure == (), "nobody says what it has seen"


def test_the_splits_of_papers_that_tear_images_apart_are_found(tmp_path):
    """SIIM-ACR by regions, as released by MGCA: an image with several regions is on both sides."""
    lines = [f"image{i % 40}, {10 * i} 5" for i in range(120)]
    (tmp_path / "train-rle.csv").write_text("\n".join(["ImageId, EncodedPixels", *lines]))
    for i in range(40):
        place = tmp_path / "dicom-images-train" / "a" / str(i) / f"image{i}.dcm"
        place.parent.mkdir(parents=True)
        place.write_bytes(b"")
    (leak,) = leaks_of_training(fake_parts.FakeTask(), siim_acr.read(tmp_path, split="mgca"))
    assert leak.text.endswith("test patients are in the training split")
    assert leaks_of_training(fake_parts.FakeTask(), siim_acr.read(tmp_path)) == []
