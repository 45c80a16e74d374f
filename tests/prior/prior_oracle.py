"""PRIOR's parts written for one report at a time from their formulas: slow, and nothing shared with ours."""

from itertools import permutations

import torch


def attention_pool(sentences, w, heads):
    """One report's sentences [n, D] to [D], head by head."""
    mean = sentences.mean(0)
    tokens = torch.cat([mean[None], sentences])
    q = w["q_proj"](mean)
    k, v = w["k_proj"](tokens), w["v_proj"](tokens)
    width = len(mean) // heads
    parts = []
    for h in range(heads):
        part = slice(h * width, (h + 1) * width)
        attention = torch.softmax(k[:, part] @ q[part] / width**0.5, 0)
        parts.append(attention @ v[:, part])
    return w["c_proj"](torch.cat(parts))


def cross_attention(patches, sentences, m):
    """One pair: patches [I, D], sentences [T, D] to the four outputs."""
    scale = 1 / patches.shape[1] ** 0.5
    image = torch.sigmoid(scale * m.query1(patches) @ m.key2(sentences).T)
    text = torch.sigmoid(scale * m.query2(sentences) @ m.key1(patches).T)
    return image @ m.value2(sentences), image, text @ m.value1(patches), text


def cosine(a, b):
    return (a * b).sum(-1) / (a.norm(dim=-1) * b.norm(dim=-1))


def simsiam(u, v, h):
    return -0.5 * (cosine(h(u), v.detach()).mean() + cosine(h(v), u.detach()).mean())


def in_report_contrast(sentences, attended, scale):
    n = len(sentences)
    logits = torch.stack(
        [torch.stack([scale * cosine(sentences[i], attended[j]) for j in range(n)]) for i in range(n)]
    )
    rows = sum(torch.logsumexp(logits[i], 0) - logits[i, i] for i in range(n)) / n
    columns = sum(torch.logsumexp(logits[:, i], 0) - logits[i, i] for i in range(n)) / n
    return (rows + columns) / 2


def symmetric_info_nce(image, text, scale):
    return in_report_contrast(image, text, scale)


def bank_lookup(x, bank, noise, tau):
    """One sentence [D]: its mixture and logits."""
    logits = torch.stack([x @ entry for entry in bank])
    weights = torch.softmax((logits + noise) / tau, 0)
    return sum(w * entry for w, entry in zip(weights, bank, strict=True)), logits


def kl(true_logits, predicted_logits):
    p, q = torch.softmax(true_logits, -1), torch.softmax(predicted_logits, -1)
    return (p * (p / q).log()).sum()


def best_order(decoded, targets):
    """Row of ``decoded`` for each target, by trying all permutations."""
    count = len(decoded)

    def cost(order):
        return sum(float((decoded[i] - targets[j]).abs().sum()) for j, i in enumerate(order))

    return list(min(permutations(range(count)), key=cost))[: len(targets)]
