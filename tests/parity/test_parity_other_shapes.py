"""Fixtures of other sizes, made by loops over reports that share nothing with our code."""

import json

import pytest
import torch
from safetensors.torch import save_file

from prior_bench.parity.compare import check_fixture
from prior_bench.parity.show import lines


def affine(generator, size_in, size_out):
    weight = torch.randn(size_out, size_in, generator=generator) / size_in**0.5
    return {"weight": weight, "bias": torch.randn(size_out, generator=generator) * 0.1}


def write(folder, name, meta, given, compute):
    """Run ``compute(tensors) -> (outs, {tag: scalar})`` in both precisions and store all of it."""
    stored = dict(given)
    for dtype, suffix in ((torch.float32, ""), (torch.float64, "64")):
        leaves = {
            key: value.to(dtype).requires_grad_() if value.is_floating_point() else value
            for key, value in given.items()
        }
        outs, scalars = compute(leaves)
        for key, value in outs.items():
            stored[f"out{suffix}.{key}"] = value.detach().clone()
        for tag, scalar in scalars.items():
            wanted = {k: v for k, v in leaves.items() if v.requires_grad}
            grads = torch.autograd.grad(scalar, wanted.values(), allow_unused=True, retain_graph=True)
            for key, grad in zip(wanted, grads, strict=True):
                if grad is not None:
                    stored[f"grad{suffix}.{tag}{key}"] = grad.clone()
    (folder / "prior").mkdir(exist_ok=True)
    path = folder / "prior" / f"{name}.json"
    path.write_text(json.dumps(meta))
    save_file(stored, path.with_suffix(".safetensors"))
    return path


def passes(path):
    outcome = check_fixture(path)
    assert not outcome.failed and not outcome.unknown and outcome.errors, "\n".join(lines(outcome))


@pytest.mark.parametrize("counts, patches, dim, seed", [([2, 7], 10, 24, 3), ([1, 1, 4, 6, 2], 25, 16, 4)])
def test_local_alignment(tmp_path, counts, patches, dim, seed):
    generator = torch.Generator().manual_seed(seed)
    given = {
        "in.image": torch.randn(len(counts), patches, dim, generator=generator),
        "in.sentences": torch.randn(sum(counts), dim, generator=generator),
        "in.counts": torch.tensor(counts),
        "w.local_logit_scale": torch.tensor(2.3),
    }
    maps = [f"{kind}{side}" for side in "12" for kind in ("query", "key", "value")]
    layers = {f"local_cross_attention.{name}": (dim, dim) for name in maps}
    layers |= {"predictor.0": (dim, dim // 2), "predictor.2": (dim // 2, dim)}
    for layer, sizes in layers.items():
        given |= {f"w.{layer}.{k}": v for k, v in affine(generator, *sizes).items()}

    def compute(t):
        def layer(name, x):
            return x @ t[f"w.{name}.weight"].T + t[f"w.{name}.bias"]

        def h(x):
            return layer("predictor.2", layer("predictor.0", x).clamp(min=0))

        def unit(x):
            return x / x.norm(dim=1, keepdim=True)

        image, text, attended = [], [], []
        for u, s in zip(t["in.image"], t["in.sentences"].split(counts), strict=True):

            def maps(name, x):
                return layer(f"local_cross_attention.{name}", x)

            seen = 1 / (1 + torch.exp(-(maps("query1", u) @ maps("key2", s).T) / dim**0.5))
            v = seen @ maps("value2", s)
            seen = 1 / (1 + torch.exp(-(maps("query2", s) @ maps("key1", u).T) / dim**0.5))
            a = seen @ maps("value1", u)
            pairs = ((h(u), v.detach()), (h(v), u.detach()))
            image.append(-sum((unit(x) * unit(y)).sum(1).mean() for x, y in pairs) / 2)
            logits = t["w.local_logit_scale"].exp() * unit(s) @ unit(a).T
            diagonal = [-(logits.log_softmax(axis).diagonal()).mean() for axis in (0, 1)]
            text.append(sum(diagonal) / 2)
            attended.append(v)
        image, text = torch.stack(image), torch.stack(text)
        outs = {
            "per_sample.image": image,
            "per_sample.text": text,
            "local_image_loss": image.mean(),
            "local_text_loss": text.mean(),
            "text_to_image_embed": torch.stack(attended),
        }
        return outs, {"": image.mean() + text.mean()}

    meta = {"hyper": {"embed_dim": dim}, "counts": counts}
    passes(write(tmp_path, "local_alignment", meta, given, compute))


@pytest.mark.parametrize("n, k, dim, tau", [(5, 9, 12, 0.5), (20, 40, 8, 1.3)])
def test_bank(tmp_path, n, k, dim, tau):
    generator = torch.Generator().manual_seed(n)
    given = {
        "w.embed.weight": torch.randn(k, dim, generator=generator),
        "in.features": torch.randn(n, dim, generator=generator),
        "in.gumbel": -torch.log(-torch.log(torch.rand(n, k, generator=generator))),
        "in.predicted": torch.randn(n, dim, generator=generator),
        "in.cot": torch.randn(n, dim, generator=generator),
    }

    def compute(t):
        mixtures, logits, kl = [], [], []
        for x, noise, other in zip(t["in.features"], t["in.gumbel"].detach(), t["in.predicted"], strict=True):
            logit = t["w.embed.weight"] @ x
            p = torch.exp((logit + noise) / tau)
            mixtures.append((p / p.sum()) @ t["w.embed.weight"])
            logits.append(logit)
            true, predicted = logit.exp() / logit.exp().sum(), torch.softmax(t["w.embed.weight"] @ other, 0)
            kl.append((true * (true.log() - predicted.log())).sum())
        mixtures, logits, kl = torch.stack(mixtures), torch.stack(logits), torch.stack(kl).mean()
        loss = (mixtures - t["in.features"]).abs().mean()
        outs = {"mixture": mixtures, "logits": logits, "loss": loss, "kl": kl}
        outs["index"] = (logits + t["in.gumbel"]).argmax(1)
        cot = t["in.cot"].detach()
        return outs, {"forward.": (mixtures * cot).sum() + loss, "kl.": kl}

    passes(write(tmp_path, "spb", {"hyper": {"dim": dim, "n_embed": k, "tau": tau}}, given, compute))


def test_global_alignment(tmp_path):
    generator = torch.Generator().manual_seed(9)
    given = {
        "in.image": torch.randn(7, 20, generator=generator),
        "in.text": torch.randn(7, 20, generator=generator),
        "w.logit_scale": torch.tensor(3.1),
    }

    def compute(t):
        image, text = (x / x.norm(dim=1, keepdim=True) for x in (t["in.image"], t["in.text"]))
        logits = t["w.logit_scale"].exp() * image @ text.T
        rows, columns = (-logits.log_softmax(axis).diagonal().mean() for axis in (1, 0))
        loss = (rows + columns) / 2
        return {"loss": loss, "loss_i2t": rows, "loss_t2i": columns}, {"": loss}

    passes(write(tmp_path, "global_alignment", {"hyper": {"temperature": 0.05}}, given, compute))
