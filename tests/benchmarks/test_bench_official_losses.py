import sys

import pytest
import torch
from torch import nn

from benchmarks import against_official
from benchmarks.measuring import products
from benchmarks.official import imports, losses
from benchmarks.official.losses import HEADER, LOSS, LossCase, check, outcome

LOCAL_LOSS = """
import torch
from torch.nn.functional import cosine_similarity, cross_entropy

def local_loss(maps, words, lengths, first, second, third):
    rows = []
    for image in maps.flatten(2):
        row = []
        for text, count in zip(words, lengths):
            word = text[:, :count]
            shares = (first * (word.T @ image).softmax(0)).softmax(1)
            row.append((second * cosine_similarity(image @ shares.T, word, dim=0)).logsumexp(0))
        rows.append(torch.stack(row))
    scores, partner = third * torch.stack(rows), torch.arange(len(rows))
    return cross_entropy(scores, partner) * FACTOR, cross_entropy(scores.T, partner), None
"""


@pytest.fixture(autouse=True)
def same_modules(monkeypatch):
    """What the command imports or puts in place is gone afterwards."""
    before = dict(sys.modules)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield
    for name in sys.modules.keys() - before.keys():
        del sys.modules[name]
    sys.modules.update(before)


@pytest.fixture
def gloria(tmp_path):
    """A function that writes a repository with the loss of GLoRIA's name, one direction times a factor."""

    def write(factor):
        file = tmp_path / "gloria/loss/gloria_loss.py"
        file.parent.mkdir(parents=True)
        file.write_text(f"FACTOR = {factor}\n{LOCAL_LOSS}")
        return ["losses", "--checkout", f"gloria={tmp_path}", "--small", "--batch", "3", "--repeats", "2"]

    return write


def test_losses_that_agree_are_timed(gloria, capsys):
    against_official.main(gloria(1.0))
    header, _, row = capsys.readouterr().out.splitlines()
    cells = dict(zip(HEADER, (cell.strip() for cell in row.strip("|").split("|")), strict=True))
    assert header == f"| {' | '.join(HEADER)} |"
    assert cells["loss"] == "GLoRIA, local" and cells["size"].startswith("B=3, 361 regions")
    numbers = [float(cell.replace(",", "")) for cell in list(cells.values())[2:]]
    assert all(number > 0 for number in numbers[:5])
    # the loop dispatches more, our Gram matrix multiplies more where there are few channels
    assert int(cells["operators, official"]) > int(cells["operators, ours"])
    assert torch.get_default_dtype() == torch.float32


def test_losses_that_differ_are_refused(gloria, capsys):
    with pytest.raises(SystemExit) as stop:
        against_official.main(gloria(1.001))
    assert str(stop.value).startswith(f"GLoRIA, local: {LOSS} differs") and "not timed" in str(stop.value)
    assert not capsys.readouterr().out and torch.get_default_dtype() == torch.float32


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give --checkout prior=FOLDER --checkout gloria=FOLDER --checkout mgca=FOLDER"),
        (["--checkout", "benchx=."], "--checkout benchx=.: the name must be one of prior, gloria, mgca"),
        (["--checkout", "mgca=no-such-folder"], "no such folder"),
    ],
)
def test_what_is_wrong_with_checkouts_is_said(arguments, message, capsys):
    with pytest.raises(SystemExit):
        against_official.main(["losses", *arguments])
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("name", ["prior", "gloria", "mgca"])
def test_a_folder_that_is_no_checkout_is_refused(name, tmp_path):
    with pytest.raises(SystemExit, match=r"\.py does not exist: --checkout must name the"):
        against_official.main(["losses", "--checkout", f"{name}={tmp_path}"])


# --- other drivers, on a module that computes what ours does ----------------------------------------------

