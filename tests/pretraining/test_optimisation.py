import pytest
import torch
from mmengine.optim import OptimWrapper
from mmengine.registry import PARAM_SCHEDULERS
from torch import nn

from prior_bench.pretraining.config import Optimizer, Schedule
from prior_bench.pretraining.optimisation import parameter_groups, schedulers


def test_vectors_are_not_decayed_and_frozen_weights_left_out():
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2))
    model[2].weight.requires_grad_(False)
    groups = parameter_groups(model, Optimizer(lr=0.1, weight_decay=0.5, lr_scale={"0": 0.1}))
    found = {(round(group["lr"], 6), group["weight_decay"]): len(group["params"]) for group in groups}
    assert found == {(0.01, 0.5): 1, (0.01, 0.0): 1, (0.1, 0.0): 3}


def test_warm_up_then_cosine():
    parameter = nn.Parameter(torch.zeros(1))
    wrapper = OptimWrapper(torch.optim.SGD([parameter], lr=1.0))
    parts = schedulers(Schedule(epochs=5, warmup_epochs=0.5, warmup_factor=0.1, final_factor=0.01), 10)
    built = [PARAM_SCHEDULERS.build({**part, "optimizer": wrapper}) for part in parts]
    rates = []
    parameter.sum().backward()
    for _ in range(50):
        rates.append(wrapper.param_groups[0]["lr"])
        wrapper.step()
        for scheduler in built:
            scheduler.step()
    assert rates[0] == pytest.approx(0.1) and rates[5] == pytest.approx(1.0)
    assert rates[:6] == sorted(rates[:6]) and rates[5:] == sorted(rates[5:], reverse=True)
    assert rates[27] == pytest.approx(0.505, abs=0.03)  # half way down
    assert rates[-1] == pytest.approx(0.01, abs=0.01)
