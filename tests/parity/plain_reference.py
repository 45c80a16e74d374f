"""Formulas of the official sources, sample by sample in float64, for fixtures of any size.

Shares nothing with our code; only torch's autograd and elementary functions are used.
"""

import json
import math

import torch
from safetensors.torch import save_file


def draws(seed):
    """``draw(*shape, scale=1)``, normal numbers in float32."""
    generator = torch.Generator().manual_seed(seed)
    return lambda *shape, scale=1.0: torch.randn(*shape, generator=generator) * scale


def write(folder, label, given, compute, meta):
    """Store ``given``, and what ``compute(tensors) -> (outs, {tag: scalar}, {name: grad})`` makes of it.

    Computed in float64; the float32 results are these, rounded.
    """
    leaves = {k: v.double().requires_grad_() if v.is_floating_point() else v for k, v in given.items()}
    outs, scalars, gradients = compute(leaves)
    wanted = {k: v for k, v in leaves.items() if v.requires_grad and ".cot" not in k and "gumbel" not in k}
    for tag, scalar in scalars.items():
        grads = torch.autograd.grad(scalar, wanted.values(), allow_unused=True, retain_graph=True)
        gradients |= {f"{tag}{k}": g for k, g in zip(wanted, grads, strict=True) if g is not None}
    stored = dict(given)
    for kind, values in (("out", outs), ("grad", gradients)):
        for name, value in values.items():
            value = value.detach().clone()
            stored[f"{kind}.{name}"] = value.float() if value.is_floating_point() else value
            if value.is_floating_point():
                stored[f"{kind}64.{name}"] = value
    path = folder / f"{label}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(meta))
    save_file({k: v.contiguous().clone() for k, v in stored.items()}, path.with_suffix(".safetensors"))


def dot(a, b):
    return (a * b).sum()


def cosine(a, b):
    return dot(a, b) / (dot(a, a).sqrt() * dot(b, b).sqrt())


def unit(rows):
    return torch.stack([row / dot(row, row).sqrt() for row in rows])


def table(first, second, score):
    """[len(first), len(second)] of ``score``."""
    return torch.stack([torch.stack([score(a, b) for b in second]) for a in first])


def choose(scores, right):
    """Cross entropy of one choice."""
    return scores.exp().sum().log() - scores[right]


def both_ways(scores):
    """Mean cross entropy over rows and over columns; the right ones are on the diagonal."""
    rows = sum(choose(scores[i], i) for i in range(len(scores))) / len(scores)
    columns = sum(choose(scores[:, i], i) for i in range(len(scores))) / len(scores)
    return rows, columns


def infonce(image, text, temperature):
    return both_ways(table(image, text, lambda a, b: cosine(a, b) / temperature))


def shares(scores):
    """Softmax of a vector."""
    powers = (scores - scores.max().detach()).exp()
    return powers / powers.sum()


def affine(tensors, name, x):
    return x @ tensors[f"w.{name}.weight"].T + tensors[f"w.{name}.bias"]


def layer(draw, name, size_in, size_out):
    return {
        f"w.{name}.weight": draw(size_out, size_in, scale=size_in**-0.5),
        f"w.{name}.bias": draw(size_out, scale=0.1),
    }


# --- ConVIRT and GLoRIA -----------------------------------------------------------------------------------


def convirt_loss(t, temperatures, paper):
    outs, scalars = {}, {}
    for temperature in temperatures:
        to_text, to_image = infonce(t["in.image"], t["in.text"], temperature)
        values = {
            "half": 0.5 * to_text + 0.5 * to_image,
            "paper": paper["lam"] * to_text + (1 - paper["lam"]) * to_image,
        }
        start = f"T{temperature}."
        outs |= {f"{start}i2t": to_text, f"{start}t2i": to_image, f"{start}loss_sum": to_text + to_image}
        outs |= {f"{start}{name}": value for name, value in values.items()}
        scalars |= {f"{start}{name}.": value for name, value in values.items()}
        if temperature == paper["temperature"]:
            outs["ntxent"] = values["paper"]
    return outs, scalars, {}


def gloria_global(t, temp3):
    to_text, to_image = infonce(t["in.image"], t["in.text"], 1 / temp3)
    return {"loss_i2t": to_text, "loss_t2i": to_image}, {"": to_text + to_image}, {}


def gloria_attention(regions, words, temp1):
    """[words, regions]: softmax over words, times temp1, softmax over regions."""
    over_words = torch.stack([shares(words @ region) for region in regions])
    return torch.stack([shares(temp1 * over_words[:, w]) for w in range(len(words))])


