"""Validation while training: its numbers are those of the tasks, and training does not notice it."""

import json
import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from prior_bench.api import Backbone
from prior_bench.checkpoints.files import read_tensors
from prior_bench.checkpoints.native import read_info
from prior_bench.data.open import open_dataset
from prior_bench.errors import BenchError
from prior_bench.pretraining.config import from_dict
from prior_bench.pretraining.dataset import PairDataset, read_pairs
from prior_bench.pretraining.held_out import held_out_pairs, watched_pairs
from prior_bench.pretraining.identity import run_identity
from prior_bench.pretraining.model import build_method
from prior_bench.pretraining.trainer import pretrain
from prior_bench.pretraining.validation import Measurement, measurement
from prior_bench.suites import protocols
from tasks.retrieval import Retrieval
from tasks.zero_shot import ZeroShot


def history_of(path):
    return json.loads((path.parent / "history.json").read_text())


def opened(config):
    return open_dataset(config.data.dataset)


# --- it changes nothing ---------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["convirt", "released prior"])
def test_weights_are_the_same_with_and_without_validation(method, request, tmp_path):
    """With dropout in training and, of the released PRIOR, noise in evaluation: both draw random numbers."""
    values = request.getfixturevalue("watched_values" if method == "convirt" else "watched_prior")
    if method != "convirt":
        values["method"]["variant"] = "released"
    made = []
    for name, validation in (("on", values["validation"]), ("off", None)):
        config = from_dict({**values, "validation": validation})
        made.append(pretrain(config, tmp_path / name, seed=3, device="cpu"))
    on, off = (read_tensors(path) for path in made)
    assert [name for name in on if not torch.equal(on[name], off[name])] == []
    watched = [["valid/recall_at_5" in epoch for epoch in history_of(path)] for path in made]
    assert all(watched[0]) and not any(watched[1])
    assert len({read_info(path).provenance["identity"] for path in made}) == 1


def test_modes_and_random_states_are_restored(watched_prior):
    watched_prior["method"]["variant"] = "released"  # draws noise
    config = from_dict(watched_prior)
    pairs = read_pairs(config.data)
    method = build_method(config, pairs.corpus(), seed=0).train()
    method.stage = 3
    method.image_encoder.eval()  # not all alike
    modes = [part.training for part in method.modules()]
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()
    measure = measurement(config, method, opened(config), pairs, "cpu")
    first, second = measure(), measure()
    assert first == second and first["valid/recall_at_5"] > 0
    assert random.getstate() == before[0] and np.random.get_state()[1].tolist() == before[1]
    assert torch.equal(torch.get_rng_state(), before[2])
    assert [part.training for part in method.modules()] == modes
    assert all(parameter.grad is None for parameter in method.parameters())


def test_only_a_choice_of_epoch_enters_the_identity(watched_values, tmp_path):
    def identity(**validation):
        return run_identity(from_dict({**watched_values, "validation": validation}), "data", seed=0)

    assert identity() == identity(interval=3, pairs=8, prompts="sample")
    chosen = identity(choose="recall_at_5")
    assert chosen != identity()
    assert identity(choose="recall_at_5", interval=3) != chosen != identity(choose="recall_at_1")
    assert identity(choose="recall_at_5", prompts="sample") == chosen, "prompts do not choose here"
    (tmp_path / "own.json").write_text(json.dumps({"Edema": ["There is edema."]}))
    own = identity(choose="auroc", prompts=str(tmp_path / "own.json"))
    assert own != identity(choose="auroc", prompts="sample")
    (tmp_path / "own.json").write_text(json.dumps({"Edema": ["Edema is seen."]}))
    assert own != identity(choose="auroc", prompts=str(tmp_path / "own.json"))