MGCA = """
import torch
import torch.nn.functional as F
from benchmarks.official.losses_mgca import loss
from einops import rearrange
from mgca.models.backbones.encoder import BertEncoder, ImageEncoder
from pytorch_lightning import LightningModule

torch.autograd.set_detect_anomaly(True)

class MGCA(LightningModule):
    def __init__(self, img_encoder, emb_dim, num_prototypes, **kwargs):
        super().__init__()
        self.save_hyperparameters()
        assert self.hparams.gpus == 0 and img_encoder == "resnet_50"
        self.img_encoder_q, self.text_encoder_q = ImageEncoder(), BertEncoder()
        self.prototype_layer = torch.nn.Linear(emb_dim, num_prototypes, bias=False)

    def forward(self, batch, number):
        image, patches = self.img_encoder_q(batch["imgs"])
        report, words, attention, pieces = self.text_encoder_q(batch["caption_ids"])
        mask = torch.tensor([[piece != "[PAD]" for piece in row[1:]] for row in pieces])
        assert (attention > 0).equal(mask)
        value = loss(image, patches, report, words, self.prototype_layer.weight, attention, mask)
        attention.zero_()
        return FACTOR * value, 0 * value, 0 * value, None, None
"""

PRIOR = """
import torch
from benchmarks.official.losses_prior import heads, total
from benchmarks.prior_inputs import Inputs, make_model
from prior.decoders import sentence
from prior_bench.prior.injected import Injected
from torch.nn.utils.rnn import pad_sequence

class Prior(torch.nn.Module):
    def __init__(self, text_encoder, image_encoder, gpus, embed_dim, spb_k, **options):
        super().__init__()
        model = make_model(embed_dim, 1, variant="released")
        assert sentence.AutoConfig.from_pretrained("any").hidden_size == embed_dim
        self.__dict__.update(text=text_encoder, image=image_encoder, model=model, entries=spb_k)
        for name, child in model.named_children():
            setattr(self, name, child)
        self.prototype_queries, self.logit_scale = model.prototype_queries, model.logit_scale
        self.local_logit_scale = model.local_logit_scale
        for weight in self.parameters():
            torch.nn.init.ones_(weight)  # until ours are loaded

    def gumbel(self, counts):
        flat = -torch.empty(sum(counts), self.entries).exponential_().log()
        return pad_sequence(flat.split(counts), batch_first=True)

    def step(self, batch, stage):
        self.model.stage = stage
        patches, pooled, _ = self.image(batch["image"], return_features=True)
        index = batch["text_meta"]["sentence_index"]
        counts = index.amax(1).tolist()
        noise, decoded = self.gumbel(counts), self.gumbel(counts)
        decoded = torch.nn.functional.pad(decoded, (0, 0, 0, 16 - decoded.shape[1]))
        inputs = Inputs(pooled, patches, self.text(None)["last_hidden_state"], index, batch["image"], None)
        order = torch.arange(16).flip(0).expand(len(index), 16)
        if stage == 3:
            order = torch.stack([torch.from_numpy(self.matching_label(row)[1]) for row in order])
        terms = heads(self.model, inputs._replace(injected=Injected(noise, decoded, order)))
        return None, {f"stage{stage}_loss": FACTOR * total(self.model, terms)}

    def matching_label(self, row):
        return None, row.numpy()

    def stage1_step(self, batch):
        return self.step(batch, 1)

    def stage2_step(self, batch):
        return self.step(batch, 2)

    def stage3_step(self, batch):
        return self.step(batch, 3)
"""


@pytest.fixture
def checkout(tmp_path):
    """A function that writes a repository whose numbers are ours times a factor."""

    def write(name, factor):
        text, file = {
            "mgca": (MGCA, "mgca/models/mgca/mgca_module.py"),
            "prior": (PRIOR, "codes/prior/models/prior.py"),
        }[name]
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).write_text(f"FACTOR = {factor}\n{text}")
        (tmp_path / "codes/prior/decoders").mkdir(parents=True, exist_ok=True)
        (tmp_path / "codes/prior/decoders/sentence.py").touch()
        return ["losses", "--checkout", f"{name}={tmp_path}", "--small", "--batch", "3", "--repeats", "1"]

    return write


@pytest.mark.parametrize(("name", "lines"), [("mgca", 1), ("prior", 3)])
def test_both_sides_get_the_same_tensors_weights_and_noise(checkout, name, lines, capsys):
    against_official.main(checkout(name, 1.0))
    assert len(capsys.readouterr().out.splitlines()) == 2 + lines
    assert not torch.is_anomaly_enabled()