def gloria_words(regions, words, temp1):
    """Cosine of each word and what it has gathered."""
    attention = gloria_attention(regions, words, temp1)
    return torch.stack([cosine(a @ regions, word) for a, word in zip(attention, words, strict=True)])


def gloria_local(t, temp1, temp2, temp3, local_weight, global_weight):
    images = [image.flatten(1).T for image in t["in.image_local"]]
    texts = [text[:, :n].T for text, n in zip(t["in.words"], t["in.cap_lens"].tolist(), strict=True)]
    grid = t["in.image_local"].shape[2:]
    outs, scalars, sums = {}, {}, {}
    for i, (regions, words) in enumerate(zip(images, texts, strict=True)):
        outs[f"attn.{i}"] = gloria_attention(regions, words, temp1).reshape(1, len(words), *grid)
    for pool, reduce in (("sum", torch.sum), ("mean", torch.mean)):

        def score(regions, words, reduce=reduce):
            return temp3 * reduce((temp2 * gloria_words(regions, words, temp1)).exp()).log()

        scores = table(images, texts, score)
        losses = both_ways(scores)
        outs |= {f"{pool}.sim": scores, f"{pool}.loss_i2t": losses[0], f"{pool}.loss_t2i": losses[1]}
        sums[pool] = scalars[f"{pool}."] = losses[0] + losses[1]
    whole = sum(infonce(t["in.image_global"], t["in.text_global"], 1 / temp3))
    outs["total"] = local_weight * sums["sum"] + global_weight * whole
    return outs, scalars, {}


def gloria_zero_shot(t, temp1, temp2, prompts):
    images = [image.flatten(1).T for image in t["in.image_local"]]
    outs = {"global_sim": table(t["in.image_global"], t["in.prompt_global"], cosine)}
    for name, key in (("charlen", "in.cap_lens_released"), ("wordlen", "in.cap_lens_words")):
        counts = t[key].tolist()
        texts = [text[:, 1 : n + 1].T for text, n in zip(t["in.prompt_words"], counts, strict=True)]
        local = table(images, texts, lambda r, w: temp2 * gloria_words(r, w, temp1).max())
        both, start, classes = (local + outs["global_sim"]) / 2, 0, []
        for of_class in prompts.values():
            classes.append(both[:, start : start + len(of_class)].max(1).values)
            start += len(of_class)
        classes = torch.stack(classes, 1)
        spread = ((classes - classes.mean(0)) ** 2).mean(0).sqrt()
        outs[f"local_sim.{name}"] = local
        outs[f"class_sim.raw.{name}"] = classes
        outs[f"class_sim.normalized.{name}"] = (classes - classes.mean(0)) / spread
    return outs, {}, {}


def words_of(ids, vocab):
    """For each text, the token positions of [CLS], of each word and of [SEP]."""
    piece, texts = {number: name for name, number in vocab.items()}, []
    for row in ids.tolist():
        groups = []
        for place, number in enumerate(row):
            if piece[number] == "[PAD]":
                continue
            if piece[number].startswith("##"):
                groups[-1].append(place)
            else:
                groups.append([place])
        texts.append(groups)
    return texts


def summed(tokens, texts):
    """[B, L, ...]: row k of a text is the sum over its group k; zero after the last."""
    out = []
    for values, groups in zip(tokens, texts, strict=True):
        rows = [sum(values[place] for place in group) for group in groups]
        out.append(torch.stack(rows + [torch.zeros_like(values[0])] * (len(values) - len(rows))))
    return torch.stack(out)


def gloria_tokens(t, last, vocab):
    texts = words_of(t["in.ids"], vocab)
    layers = torch.stack([summed(hidden, texts) for hidden in t["in.hidden"][-last:]])
    words = layers.sum(0)
    outs = {"aggregated": layers.transpose(0, 1), "words": words.mT, "sent": words.mean(1)}
    return outs, {"words_sq.": (words**2).sum()}, {}


# --- MGCA -------------------------------------------------------------------------------------------------


def clipped(attention):
    """Non-zero entries clipped to their 10 % and 90 % quantiles; then sum 1."""
    rows = []
    for row in attention.detach():
        real = row[row != 0]
        low, high = torch.quantile(real, 0.1), torch.quantile(real, 0.9)
        kept = torch.where(row != 0, row.clamp(low, high), 0)
        rows.append(kept / kept.sum())
    return torch.stack(rows)