# --- its numbers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["convirt", "gloria", "mgca"])
def test_values_are_those_of_the_tasks(watched_values, context, method, tmp_path):
    watched_values["method"]["type"] = method
    config, manifest = from_dict(watched_values), open_dataset(watched_values["data"]["dataset"])
    pairs = read_pairs(config.data, manifest)
    made = build_method(config, pairs.corpus(), seed=1)
    found = measurement(config, made, manifest, pairs, "cpu")()
    valid = replace(manifest.split("valid"), table=manifest.split("valid").table.assign(split="test"))
    backbone = Backbone("row", made.image_encoder, made, made.image_encoder.input, f"{method} of a test")

    retrieval = protocols.load("clean/retrieval")
    values = Retrieval().run(backbone, valid, retrieval, context).metrics
    names = [name for name in values if name.startswith(("recall", "median"))]
    assert len(names) == 12  # three recalls and the median rank, in both directions and on average
    assert {name: found[f"valid/{name}"] for name in names} == pytest.approx({n: values[n] for n in names})
    assert found["valid/pairs"] == 12

    paired = {"Edema": {"positive": ["There is edema."], "negative": ["There is no edema.", "Clear."]}}
    (tmp_path / "paired.json").write_text(json.dumps(paired))
    for prompt_set, normalise in (("sample", "whole_set"), (str(tmp_path / "paired.json"), "none")):
        options = {"prompts": prompt_set, "prompts_per_class": None, "normalise": normalise}
        zero_shot = protocols.load("clean/zero_shot", {"options": options})
        values = ZeroShot().run(backbone, valid, zero_shot, context).metrics
        validation = replace(config.validation, prompts=prompt_set)
        found = measurement(replace(config, validation=validation), made, manifest, pairs, "cpu")()
        for name in ("auroc", "accuracy"):
            assert found[f"valid/{name}"] == pytest.approx(values[name])


def test_equal_reports_tie(watched_values, tmp_path):
    """Two images with the same report: each finds it first or second, so half a hit at one."""
    config = from_dict({**watched_values, "validation": {}})
    pairs = read_pairs(config.data)
    held_out, _ = held_out_pairs(config, config.validation, opened(config))
    same = replace(held_out, texts=(held_out.texts[0],) * len(held_out))
    method = build_method(config, pairs.corpus(), seed=0)
    values = Measurement(same, method, None, "cpu")()
    assert values["valid/recall_at_1"] == pytest.approx(1 / 12)
    assert values["valid/median_rank/image_to_text"] == 6.5


# --- who is validated on --------------------------------------------------------------------------------


def test_held_out_patients_are_never_trained_on(watched_values):
    config = from_dict(watched_values)
    manifest = opened(config)
    # a patient in both splits, whose pairs must not count
    table = manifest.table.copy()
    valid = table.index[table["split"] == "valid"]
    table.loc[valid[0], "patient_id"] = table.loc[table["split"] == "train", "patient_id"].iloc[0]
    manifest = replace(manifest, table=table)
    held_out, why = held_out_pairs(config, config.validation, manifest)
    assert not why and len(held_out) == 11
    patients = table.set_index("id")["patient_id"]
    trained = PairDataset(read_pairs(config.data, manifest), lambda image: image)
    fed = {path for pair in trained.pairs for path in pair.images}
    of_image = {
        manifest.root / image: p for image, p in zip(table["image"], table["patient_id"], strict=True)
    }
    assert {patients[name] for name in held_out.ids}.isdisjoint(of_image[path] for path in fed)
    assert set(held_out.images).isdisjoint(fed)
    assert set(table.set_index("id").loc[list(held_out.ids), "split"]) == {"valid"}


def test_the_pool_is_drawn_by_its_own_seed_and_has_no_more_pairs_than_asked_for(watched_values):
    def ids(**validation):
        config = from_dict({**watched_values, "validation": validation})
        return held_out_pairs(config, config.validation, opened(config))[0].ids

    assert len(ids()) == 12 and len(ids(pairs=5)) == 5
    assert ids(pairs=5) == ids(pairs=5) != ids(pairs=5, seed=1)
    assert list(ids(pairs=5)) == sorted(ids(pairs=5))


def test_texts_are_what_the_config_feeds_without_drawing(watched_values):
    def texts(mode):
        data = {**watched_values["data"], "text": mode, "min_sentence_words": 3}
        config = from_dict({**watched_values, "data": data})
        return held_out_pairs(config, config.validation, opened(config))[0].texts

    whole = texts("report")
    assert texts("shuffled_sentences") == texts("random_sentences") == whole
    assert {len(text) for text in whole} == {2}  # "Study 40." is too short
    single = texts("random_sentence")
    assert single == texts("random_sentence") and {len(text) for text in single} == {1}
    assert all(text[0] in report for text, report in zip(single, whole, strict=True))


