import inspect

import pytest
import torch
from mmengine.optim import OptimWrapper
from mmengine.registry import PARAM_SCHEDULERS
from torch import nn

from prior_bench.errors import BenchError
from prior_bench.openmmlab import recipe
from prior_bench.pretraining.config import Optimizer, load_config
from prior_bench.pretraining.optimisation import optim_wrapper, parameter_groups, scheduler
from prior_bench.pretraining.schedule import Schedule, Stage
from prior_bench.runtime import FUSED
from prior_bench.schema.protocol import OPTIMIZERS, TrainingOptimizer


def test_vectors_are_not_decayed_and_frozen_weights_left_out():
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2))
    model[2].weight.requires_grad_(False)
    groups = parameter_groups(model, Optimizer(lr=0.1, weight_decay=0.5, lr_scale={"0": 0.1}))
    found = {(round(group["lr"], 6), group["weight_decay"]): len(group["params"]) for group in groups}
    assert found == {(0.01, 0.5): 1, (0.01, 0.0): 1, (0.1, 0.0): 3}


def test_a_rate_for_parameters_that_do_not_exist_is_refused():
    model = nn.ModuleDict({"image_encoder": nn.Linear(2, 2), "text_encoder": nn.Linear(2, 2)})
    with pytest.raises(
        BenchError, match=r"(?s)lr_scale: unknown .* 'text_encodr'.*did you mean text_encoder"
    ):
        parameter_groups(model, Optimizer(lr_scale={"image_encoder": 1.0, "text_encodr": 0.1}))


@pytest.mark.parametrize(("device", "fused"), [("cuda", True), ("cuda:1", True), ("cpu", None)])
def test_on_a_gpu_the_optimiser_is_fused(device, fused):
    config = load_config("convirt_sample", {"precision": "float32"})
    wrapper = optim_wrapper(nn.Linear(2, 2), config, device)
    assert wrapper.optimizer.defaults["fused"] is fused
    for name, taken in (("SGD", fused), ("RAdam", None)):
        head = recipe.optim_wrapper(TrainingOptimizer(type=name, lr=0.1), device)["optimizer"]
        assert head.get("fused") is taken


def test_the_fused_optimisers_are_those_of_torch():
    def takes(name):
        return "fused" in inspect.signature(getattr(torch.optim, name)).parameters

    assert {name for name in OPTIMIZERS if takes(name)} == set(FUSED)


def rates_of(schedule, steps_per_epoch, steps):
    """The rate of every step; half way the scheduler is saved and loaded into a new one."""

    def start():
        wrapper = OptimWrapper(torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=2.0))
        config = scheduler(schedule, steps_per_epoch)
        return wrapper, PARAM_SCHEDULERS.build({**config, "optimizer": wrapper})

    found, (wrapper, built) = [], start()
    for step in range(steps):
        found.append(wrapper.param_groups[0]["lr"] / 2)
        if step == steps // 2:
            saved, (wrapper, built) = built.state_dict(), start()
            built.load_state_dict(saved)
        wrapper.step()
        built.step()
    return found


def test_warm_up_then_cosine():
    rates = rates_of(Schedule(epochs=5, warmup_epochs=0.5, warmup_factor=0.1, final_factor=0.01), 10, 50)
    assert rates[0] == pytest.approx(0.1) and rates[5] == pytest.approx(1.0)
    assert rates[:6] == sorted(rates[:6]) and rates[5:] == sorted(rates[5:], reverse=True)
    assert rates[27] == pytest.approx(0.505, abs=0.03)  # half way down
    assert rates[-1] == pytest.approx(0.01)


def test_every_stage_warms_up_again_to_its_own_peak():
    stages = (Stage(epochs=2), Stage(epochs=3, warmup_epochs=1, warmup_factor=0.5, lr_factor=0.2))
    rates = rates_of(Schedule(stages=stages), 4, 20)
    assert rates[0] == 1 and rates[7] == pytest.approx(0)
    assert rates[8] == pytest.approx(0.1) and rates[12] == pytest.approx(0.2)
    assert rates[12:] == sorted(rates[12:], reverse=True)
    assert Schedule(stages=stages).ends == [2, 5]