@pytest.mark.parametrize(("name", "first"), [("mgca", "MGCA, all three"), ("prior", "PRIOR, stage 1")])
def test_another_loss_is_refused(checkout, name, first):
    with pytest.raises(SystemExit, match=f"{first}: {LOSS} differs .* 1.0e-02"):
        against_official.main(checkout(name, 1 / 0.99))


# --- the check ------------------------------------------------------------------------------------------


def case(official, ours, **checked):
    return LossCase("the case", "", lambda: official, lambda: ours, **checked)


def values(loss=1.0, **gradients):
    return {LOSS: torch.tensor(loss), **{name: torch.tensor(value) for name, value in gradients.items()}}


@pytest.mark.parametrize(
    ("official", "ours", "message"),
    [
        (values(), values(1.01), f"the case: {LOSS} differs .* 1.0e-02"),
        (values(a=[3.0, 4.0]), values(a=[3.0, 4.05]), "the gradient of a differs .* 1.0e-02"),
        (values(a=[3.0, 4.0]), values(a=[3.0]), "the gradient of a differs .* inf"),
        (values(a=1.0), values(a=float("nan")), "the gradient of a differs .* inf"),
        (values(a=1.0), values(), "only the official side has a gradient of a"),
        (values(), values(a=1.0), "only ours has a gradient of a"),
        # as large as 1e-3 of the largest gradient: half of that is no rounding
        (values(a=1e-9, b=1.0), values(a=5e-4, b=1.0), "the gradient of a differs .* 5.0e-01"),
    ],
)
def test_differences_are_refused(official, ours, message):
    with pytest.raises(SystemExit, match=message):
        check(case(official, ours), 1e-3)


def test_rounding_is_accepted():
    check(case(values(a=1.0, b=1e-9), values(1.0005, a=1.0005, b=-1e-9)), 1e-3)
    check(case(values(0.0, a=0.0), values(0.0, a=0.0)), 1e-3)
    check(case(values(a=1.0), values(a=2.0)), 1e-3, loss_alone=True)
    check(case(values(a=1.0), values(a=2.0), checked=lambda: values(a=1.0)), 1e-3)


def test_gradients_are_those_of_what_the_loss_depends_on():
    x, y = torch.tensor(3.0, requires_grad=True), torch.tensor(1.0, requires_grad=True)
    found = outcome(x**2, {"x": x, "y": y})
    assert {name: float(value) for name, value in found.items()} == {LOSS: 9.0, "x": 6.0}
    assert not found[LOSS].requires_grad


def test_nothing_is_timed_before_all_cases_are_checked():
    calls = []

    def cases():
        kind = torch.get_default_dtype()
        for name in ("a", "b"):
            found = {LOSS: torch.ones(()), name: torch.ones(())}
            yield LossCase(
                name, "", lambda f=found, n=name: (calls.append((kind, n)), f)[1], lambda f=found: f
            )

    rows = losses.compared(cases, 2)
    assert [row[0] for row in rows] == ["a", "b"]
    assert calls[:2] == [(torch.float64, "a"), (torch.float64, "b")]
    assert {kind for kind, _ in calls[2:]} == {torch.float32} and len(calls) == 2 + 2 * (1 + 1 + 2)


# --- parts ----------------------------------------------------------------------------------------------


def test_products_of_the_backward_pass_count():
    x, w = torch.ones(5, 3), torch.ones(3, 7, requires_grad=True)
    assert products(lambda: (x @ w.detach()).exp().sum()) == 5 * 3 * 7
    assert products(lambda: torch.autograd.grad((x @ w).sum(), w)) == 2 * 5 * 3 * 7


def test_the_module_that_stands_for_lightnings_keeps_its_arguments():
    class Given(imports.lightning()):
        def __init__(self, width=3, depth=2, *args, **kwargs):
            super().__init__()
            self.save_hyperparameters()

    given = Given(depth=5, gpus=0)
    assert isinstance(given, nn.Module) and given.trainer is None
    assert (given.hparams.width, given.hparams.depth, given.hparams.gpus) == (3, 5, 0)
