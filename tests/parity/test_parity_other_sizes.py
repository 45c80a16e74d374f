"""No size of the official fixtures is wired into the checkers of PRIOR's large parts.

Their numbers are made here by the checkers themselves, in float64, at other sizes: this tests that sizes,
counts and layers are read from the fixture, and that the float32 run agrees; not the numbers, which
``tests/golden`` tests.
"""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from prior_bench.cli import main
from prior_bench.parity.checker import find_checker
from prior_bench.parity.fixture import Fixture, FixtureCase
from prior_bench.prior.decoders import ImageDecoder, ReportDecoder
from prior_bench.prior.model import PRIOR
from prior_bench.prior.prototypes import SentenceBank

DIM, PROTOTYPES, QUERIES = 16, 10, 5
COUNTS = [2, 5, 1, 4, 3]
HYPER = dict(embed_dim=DIM, spb_k=PROTOTYPES, num_queries=QUERIES, tau=0.7, temperature=0.05, lambda_proto=3)


class _Given(torch.nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.dim = self.local_dim = dim


def weights(module, prefix="w."):
    """Of a module, perturbed, so that biases and normalisations matter; buffers of ours left out."""
    state = {k: v for k, v in module.state_dict().items() if k not in ("_stage", "sentence_bank.temperature")}
    return {
        prefix + k: v + 0.1 * torch.rand_like(v) if v.is_floating_point() else v for k, v in state.items()
    }


def sentence_index():
    """Two tokens per sentence, after [CLS]."""
    rows = torch.full((len(COUNTS), 2 + 2 * max(COUNTS)), -1)
    for row, count in zip(rows, COUNTS, strict=True):
        row[1 : 1 + 2 * count] = torch.arange(1, count + 1).repeat_interleave(2)
    return rows


def stage(number):
    decoder = dict(decoder_layers=3, decoder_heads=4, decoder_hidden=24, decoder_positions=9)
    model = PRIOR(
        _Given(DIM),
        _Given(DIM),
        DIM,
        PROTOTYPES,
        QUERIES,
        image_blocks=2,
        **(decoder if number == 3 else dict(decoder_layers=0)),
    )
    kept = {k: v for k, v in weights(model).items() if "_projection" not in k}
    if number < 3:
        kept = {k: v for k, v in kept.items() if "decoder" not in k and "queries" not in k}
    index, total = sentence_index(), sum(COUNTS)
    given = {
        "in.local_image": torch.randn(len(COUNTS), 9, DIM),
        "in.global_image": torch.randn(len(COUNTS), DIM),
        "in.tokens": torch.randn(*index.shape, DIM),
        "in.sentence_index": index,
        "in.gumbel0": torch.randn(total, PROTOTYPES),
    }
    names = ("released",)
    if number == 3:
        given["in.image"] = torch.randn(len(COUNTS), 1, 12, 12)
        given["in.gumbel1"] = torch.randn(total, PROTOTYPES)
        given["out.released.hungarian.col"] = torch.rand(len(COUNTS), QUERIES).argsort(1)
        names = ("released", "perm_fixed", "perm_full", "all_fixed")
    leaves = ("in.tokens", "in.local_image", "w.sentence_bank.embed.weight")
    return given | kept, HYPER, [f"{name}.{leaf}" for name in names for leaf in leaves]


def sentence_decoder():
    decoder = ReportDecoder(DIM, 3, 2, 24, 9, 0.0)
    given = {f"in.{name}": torch.randn(4, 5, DIM) for name in ("queries", "cot")}
    given["in.image"] = torch.randn(4, 6, DIM)
    return given | weights(decoder), dict(heads=2), ["causal.in.queries", "full.in.image"]


def recon_image():
    decoder = ImageDecoder(32, 3, (6, 12, 24))
    given = {f"in.{name}_embed": torch.randn(3, 9, 16) for name in ("image", "text_to_image")}
    given["in.image"] = torch.randn(3, 1, 20, 20)
    return given | weights(decoder), dict(in_channels=32, sizes=[6, 12, 24]), ["eval.correct.in.image_embed"]


def spg_loss():
    mask = (torch.arange(QUERIES) < torch.tensor(COUNTS)[:, None]).float()
    given = {
        "in.logits": torch.randn(len(COUNTS), QUERIES, DIM),
        "in.protos": torch.randn(len(COUNTS), QUERIES, DIM) * mask[..., None],
        "in.mask": mask,
        "in.query_logits": torch.randn(sum(COUNTS), PROTOTYPES),
        "out.hungarian.col": torch.rand(len(COUNTS), QUERIES).argsort(1),
    }
    bank = {"w.sentence_bank.embed.weight": SentenceBank(PROTOTYPES, DIM).embed.weight.detach()}
    return given | bank, dict(lambda_proto=3), ["released.in.logits", "fixed.in.logits"]


MADE = {
    "stage2": lambda: stage(2),
    "stage3": lambda: stage(3),
    "sentence_decoder": sentence_decoder,
    "recon_image": recon_image,
    "spg_loss": spg_loss,
}


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("seed", [0, 1])
def test_other_sizes_are_read_from_the_fixture(name, seed, tmp_path, capsys):
    torch.manual_seed(seed)
    tensors, hyper, gradients = MADE[name]()
    path = tmp_path / "prior" / f"{name}.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"hyper": hyper}))
    asked = {f"grad64.{gradient}": torch.zeros(()) for gradient in gradients}
    case = FixtureCase(Fixture(path, {"hyper": hyper}, tensors | asked), torch.float64)
    found = find_checker("prior", name).compute(case)
    for key, value in found.items():
        value = value.detach().clone()
        if not value.is_floating_point():
            tensors[key] = value
        elif key.startswith("grad."):  # in float64 only: kinks set float32 gradients apart
            tensors[key.replace("grad.", "grad64.", 1)] = value
        else:
            tensors[key] = value.float()
            tensors[key.replace("out.", "out64.", 1)] = value
    assert sum(key.startswith("grad64.") for key in tensors) == len(gradients)
    store = path.with_suffix(".safetensors")
    save_file({k: v.contiguous() for k, v in tensors.items()}, store)
    assert main(["parity", str(tmp_path)]) == 0, capsys.readouterr().out

    wrong = load_file(store)
    last = [key for key in wrong if key.startswith("out64.")][-1]
    wrong[last] = wrong[last] + 1e-4
    save_file(wrong, store)
    assert main(["parity", str(tmp_path)]) == 1
