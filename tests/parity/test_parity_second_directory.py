"""Another folder in the layout of ``tests/golden``, of other shapes, counts and seeds, passes too."""

import json
from functools import partial

import plain_reference as plain
import pytest
import torch

from prior_bench.cli import main

VOCABULARY = ["[PAD]", "[UNK]", "[SEP]", "[CLS]", "mild", "ed", "##ema", "of", "cardio", "##meg", "##aly"]
VOCABULARY += ["[", "[MASK]"]
VOCAB = {name: number for number, name in enumerate(VOCABULARY)}
DIRECTIONS = [f"{kind}{side}" for side in "12" for kind in ("query", "key", "value")]


def ids(length, *documents):
    rows = [[VOCAB[piece] for piece in document.split()] for document in documents]
    return torch.tensor([row + [0] * (length - len(row)) for row in rows])


def convirt(folder, seed):
    draw = plain.draws(seed)
    given = {"in.image": draw(7, 20), "in.text": draw(7, 20)}
    hyper = {"temperatures": [0.2, 0.5], "paper": {"temperature": 0.2, "lam": 0.6}}
    plain.write(folder, "convirt/loss", given, lambda t: plain.convirt_loss(t, **hyper), {"hyper": hyper})


def gloria(folder, seed):
    draw = plain.draws(seed)
    given = {"in.image": draw(6, 12), "in.text": draw(6, 12)}
    meta = {"hyper": {"temp3": 4.0}}
    plain.write(folder, "gloria/global_loss", given, lambda t: plain.gloria_global(t, 4.0), meta)

    given = {
        "in.image_local": draw(3, 12, 2, 5),
        "in.words": draw(3, 12, 9),
        "in.cap_lens": torch.tensor([2, 9, 1]),
        "in.image_global": draw(3, 12),
        "in.text_global": draw(3, 12),
    }
    hyper = dict(temp1=2.0, temp2=3.0, temp3=6.0, local_weight=0.5, global_weight=2.0)
    compute = partial(plain.gloria_local, **hyper)
    meta = {"hyper": hyper, "cap_lens": given["in.cap_lens"].tolist()}
    plain.write(folder, "gloria/local_loss", given, compute, meta)

    prompts = {"one": ["a b"], "two": ["c", "d e f"]}
    given = {
        "in.image_local": draw(5, 8, 3, 4),
        "in.image_global": draw(5, 8),
        "in.prompt_words": draw(3, 8, 13),
        "in.prompt_global": draw(3, 8),
        "in.cap_lens_released": torch.tensor([3, 12, 5]),
        "in.cap_lens_words": torch.tensor([2, 1, 3]),
    }
    hyper = dict(temp1=3.0, temp2=5.0)
    compute = partial(plain.gloria_zero_shot, prompts=prompts, **hyper)
    plain.write(folder, "gloria/zero_shot", given, compute, {"hyper": hyper, "prompts": prompts})

    text = ids(
        11,
        "[CLS] mild ed ##ema [SEP]",
        "[CLS] cardio ##meg ##aly of ed ##ema [SEP]",
        "[CLS] [UNK] of [ [UNK] mild [SEP]",  # an unknown word is a word
    )
    given = {"in.hidden": draw(4, 3, 11, 6), "in.ids": text}
    meta = {"hyper": {"last_n_layers": 2}, "vocab": VOCAB}
    compute = partial(plain.gloria_tokens, last=2, vocab=VOCAB)
    plain.write(folder, "gloria/aggregate_tokens", given, compute, meta)


def mgca(folder, seed):
    draw = plain.draws(seed)
    hyper = dict(
        softmax_temperature=0.2,
        local_temperature=0.3,
        proto_temperature=0.5,
        epsilon=0.2,
        sinkhorn_iterations=4,
    )
    counts, words, patches = torch.tensor([3, 8, 1, 5, 2, 7]), 8, 16
    pad = torch.arange(words) >= counts[:, None]
    for name in ("losses_resnet_50", "losses_vit_base"):
        given = {
            "in.image": draw(6, 10),
            "in.text": draw(6, 10),
            "in.patches": draw(6, patches, 10),
            "in.words": draw(6, words, 10),
            "in.word_attn": draw(6, words).abs().masked_fill(pad, 0),
            "in.pad_mask": pad,
            "w.prototypes": draw(7, 10),
        }
        if name.endswith("vit_base"):
            given["in.attention_map"] = draw(6, 2, patches + 1, patches + 1).softmax(-1)
        plain.write(folder, f"mgca/{name}", given, partial(plain.mgca_losses, hyper=hyper), {"hyper": hyper})

    text = ids(
        9,
        "[CLS] mild ed ##ema [SEP]",
        "[CLS] cardio ##meg ##aly of mild ed ##ema [SEP]",
        "[CLS] mild [SEP]",
        "[CLS] mild [UNK] of [UNK] [ ed ##ema [SEP]",
    )
    attention = draw(4, 3, 9, 9).softmax(-1) * (text != 0)[:, None, None]
    given = {"in.hidden": draw(4, 9, 5), "in.ids": text, "in.attention": attention}
    compute = partial(plain.mgca_aggregate, vocab=VOCAB)
    plain.write(folder, "mgca/aggregate_tokens", given, compute, {"vocab": VOCAB})


