"""What several processes compute of one batch, against one process; all ranks are forked."""

import pytest
import torch
import torch.distributed as dist
from forked_ranks import in_ranks
from timm.layers import BatchNormAct2d, DropPath
from torch import nn

from prior_bench.errors import BenchError
from prior_bench.shares.draws import with_shared_draws
from prior_bench.shares.evaluated import DealtBatches, in_order, joined_results
from prior_bench.shares.gradients import add_up
from prior_bench.shares.replicas import digest_of
from prior_bench.shares.rows import whole, whole_list
from prior_bench.shares.share import BatchShare, begin_step, end_step, require_no_other_draws
from prior_bench.shares.statistics import SharedBatchNorm, with_shared_statistics

ROWS = 7  # three for one process, four for the other


class Net(nn.Module):
    """All that depends on the batch: statistics with and without an activation, and draws."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.drop = nn.Dropout2d(0.3)
        self.second = nn.Conv2d(4, 4, 3)
        self.act = BatchNormAct2d(4, act_layer=nn.SiLU)
        self.path = DropPath(0.4)
        self.still = nn.BatchNorm1d(4).eval()
        self.last = nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 2), nn.BatchNorm1d(2, momentum=None))

    def forward(self, images):
        maps = self.act(self.second(self.drop(self.norm(self.first(images)))))
        return self.last(self.still((maps + self.path(maps)).mean((2, 3))))


def model():
    torch.manual_seed(0)
    net = Net()
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.5)
    return net


def batch(rows=ROWS):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(rows, 1, 9, 9, generator=generator), torch.randn(rows, 2, generator=generator)


def loss_of(outputs, targets):
    """No mean over rows: it depends on the whole batch, as a Dice over all pixels does."""
    return -(outputs.sigmoid() * targets.abs()).sum() / (outputs.sigmoid().sum() + targets.abs().sum())


def trained_alone(rows=ROWS):
    net, (images, targets) = model(), batch(rows)
    torch.manual_seed(2)
    loss = loss_of(net(images), targets)
    loss.backward()
    return state(net, loss)


def trained_together(rows=ROWS, add=add_up):
    net, (images, targets) = model(), batch(rows)
    with_shared_draws(net)
    net = with_shared_statistics(net, "cpu")
    torch.manual_seed(2)
    share = begin_step(rows)
    outputs, own = whole(net(images[share.own])), whole_list([one for one in targets[share.own]])
    loss = loss_of(outputs, torch.stack(own))
    loss.backward()
    add(net.parameters())
    end_step()
    return state(net, loss)


def state(net, loss):
    gradients = {f"gradient of {name}": value.grad for name, value in net.named_parameters()}
    return {"loss": loss.detach(), **gradients, **dict(net.named_buffers())}


def close(found, want):
    return found.keys() == want.keys() and all(
        torch.allclose(found[name].double(), want[name].double(), rtol=1e-4, atol=1e-6) for name in want
    )


@pytest.mark.parametrize(("count", "rows"), [(2, ROWS), (3, ROWS), (3, 2)])
def test_loss_gradients_and_statistics_are_those_of_one_process(count, rows, tmp_path):
    """With unequal shares, and with one that is empty."""
    want = trained_alone(rows)
    for found in in_ranks(count, tmp_path, trained_together, rows):
        for name, value in want.items():
            torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-6, msg=name)


def averaged(parameters):
    """What DistributedDataParallel does."""
    for parameter in parameters:
        dist.all_reduce(parameter.grad)
        parameter.grad /= dist.get_world_size()


def test_gradients_that_are_averaged_over_processes_would_be_seen(tmp_path):
    found = in_ranks(2, tmp_path, trained_together, ROWS, averaged)[0]
    assert not close(found, trained_alone())


def test_the_layer_keeps_what_the_one_before_has():
    for layer in (nn.BatchNorm2d(3, eps=0.1, momentum=0.3), BatchNormAct2d(3, act_layer=nn.SiLU)):
        nn.init.normal_(layer.weight), nn.init.uniform_(layer.running_var, 0.5, 2)
        shared = SharedBatchNorm(layer)
        assert shared.state_dict().keys() == layer.state_dict().keys()
        assert all(one is other for one, other in zip(shared.parameters(), layer.parameters(), strict=True))
        images = torch.randn(2, 3, 4, 4)
        assert torch.equal(shared.eval()(images), layer.eval()(images))
        assert torch.equal(shared.train()(images), layer.train()(images))


def draws_alone():
    begin_step(4)
    torch.rand(1)
    try:
        with pytest.raises(BenchError, match="outside of dropout layers(.|\n)*gpus=1"):
            require_no_other_draws()
    finally:
        end_step()
    require_no_other_draws()


def test_other_draws_are_refused(tmp_path):
    draws_alone()


def wrong_rows():
    share = begin_step(5)
    with pytest.raises(ValueError, match="rows, and the share of process"):
        whole(torch.zeros(share.size + 1, 2))
    with pytest.raises(ValueError, match="values, and the share of process"):
        whole_list([0] * (share.size + 1))
    end_step()


def test_a_process_with_other_rows_than_its_share_is_refused(tmp_path):
    wrong_rows()


@pytest.mark.parametrize("rows", range(9))
def test_shares_are_all_rows_once_and_in_order(rows):
    for count in (1, 2, 3, 5):
        taken = [
            row for index in range(count) for row in range(rows)[BatchShare(rows, index, count).of(index)]
        ]
        assert taken == list(range(rows))


@pytest.mark.parametrize(("images", "drop"), [(0, False), (1, False), (11, False), (11, True), (12, True)])
def test_every_image_is_evaluated_once_in_the_batches_of_one_process(images, drop):
    alone = DealtBatches(images, 4, drop, 0, 1)
    assert alone.evaluated == (images - images % 4 if drop else images)
    dealt = [DealtBatches(images, 4, drop, index, 2) for index in range(2)]
    assert sorted(batch for one in dealt for batch in one) == list(alone)
    assert sorted(place for one in dealt for place in one.places()) == list(range(alone.evaluated))


def evaluated_together():
    dealt = DealtBatches(11, 4, False, dist.get_rank(), 2)
    return in_order(dealt.places(), [10 * place for batch in dealt for place in batch], 11)


def test_results_come_in_the_order_of_the_images(tmp_path):
    assert in_ranks(2, tmp_path, evaluated_together) == [[10 * place for place in range(11)]] * 2


def test_an_image_that_pads_the_last_batch_is_not_counted():
    """As a DistributedSampler pads: five images on two processes, the first one twice."""
    with pytest.raises(BenchError, match="image 0 was evaluated by two processes"):
        joined_results([([0, 2, 4], [0, 2, 4]), ([1, 3, 0], [1, 3, 0])], 5)
    with pytest.raises(BenchError, match="1 images were evaluated by no process, image 3 first"):
        joined_results([([0, 2, 4], [0, 2, 4]), ([1], [1])], 5)
    with pytest.raises(BenchError, match="2 results of 1 images"):
        joined_results([([0], [0, 1])], 1)


def test_a_hash_tells_weights_and_moments_apart():
    net = nn.Linear(2, 2)
    optimizer = torch.optim.Adam(net.parameters())
    first = digest_of(net, optimizer)
    assert first == digest_of(net, optimizer)
    net(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    assert digest_of(net, optimizer) != first
    moved = digest_of(net, optimizer)
    optimizer.state[net.weight]["exp_avg"] += 1
    assert digest_of(net, optimizer) != moved
