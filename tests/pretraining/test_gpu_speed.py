"""Settings of a GPU's arithmetic, which can be chosen and noted without one."""

from dataclasses import replace

import pytest
import torch
from tiny_methods import build

from prior_bench import runtime
from prior_bench.api import RunRecord
from prior_bench.errors import ErrorList
from prior_bench.pretraining import gpu_speed
from prior_bench.pretraining.beginning import computation
from prior_bench.pretraining.config import load_config
from prior_bench.report.runs.circumstances import differences


@pytest.fixture
def config():
    return load_config("convirt_sample")


def states():
    cuda, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    return cuda.allow_tf32, cudnn.allow_tf32, cudnn.benchmark


@pytest.mark.parametrize(
    "tf32, products, convolutions",
    [("none", False, False), ("convolutions", False, True), ("all", True, True)],
)
def test_a_gpu_computes_as_the_config_says_and_afterwards_as_before(config, tf32, products, convolutions):
    before, method = states(), build("convirt")
    wanted = replace(config, tf32=tf32, cudnn_benchmark=True, compile=True)
    with pytest.raises(ZeroDivisionError), gpu_speed.applied(wanted, method, "cuda"):
        assert states() == (products, convolutions, True)
        assert method.image_encoder._compiled_call_impl and method.text_encoder._compiled_call_impl
        raise ZeroDivisionError
    assert states() == before
    assert method.image_encoder._compiled_call_impl is method.text_encoder._compiled_call_impl is None


def test_a_cpu_computes_as_always(config):
    method, before = build("convirt"), states()
    with gpu_speed.applied(replace(config, tf32="all", cudnn_benchmark=True, compile=True), method, "cpu"):
        assert states() == before and method.image_encoder._compiled_call_impl is None
    assert computation(config, 2, "cpu") == {"processes": 2, "device": "cpu", "precision": "float32"}


def test_deterministic_algorithms_are_not_tried_out(config):
    with runtime.deterministic("cuda", on_gpu=True):
        with gpu_speed.applied(replace(config, cudnn_benchmark=True), build("convirt"), "cuda"):
            assert not torch.backends.cudnn.benchmark


@pytest.mark.parametrize("has, found", [(True, "bfloat16"), (False, "float16")])
def test_automatic_precision_is_what_the_gpu_has(config, monkeypatch, has, found):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: has)
    told = computation(replace(config, precision="auto", compile=True), 1, "cuda")
    assert told["precision"] == found and told["compile"] is True and told["tf32"] == "convolutions"
    assert computation(replace(config, precision="float32"), 1, "cuda")["precision"] == "float32"


def test_the_settings_are_in_no_identity_but_runs_that_differ_are_told(config):
    other = replace(config, tf32="none", cudnn_benchmark=True, compile=True)
    assert config.determining() == other.determining()
    assert {"tf32", "cudnn_benchmark", "compile"} & config.determining().keys() == set()

    def record(chosen):
        provenance = {"backbone": {"computed": [computation(chosen, 1, "cuda")]}}
        return RunRecord("key", "done", {}, provenance=provenance)

    found = differences([record(config)], [record(other)])
    assert found == [
        "TF32 of the pre-training: convolutions, none",
        "trials of cuDNN of the pre-training: no, yes",
        "compilation of the pre-training: no, yes",
    ]


def test_a_setting_that_is_none_is_named():
    with pytest.raises(ErrorList, match="tf32"):
        load_config("convirt_sample", {"tf32": "some"})


@pytest.mark.parametrize(
    "cores, processes, local, found", [(32, 1, "", 8), (32, 8, "", 4), (2, 4, "", 0), (16, 1, "8", 2)]
)
def test_a_gpu_has_its_share_of_the_cores_for_loading(monkeypatch, cores, processes, local, found):
    monkeypatch.setattr(runtime, "pick_device", lambda wish: "cuda:0")
    monkeypatch.setattr(runtime.os, "sched_getaffinity", lambda process: range(cores))
    monkeypatch.setenv("LOCAL_WORLD_SIZE", local)
    assert runtime.usual_workers("auto", processes) == found


def test_a_cpu_loads_by_itself():
    assert runtime.usual_workers("cpu", 1) == 0