def prior(folder, seed):
    draw = plain.draws(seed)
    cot = {
        "text_to_image_embed": (12, 16),
        "text_to_image_attn": (12, 3),
        "image_to_text_embed": (3, 16),
        "image_to_text_attn": (3, 12),
    }
    given = {"in.image": draw(12, 16), "in.text": draw(3, 16)}
    given |= {f"in.cot.{name}": draw(*shape) for name, shape in cot.items()}
    for name in DIRECTIONS:
        given |= plain.layer(draw, name, 16, 16)
    meta = {"hyper": {"embed_dim": 16, "dropout": 0.0}}
    plain.write(folder, "prior/local_cross_attention", given, plain.prior_cross_attention, meta)

    counts, heads = [2, 6, 1, 1, 3], 4
    given = {"in.sentences": draw(13, 24), "in.counts": torch.tensor(counts), "in.cot": draw(5, 24)}
    for name in "qkvc":
        given |= plain.layer(draw, f"{name}_proj", 24, 24)
    meta = {"hyper": {"embed_dim": 24, "num_heads": heads}, "counts": counts}
    compute = partial(plain.prior_pool, heads=heads)
    plain.write(folder, "prior/sentence_attention_pool", given, compute, meta)

    given = {"w.embed.weight": draw(9, 12), "in.features": draw(5, 12), "in.predicted": draw(5, 12)}
    given |= {"in.gumbel": draw(5, 9), "in.cot": draw(5, 12)}
    meta = {"hyper": {"dim": 12, "n_embed": 9, "tau": 0.5}}
    plain.write(folder, "prior/spb", given, partial(plain.prior_bank, tau=0.5), meta)

    counts = [2, 5, 1]
    index = torch.full((3, 20), -1)
    for row, count in enumerate(counts):
        index[row, 1 : 1 + 3 * count] = torch.arange(1, count + 1).repeat_interleave(3)
    given = {
        "in.local_image": draw(3, 9, 16),
        "in.global_image": draw(3, 16),
        "in.tokens": draw(3, 20, 16),
        "in.sentence_index": index,
        "w.logit_scale": torch.tensor(2.0),
        "w.local_logit_scale": torch.tensor(1.5),
        **plain.layer(draw, "predictor.0", 16, 8),
        **plain.layer(draw, "predictor.2", 8, 16),
    }
    for name in "qkvc":
        given |= plain.layer(draw, f"global_text_attention.{name}_proj", 16, 16)
    for name in DIRECTIONS:
        given |= plain.layer(draw, f"local_cross_attention.{name}", 16, 16)
    hyper = {"embed_dim": 16, "lambda_proto": 3, "num_queries": 4, "spb_k": 5, "tau": 0.7}
    plain.write(folder, "prior/stage1", given, plain.prior_stage1, {"hyper": hyper, "counts": counts})


@pytest.mark.parametrize("seed", [11, 12])
def test_another_folder_passes(tmp_path, seed, capsys):
    for family in (convirt, gloria, mgca, prior):
        family(tmp_path, seed)
    status = main(["parity", str(tmp_path)])
    out = capsys.readouterr().out
    assert status == 0, "\n".join(line for line in out.splitlines() if "FAIL" in line)
    assert "12 fixtures" in out and "12 passed, 0 failed, 0 without a checker" in out
    assert out.count("float64 not stored") == 1  # the index, an integer


def test_a_wrong_number_in_it_is_found(tmp_path, capsys):
    from safetensors.torch import load_file, save_file

    gloria(tmp_path, 13)
    path = tmp_path / "gloria" / "local_loss.safetensors"
    tensors = load_file(path)
    tensors["out64.sum.loss_i2t"] *= 1 + 1e-7
    save_file(tensors, path)
    assert json.loads(path.with_suffix(".json").read_text())["hyper"]["temp1"] == 2.0
    assert main(["parity", str(tmp_path), "--brief"]) == 1
    out = capsys.readouterr().out
    assert "gloria/local_loss: FAIL" in out and "3 passed, 1 failed" in out
