"""What is said after pre-training: commands on the data that were trained on."""

import shlex

import pandas as pd
import pytest

from prior_bench.checkpoints import native
from prior_bench.public import next_steps as module
from prior_bench.public.next_steps import next_steps


@pytest.fixture
def said(monkeypatch):
    """Lines for a checkpoint of a config's data section."""

    def lines(dataset, split_rule="default", splits=("train",)):
        data = {"dataset": dataset, "split_rule": split_rule, "splits": list(splits)}
        info = native.NativeInfo({}, "", {}, {"config": {"data": data}})
        monkeypatch.setattr(native, "read_info", lambda path: info)
        return next_steps("my run/model.safetensors")

    return lines


def test_tasks_that_the_data_allow_are_named_with_their_reference(my_csv, said):
    lines = said(my_csv)
    named = {shlex.split(line)[2] for line in lines}
    assert named == {"classification", "retrieval", "zero_shot"}  # no boxes, no masks
    for line in lines:
        assert shlex.split(line)[3:] == ["--backbone", "my run/model.safetensors", "--data", "my.csv"]


def test_labels_without_prompts_are_said_to_need_some(my_csv, said):
    pd.read_csv(my_csv).rename(columns={"Edema": "oedema", "Pleural Effusion": "water"}).to_csv(
        "my.csv", index=False
    )
    (zero_shot,) = [line for line in said("my.csv") if "zero_shot" in line]
    assert zero_shot.endswith(
        "--prompts FILE.json  # a file of prompts for oedema or water: docs/own_pairs.md"
    )


def test_without_labels_there_is_retrieval(my_csv, said):
    pd.read_csv(my_csv)[["image", "report", "patient_id", "split"]].to_csv("my.csv", index=False)
    (line,) = said("my.csv")
    assert line.startswith("prior-bench eval retrieval ")


def test_options_split_rule_and_what_was_trained_on_are_kept(my_csv, said):
    dataset = {"type": "csv", "name": "my", "root": "my.csv", "missing": "skip", "reports": {"min_tokens": 1}}
    arguments = shlex.split(said(dataset, "by_patient", ("train", "test"))[0])
    assert arguments[5:7] == ["--data", "my.csv"]
    assert arguments[7:11] == ["--option", "missing=skip", "--option", "reports={'min_tokens': 1}"]
    assert arguments[11:] == ["--set", "split.rule=by_patient", "--allow-leakage"]


def test_data_without_a_test_split_say_so(my_csv, said):
    pd.read_csv(my_csv).assign(split="train").to_csv("my.csv", index=False)
    assert said("my.csv") == ["my has no test split to evaluate on (rule 'default')"]


def test_data_sets_by_name_and_folder_are_named_as_they_were(said):
    given = {"dataset": {"type": "mimic_cxr", "root": "mimic"}, "split_rule": "default", "splits": ["train"]}
    assert module._on_the_command_line(given) == "--data mimic_cxr@mimic"
    given["dataset"] = {"type": "mimic_cxr", "root": "sample:mimic_cxr", "name": "mimic_cxr (synthetic)"}
    assert module._on_the_command_line(given) == "--data sample:mimic_cxr"
    given["dataset"] = "mimic_cxr@/data/mimic"
    assert module._on_the_command_line(given) == "--data mimic_cxr@/data/mimic"


def test_a_checkpoint_that_tells_nothing_has_no_next_steps(monkeypatch):
    monkeypatch.setattr(native, "read_info", lambda path: None)
    assert next_steps("model.pt") == []