def mgca_tokens(tokens, others, masks, weights, temperature, normalise):
    """Weighted cross entropies over rows and over columns, means over pairs."""
    sums = [0.0, 0.0]
    for own, other, mask, weight in zip(tokens, others, masks, weights, strict=True):
        gathered = torch.stack([shares(token @ other[mask].T / temperature) @ other[mask] for token in own])
        logits = own @ (unit(gathered) if normalise else gathered).T / temperature
        for i in range(len(own)):
            sums[0] = sums[0] + weight[i] * choose(logits[i], i)
            sums[1] = sums[1] + weight[i] * choose(logits[:, i], i)
    return sums[0] / len(tokens), sums[1] / len(tokens)


def mgca_codes(scores, epsilon, iterations):
    """Sinkhorn on [K, B], as written in SwAV."""
    q = (scores.detach() / epsilon).exp().T
    q = q / q.sum()
    for _ in range(iterations):
        q = q / q.sum(1, keepdim=True) / q.shape[0]
        q = q / q.sum(0, keepdim=True) / q.shape[1]
    return (q * q.shape[1]).T


def mgca_losses(t, hyper):
    image, text = unit(t["in.image"]), unit(t["in.text"])
    to_text, to_image = infonce(image, text, hyper["softmax_temperature"])
    cosines = (image @ text.T).detach()
    outs = {"ita": to_text + to_image, "ita_i2t": to_text, "ita_t2i": to_image}
    for k in (1, 5):
        hits = [[i in row.topk(k).indices for i, row in enumerate(m)] for m in (cosines, cosines.T)]
        outs[f"acc{k}"] = torch.tensor([100 * sum(map(sum, hits)) / (2 * len(cosines))], dtype=torch.double)

    words = torch.stack([unit(rows) for rows in t["in.words"]])
    patches = torch.stack([unit(rows) for rows in t["in.patches"]])
    is_vit = "in.attention_map" in t
    word_weights = clipped(t["in.word_attn"])
    patch_weights = torch.full(patches.shape[:2], 1 / patches.shape[1], dtype=torch.double)
    if is_vit:
        patch_weights = clipped(
            sum(t["in.attention_map"].unbind(1))[:, 0, 1:] / t["in.attention_map"].shape[1]
        )
    every = torch.ones(patches.shape[:2], dtype=torch.bool)
    temperature = hyper["local_temperature"]
    word = mgca_tokens(words, patches, every, word_weights, temperature, True)
    patch = mgca_tokens(patches, words, ~t["in.pad_mask"], patch_weights, temperature, not is_vit)
    local = (word[0] + word[1]) / 2 + (patch[0] + patch[1]) / 2
    outs |= {"word_1": word[0], "word_2": word[1], "patch_1": patch[0], "patch_2": patch[1], "local": local}
    outs |= {"word_weights": word_weights, "patch_weights": patch_weights}

    prototypes = unit(t["w.prototypes"]).detach().requires_grad_()
    scores = {"img": image @ prototypes.T, "report": text @ prototypes.T}
    codes = {k: mgca_codes(v, hyper["epsilon"], hyper["sinkhorn_iterations"]) for k, v in scores.items()}

    def swapped(code, predicted):
        logs = torch.stack([shares(row / hyper["proto_temperature"]).log() for row in predicted])
        return -(code * logs).sum() / len(code)

    i2t, t2i = swapped(codes["img"], scores["report"]), swapped(codes["report"], scores["img"])
    proto = (i2t + t2i) / 2
    outs |= {"proto_i2t": i2t, "proto_t2i": t2i, "proto": proto, "prototypes_normalized": prototypes}
    outs |= {"img_code": codes["img"], "report_code": codes["report"]}
    scalars = {"ita.": outs["ita"], "local.": local, "proto.": proto}
    (gradient,) = torch.autograd.grad(proto, [prototypes], retain_graph=True)
    return outs, scalars, {"proto.w.prototypes": gradient}


def mgca_aggregate(t, vocab):
    texts, attention = words_of(t["in.ids"], vocab), t["in.attention"][:, :, 0].mean(1)
    length = attention.shape[1]
    late = torch.zeros_like(attention)
    late[:, :-1] = attention[:, 1:]
    cut = [groups[:-2] if groups[-1][-1] == length - 1 else groups for groups in texts]
    outs = {}
    for name, groups, weights in (("released", cut, late), ("aligned", texts, attention)):
        words = summed(t["in.hidden"], groups)
        outs[f"{name}.report"], outs[f"{name}.words"] = words[:, 0], words[:, 1:]
        outs[f"{name}.word_attn"] = summed(weights, groups)[:, 1:]
    return outs, {}, {}


