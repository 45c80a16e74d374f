"""Signs of a collapse: their values by brute force, and a warning where one is planted and nowhere else."""

import math

import pytest
import torch
import torch.nn.functional as F
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from tiny_methods import batch, build
from tiny_prior import REPORTS, tiny_prior
from torch import nn

from prior_bench.api import PretrainBatch
from prior_bench.backbones.describe import as_text, describe
from prior_bench.backbones.native import native_backbone
from prior_bench.checkpoints.native import read_info
from prior_bench.pretraining.config import from_dict
from prior_bench.pretraining.health import (
    LikenessAcross,
    likeness_within,
    over_chance,
    temperatures,
    warnings_of,
)
from prior_bench.pretraining.schedule import Schedule, Stage
from prior_bench.pretraining.trainer import pretrain
from prior_bench.prior.health import bank_health

STAGED = Schedule(stages=(Stage(epochs=4, warmup_epochs=0.5), Stage(epochs=3), Stage(epochs=3)))
HEALTHY = {
    "health/prototype_share": 0.6,
    "health/image_likeness": 0.7,
    "health/text_likeness": 0.5,
    "health/inverse_temperature/logit_scale": 14.0,
    "health/loss_over_chance/loss_global": 0.8,
    "valid/recall_at_5": 0.4,
    "valid/pairs": 100,
}


def history(epochs=10, **changes):
    """Healthy epochs, with the values of some changed: ``name={epoch: value}``, / written as __."""
    found = [{"epoch": n, **HEALTHY} for n in range(1, epochs + 1)]
    for name, by_epoch in changes.items():
        for epoch, value in by_epoch.items():
            found[epoch - 1][name.replace("__", "/")] = value
    return found


def kinds(epochs, schedule=STAGED):
    return [(warning.kind, warning.epoch) for warning in warnings_of(epochs, schedule)]


# --- values ---------------------------------------------------------------------------------------------


def test_likeness_is_the_mean_over_pairs():
    generator = torch.Generator().manual_seed(0)
    local = torch.randn(3, 5, 4, generator=generator, dtype=torch.float64)
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 1, 0, 0, 0]]).bool()
    local[~mask] = math.nan  # padding may hold anything
    features = [F.normalize(one[real], dim=-1) for one, real in zip(local, mask, strict=True)]
    within = [
        sum((a @ b).item() for i, a in enumerate(one) for j, b in enumerate(one) if i != j)
        / (len(one) * (len(one) - 1))
        for one in features
    ]
    assert likeness_within(local, mask).tolist() == pytest.approx(within)
    across = [
        (a @ b).item()
        for i, one in enumerate(features)
        for k, other in enumerate(features)
        if i != k
        for a in one
        for b in other
    ]
    gathered = LikenessAcross()
    gathered.add(local[:2], mask[:2])
    gathered.add(local[2:], mask[2:])
    assert gathered.mean() == pytest.approx(sum(across) / len(across))
    assert likeness_within(torch.ones(2, 3, 4)).tolist() == pytest.approx([1, 1])
    assert math.isnan(LikenessAcross().mean()) and likeness_within(torch.ones(1, 1, 4)).isnan().all()


def test_learned_temperatures_are_found_by_their_name():
    method = build("convirt", temperature=0.05, learnable_temperature=True)
    assert temperatures(method) == pytest.approx(
        {"health/inverse_temperature/temperature.logit_scale": 20}, rel=1e-5
    )
    assert temperatures(build("gloria")) == {}
    assert len(temperatures(tiny_prior())) == 2