def test_of_a_study_the_frontal_image_is_taken(watched_values):
    config = from_dict(watched_values)
    manifest = opened(config)
    table = manifest.table.assign(view="lateral")
    table.loc[table.index[table["split"] == "valid"][::2], "study_id"] = "one study"
    frontal = table.index[table["study_id"] == "one study"][2]
    table.loc[frontal, "view"] = "PA"
    held_out, _ = held_out_pairs(config, config.validation, replace(manifest, table=table))
    assert len(held_out) == 7 and table.loc[frontal, "id"] in held_out.ids


def test_without_held_out_patients_training_pairs_are_watched(config):
    pairs, manifest = read_pairs(config.data), opened(config)
    watched, why = watched_pairs(config, manifest, pairs)
    assert not watched.held_out and why == "pairs has no 'valid' split"
    assert {path for path in watched.images} <= {path for pair in pairs.pairs for path in pair.images}
    method = build_method(config, pairs.corpus(), seed=0)
    measure = measurement(config, method, manifest, pairs, "cpu")
    assert measure.why == why
    values = measure()
    assert not any(name.startswith("valid/") for name in values)


def test_a_split_that_is_trained_on_validates_nothing(watched_values):
    data = {**watched_values["data"], "splits": ("train", "valid")}
    config = from_dict({**watched_values, "data": data, "validation": {}})
    assert held_out_pairs(config, config.validation, opened(config)) == (
        None,
        "the 'valid' split is trained on",
    )
    choosing = replace(config, validation=replace(config.validation, choose="recall_at_5"))
    with pytest.raises(
        BenchError, match=r"validation\.choose: needs held-out patients, but the 'valid' split"
    ):
        watched_pairs(choosing, opened(config), read_pairs(config.data))


def test_prompts_for_no_label_of_the_data_are_refused(watched_values, tmp_path):
    file = tmp_path / "other.json"
    file.write_text(
        json.dumps(dict(name="other", version=1, source="test", classes={"Nodule": ["a nodule"]}))
    )
    config = from_dict({**watched_values, "validation": dict(prompts=str(file))})
    with pytest.raises(BenchError, match="'other' knows no label of the pre-training data set"):
        pretrain(config, tmp_path / "run", device="cpu")


# --- when, and where it is told -------------------------------------------------------------------------


def test_the_last_epoch_of_every_stage_is_validated(watched_prior, tmp_path):
    watched_prior["validation"] = dict(interval=4)
    history = history_of(pretrain(from_dict(watched_prior), tmp_path / "run", device="cpu"))
    assert [epoch["epoch"] for epoch in history if "valid/recall_at_5" in epoch] == [2, 4, 6]
    assert [epoch["stage"] for epoch in history] == [1, 1, 2, 2, 3, 3]
    assert all("health/inverse_temperature/logit_scale" in epoch for epoch in history)


def test_values_are_printed_and_in_tensorboard(watched_values, tmp_path, capfd):
    config = from_dict(
        {**watched_values, "log": ("tensorboard",), "validation": dict(interval=2, prompts="sample")}
    )
    history = history_of(pretrain(config, tmp_path / "run", device="cpu"))
    lines = [line for line in capfd.readouterr().err.splitlines() if "validation" in line]
    assert [line.partition("  ")[0] for line in lines] == [
        "small seed 0 epoch 2/3 validation",
        "small seed 0 epoch 3/3 validation",
    ]
    assert f"Recall@5 {history[1]['valid/recall_at_5']:.3f}" in lines[0] and "AUROC" in lines[0]
    events = EventAccumulator(str(next((tmp_path / "run/tensorboard").glob("events*"))))
    events.Reload()
    told = {event.step: event.value for event in events.Scalars("valid/recall_at_5")}
    assert told == pytest.approx({n: history[n - 1]["valid/recall_at_5"] for n in (2, 3)})


def test_keys_are_checked(watched_values):
    for validation, message in (
        (dict(choose="recall_at_3"), r"validation\.choose"),
        (dict(choose="auroc"), "needs a prompt set"),
        (dict(prompts="samples"), "unknown prompt set 'samples'"),
        (dict(pairs=1), "at least 2"),
        (dict(interval=0), r"validation\.interval"),
        (dict(every=2), "unknown key 'every'"),
    ):
        with pytest.raises(BenchError, match=message):
            from_dict({**watched_values, "validation": validation})
    assert from_dict({**watched_values, "validation": None}).validation is None
