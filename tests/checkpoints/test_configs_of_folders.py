"""Configs of folders make no library fetch or run anything, and odd values are one message."""

import json

import pytest
import torch
from safetensors.torch import save_file

from prior_bench.api import InputSpec
from prior_bench.checkpoints.folders import encoder_of_folder, exposure_of_folder
from prior_bench.checkpoints.permitted import check_depth
from prior_bench.errors import BenchError
from prior_bench.libraries.open_clip.describe import describe as describe_open_clip
from prior_bench.model_folders.configs import check_folder_configs
from prior_bench.model_folders.growing_rules import check_growth, check_rules

TOWERS = dict(embed_dim=8, vision_cfg=dict(image_size=32), text_cfg=dict())


@pytest.mark.parametrize(
    "config, named",
    [
        ({"attn_implementation": "someone/kernels"}, "attn_implementation"),
        ({"vision_config": {"_attn_implementation": "a/b"}}, "_attn_implementation"),
        ({"parts": [{"trust_remote_code": True}]}, "trust_remote_code"),
        ({"backbone": "someone/model"}, "backbone"),
        ({"use_pretrained_backbone": True}, "use_pretrained_backbone"),
        ({"fast_tokenizer_files": ["../tokenizer.4.0.0.json"]}, "fast_tokenizer_files"),
        ({"configuration_files": ["config.4.0.0.json"]}, "configuration_files"),
    ],
)
def test_what_a_config_may_not_set(config, named):
    with pytest.raises(BenchError, match=f"folder: describes its model with keys .*: {named} in config.json"):
        check_folder_configs({"config.json": config}, "folder")
    check_folder_configs(
        {"config.json": {"attn_implementation": "sdpa", "trust_remote_code": False}}, "folder"
    )


@pytest.mark.parametrize(
    "text, named",
    [
        ({"tokenizer_kwargs": {"trust_remote_code": True}}, "trust_remote_code"),
        ({"tokenizer_kwargs": {"bpe_path": "/etc/passwd"}}, "bpe_path"),
        ({"tokenizer_kwargs": ["x"]}, "x"),
        ({"hf_model_name": "/somewhere"}, "/somewhere"),
        ({"hf_tokenizer_name": {"a": 1}}, "as a part of the model"),
    ],
)
def test_a_config_of_open_clip_gives_the_tokenizer_no_code(tmp_path, text, named):
    config = {"model_cfg": {**TOWERS, "text_cfg": text}}
    (tmp_path / "open_clip_config.json").write_text(json.dumps(config))
    with pytest.raises(BenchError, match=named):
        describe_open_clip(str(tmp_path))


@pytest.mark.parametrize(
    "config",
    [
        {"architecture": 3},
        {"architecture": "hf-hub:someone/model"},
        {"architecture": "resnet18", "model_args": "x"},
        {"architecture": "resnet18", "pretrained_cfg": [1]},
        {"architecture": "resnet18", "pretrained_cfg": {"input_size": 3}},
        {"architecture": "resnet18", "pretrained_cfg": {"input_size": []}},
        {"architecture": "resnet18", "pretrained_cfg": {"input_size": ["1", 2, 3]}},
        [],
        3,
    ],
)
def test_odd_values_of_a_config_are_one_message(tmp_path, config):
    save_file({"w": torch.ones(1)}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(BenchError, match=tmp_path.name):
        encoder_of_folder(tmp_path)


def test_only_training_data_in_our_form_are_read_from_a_folder(tmp_path):
    right = {"dataset": {"type": "csv", "root": "a.csv"}, "split_rule": "default", "splits": ["train"]}
    wrong = [3, {}, {"dataset": 3}, {"dataset": {"type": ["csv"]}}, {**right, "splits": 3}]
    told = {"training_data": [right, *wrong], "known_exposure": [["a", "b"], "c", [1, 2]]}
    (tmp_path / "config.json").write_text(json.dumps({"prior_bench": told}))
    assert exposure_of_folder(tmp_path) == {"training_data": [right], "known_exposure": [("a", "b")]}


def test_no_more_layers_than_tensors():
    check_depth({"model_args": {"depth": 12}, "layers": [3, 4, 6, 3]}, 152, "w")
    for odd in ({"a": [{"num_hidden_layers": 10**9}]}, {"depths": [2, 10**7]}):
        with pytest.raises(BenchError, match="the file has 152 tensors"):
            check_depth(odd, 152, "w")


def test_rules_that_make_texts_grow():
    grow = {"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}
    check_rules({"normalizer": {"type": "Sequence", "normalizers": [grow] * 3}}, "w")
    with pytest.raises(BenchError, match="may lengthen a text"):
        check_rules({"normalizer": {"type": "Sequence", "normalizers": [grow] * 40}}, "w")


@pytest.mark.parametrize(
    "odd",
    [
        *(dict(size=size) for size in (0, -1, 10**7, 2.5, "224", None, True)),
        *(dict(std=std) for std in (0, -0.1, float("nan"), 1e-9, 1e9, None, "x", [[1]])),
        *(dict(mean=mean) for mean in (float("inf"), 1e9, "x", [])),
        dict(channels=2),
        dict(channels="3"),
        dict(resize="x"),
        dict(resize_to=10**7),
    ],
)
def test_inputs_that_no_image_has(odd):
    with pytest.raises(BenchError):
        InputSpec(**odd)


def test_a_config_that_is_mostly_holes_or_has_millions_of_values_is_not_read(tmp_path):
    with open(tmp_path / "config.json", "wb") as file:
        file.truncate(40 << 20)
    with pytest.raises(BenchError, match="has 40 MiB"):
        encoder_of_folder(tmp_path)
    (tmp_path / "config.json").write_text('{"a": [' + "[]," * 2_000_000 + "[]]}")
    with pytest.raises(BenchError, match="commas and brackets"):
        encoder_of_folder(tmp_path)


def test_a_tokenizer_of_millions_of_values_is_not_read(tmp_path):
    (tmp_path / "tokenizer.json").write_text("[" + "[]," * 5_000_000 + "[]]")
    with pytest.raises(BenchError, match="commas and brackets"):
        check_growth(tmp_path)