@pytest.mark.parametrize("kind", ["convirt", "gloria", "mgca", "prior"])
def test_losses_are_at_their_chance_level_where_nothing_is_learned(kind):
    """Encoders that give the same for everything cannot tell one text from another."""
    method = tiny_prior(stage=1) if kind == "prior" else build(kind)
    for name, module in method.named_modules():  # the last layers into the joint space
        if isinstance(module, nn.Linear) and not name.startswith(("text_encoder", "image_encoder")):
            nn.init.zeros_(module.weight)
            if module.bias is not None:
                nn.init.ones_(module.bias)
    if kind == "prior":
        pairs = PretrainBatch(torch.randn(3, 1, 64, 64), method.text_encoder.tokenizer(REPORTS))
    else:
        pairs = batch()
    method.eval()
    losses = {name: value.item() for name, value in method.loss(pairs).items()}
    shares = over_chance(method, losses, len(pairs.images))
    assert shares and list(shares.values()) == pytest.approx([1.0] * len(shares), abs=1e-5)


def test_the_use_of_prototypes_by_hand():
    method = tiny_prior(stage=2)
    text = method.text_encoder.tokenizer(REPORTS)
    batches = [PretrainBatch(torch.zeros(3, 1, 64, 64), text)]
    found = bank_health(method, batches)
    sentences, mask = method.sentences(method.text_encoder(text).tokens, text.sentence_index)
    choices = method.sentence_bank.query(sentences[mask]).argmax(-1).tolist()
    assert len(choices) == 6
    shares = [choices.count(c) / 6 for c in set(choices)]
    perplexity = math.exp(-sum(p * math.log(p) for p in shares))
    assert found["prototype_perplexity"] == pytest.approx(perplexity)
    assert found["prototype_share"] == pytest.approx(perplexity / 5)  # "No effusion." occurs twice
    method.sentence_bank.embed.weight.data[0] = 100 * sentences[mask].mean(0)
    method.sentence_bank.embed.weight.data[1:] *= 1e-3
    assert bank_health(method, batches)["prototype_perplexity"] == pytest.approx(1)
    assert bank_health(tiny_prior(stage=1), batches) == bank_health(tiny_prior(prototypes=0), batches) == {}


# --- warnings -------------------------------------------------------------------------------------------


def test_a_healthy_history_gives_no_warning():
    assert warnings_of(history(), STAGED) == []
    limits = {
        "health__prototype_share": {6: 0.1},
        "health__image_likeness": {3: 0.99},
        "health__inverse_temperature__logit_scale": {2: 1.0, 3: 110.0},
    }
    assert warnings_of(history(**limits), STAGED) == []


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("prototype_share", 0.0999, "10.0% of those that could be in use"),
        ("image_likeness", 0.9951, "mean cosine is 0.9951, above 0.99"),
        ("text_likeness", 0.9951, "mean cosine between different texts is 0.9951"),
        ("inverse_temperature/logit_scale", 111.0, "1/T is 111, not between 1 and 110 (logit_scale)"),
        ("inverse_temperature/logit_scale", 0.98, "1/T is 0.98, not between 1 and 110 (logit_scale)"),
    ],
)
def test_each_limit_warns_once_of_the_first_epoch(name, value, text):
    found = warnings_of(history(**{f"health/{name}": {6: value, 7: value, 9: value}}), STAGED)
    assert [(one.kind, one.epoch) for one in found] == [(name, 6)]
    assert text in found[0].text and str(found[0]).startswith("epoch 6: ")


def test_warnings_do_not_depend_on_the_order_of_keys():
    """A history that was read from a file has another one; a resumed run must equal an undisturbed one."""
    epochs = history(health__prototype_share={6: 0.01}, health__image_likeness={6: 1.0})
    turned = [dict(reversed(epoch.items())) for epoch in epochs]
    assert warnings_of(epochs, STAGED) == warnings_of(turned, STAGED) != []