# --- PRIOR ------------------------------------------------------------------------------------------------


def sigmoid(x):
    return 1 / (1 + (-x).exp())


def cross_attention(t, image, text, prefix=""):
    """What patches [I, D] and sentences [T, D] see of each other: the four official outputs by name."""
    scale = 1 / math.sqrt(image.shape[1])

    def mapped(name, x):
        return affine(t, prefix + name, x)

    queries, keys = mapped("query1", image), mapped("key2", text)
    from_image = table(queries, keys, lambda a, b: sigmoid(scale * dot(a, b)))
    queries, keys = mapped("query2", text), mapped("key1", image)
    from_text = table(queries, keys, lambda a, b: sigmoid(scale * dot(a, b)))
    return {
        "text_to_image_embed": from_image @ mapped("value2", text),
        "text_to_image_attn": from_image,
        "image_to_text_embed": from_text @ mapped("value1", image),
        "image_to_text_attn": from_text,
    }


def prior_cross_attention(t):
    outs = cross_attention(t, t["in.image"], t["in.text"])
    return outs, {"": sum(dot(value, t[f"in.cot.{name}"]) for name, value in outs.items())}, {}


def pooled(t, sentences, heads, prefix=""):
    """The mean sentence attends to itself and to all sentences, [n, D] to [D]."""
    rows = torch.cat([sentences.mean(0, keepdim=True), sentences])
    width = rows.shape[1] // heads
    query, keys, values = (
        affine(t, f"{prefix}{k}_proj", x) for k, x in (("q", rows[0]), ("k", rows), ("v", rows))
    )
    out = []
    for h in range(heads):
        part = slice(h * width, (h + 1) * width)
        weights = shares(keys[:, part] @ query[part] / math.sqrt(width))
        out.append(weights @ values[:, part])
    return affine(t, f"{prefix}c_proj", torch.cat(out))


def prior_pool(t, heads):
    reports = t["in.sentences"].split(t["in.counts"].tolist())
    out = torch.stack([pooled(t, sentences, heads) for sentences in reports])
    return {"pooled": out}, {"": dot(out, t["in.cot"])}, {}


def prior_bank(t, tau):
    bank, mixtures, logits, kl = t["w.embed.weight"], [], [], 0
    for x, noise, other in zip(t["in.features"], t["in.gumbel"], t["in.predicted"], strict=True):
        logits.append(torch.stack([dot(x, entry) for entry in bank]))
        mixtures.append(shares((logits[-1] + noise) / tau) @ bank)
        true, predicted = shares(logits[-1]), shares(bank @ other)
        kl = kl + (true * (true.log() - predicted.log())).sum() / len(t["in.features"])
    mixtures, logits = torch.stack(mixtures), torch.stack(logits)
    loss = (mixtures - t["in.features"]).abs().mean()
    index = (logits + t["in.gumbel"]).argmax(1)
    outs = {"mixture": mixtures, "logits": logits, "loss": loss, "index": index, "kl": kl}
    return outs, {"forward.": dot(mixtures, t["in.cot"]) + loss, "kl.": kl}, {}


def prior_stage1(t):
    image, text, reports = [], [], []
    for u, tokens, index in zip(t["in.local_image"], t["in.tokens"], t["in.sentence_index"], strict=True):
        sentences = torch.stack([tokens[index == k].mean(0) for k in range(1, int(index.max()) + 1)])
        reports.append(pooled(t, sentences, 8, "global_text_attention."))
        seen = cross_attention(t, u, sentences, "local_cross_attention.")
        v = seen["text_to_image_embed"]

        def h(x):
            return affine(t, "predictor.2", affine(t, "predictor.0", x).clamp(min=0))

        pairs = [(h(u), v.detach()), (h(v), u.detach())]
        image.append(-sum(cosine(a, b) for x, y in pairs for a, b in zip(x, y, strict=True)) / (2 * len(u)))
        scale = t["w.local_logit_scale"].exp()
        text.append(sum(infonce(sentences, seen["image_to_text_embed"], 1 / scale)) / 2)
    whole = sum(infonce(t["in.global_image"], torch.stack(reports), 1 / t["w.logit_scale"].exp())) / 2
    image, text = sum(image) / len(image), sum(text) / len(text)
    outs = {
        "released.global_alignment_loss": whole,
        "released.local_image_loss": image,
        "released.local_text_loss": text,
        "released.loss": whole + image + text,
    }
    return outs, {"released.": outs["released.loss"]}, {}
