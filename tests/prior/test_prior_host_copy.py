import copy

import torch
from tiny_prior import heads

from prior_bench.prior.host_copy import HostCopy


def test_a_stage_follows_whatever_changes_its_buffer():
    model, other = heads(stage=1), heads(stage=3)
    assert model.stage == 1
    model.load_state_dict(other.state_dict())
    assert model.stage == 3
    model._stage.copy_(torch.tensor(2))  # as a state within an epoch does
    assert model.stage == 2
    model._stage = torch.tensor(1)  # as moving to a device does
    assert model.stage == 1
    twin = copy.deepcopy(model)
    twin.stage = 3
    assert (model.stage, twin.stage) == (1, 3)


def test_a_value_is_read_once():
    class Counted(torch.Tensor):
        reads = 0

        def __int__(self):
            Counted.reads += 1
            return int(self.as_subclass(torch.Tensor))

    buffer, known = torch.tensor(5).as_subclass(Counted), HostCopy()
    assert [known.of(buffer) for _ in range(3)] == [5, 5, 5]
    assert Counted.reads == 1