def test_a_loss_at_its_chance_level_needs_five_epochs_after_the_warm_up():
    schedule = Schedule(stages=(Stage(epochs=7, warmup_epochs=0.5), Stage(epochs=7)))
    name = "health__loss_over_chance__loss_global"
    warned = "loss_over_chance/loss_global"

    def found(values):
        return kinds(history(14, **{name: values}), schedule)

    at = {n: 0.995 for n in range(1, 7)}
    assert found(at) == [(warned, 6)]  # epoch 1 warms up
    assert found({n: at[n] for n in range(1, 6)}) == []
    assert found({**at, 4: 0.98}) == found({**at, 4: 1.02}) == []
    assert found({n: 1.0 for n in range(5, 12)}) == []  # four epochs of the second stage
    assert found({n: 1.005 for n in range(5, 13)}) == [(warned, 12)]
    assert "for 5 epochs" in warnings_of(history(14, **{name: at}), schedule)[0].text


def test_retrieval_that_falls_below_an_earlier_stage():
    # 0.4 of 100 pairs: a standard error is 0.049, so 0.302 is the limit
    name = "valid__recall_at_5"
    assert kinds(history(**{name: {6: 0.31}})) == []
    assert kinds(history(**{name: {1: 0.1, 3: 0.0}})) == []  # within the first stage it may do as it likes
    found = warnings_of(history(**{name: {6: 0.3, 7: 0.3, 10: 0.05}}), STAGED)
    assert [(one.kind, one.epoch) for one in found] == [
        ("retrieval_of_stage_2", 6),
        ("retrieval_of_stage_3", 10),
    ]
    assert "fell from 0.400 at the end of stage 1 to 0.300 in stage 2" in found[0].text
    without = history(**{name: {6: 0.3}})
    del without[3]["valid/recall_at_5"]
    assert kinds(without) == []


# --- in a run -------------------------------------------------------------------------------------------


@HOOKS.register_module()
class Collapse(Hook):
    """Spoils weights: all local features and prototypes alike, a temperature that ran away."""

    def after_train_epoch(self, runner):
        method = runner.model.method
        if runner.epoch < 2:
            return
        for layer in (method.local_image_projection, method.local_text_projection):
            layer.weight.data.zero_()
            layer.bias.data.fill_(1.0)
        method.sentence_bank.embed.weight.data[0] = 10.0
        method.logit_scale.data.fill_(math.log(500))


def test_a_planted_collapse_is_warned_of_once_and_stops_nothing(watched_prior, tmp_path, capfd):
    watched_prior["hooks"].append(dict(type="Collapse", priority="ABOVE_NORMAL"))
    watched_prior["method"]["prototypes"] = 12
    path = pretrain(from_dict(watched_prior), tmp_path / "run", seed=3, device="cpu")
    told = [line for line in capfd.readouterr().err.splitlines() if line.startswith("warning")]
    info = read_info(path)
    expected = {"image_likeness", "text_likeness", "prototype_share", "inverse_temperature/logit_scale"}
    found = warnings_of(info.provenance["history"], from_dict(watched_prior).schedule)
    assert {one.kind for one in found} >= expected
    planted = {"prototype_share", "inverse_temperature/logit_scale"}  # small networks start alike
    assert {one.epoch for one in found if one.kind in planted} == {3}
    texts = [str(one) for one in found]
    assert info.provenance["warnings"] == texts
    assert told == [f"warning: small seed 0 {text}".replace("seed 0", "seed 3") for text in texts]
    assert "the prototypes have collapsed" in (tmp_path / "run/pretrain.log").read_text()
    assert native_backbone("row", path, "identity").provenance["warnings"] == texts
    shown = as_text(describe(path))
    assert all(f"warning   {text}" in shown for text in texts)
    assert len(info.provenance["history"]) == 6


def test_a_healthy_run_is_told_so(watched_values, tmp_path, capfd):
    watched_values["method"]["type"] = "mgca"
    watched_values |= dict(schedule=dict(epochs=4), optimizer=dict(lr=2e-3))
    path = pretrain(from_dict(watched_values), tmp_path / "run", seed=3, device="cpu")
    assert "warning" not in capfd.readouterr().err
    info = read_info(path)
    assert info.provenance["warnings"] == []
    assert {"health/image_likeness", "health/text_likeness"} <= info.provenance["history"][-1].keys()
    assert "warning   none while training" in as_text(describe(path))
