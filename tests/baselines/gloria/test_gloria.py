from functools import partial
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from tiny_methods import TEXTS, TOKENIZER, batch, build, train

from baselines.gloria.losses import attend, local_loss, matching, word_scores
from baselines.gloria.model import character_counts
from baselines.gloria.variants import GloriaVariant
from prior_bench.errors import BenchError
from prior_bench.parity.compare import check_fixture
from prior_bench.variants import released, resolve

FIXTURES = sorted((Path(__file__).parents[2] / "golden/gloria").glob("*.json"))
TEMPS = (4.0, 5.0)


@pytest.mark.parametrize("path", FIXTURES, ids=lambda p: p.stem)
def test_fixture(path):
    outcome = check_fixture(path)
    assert outcome.errors and not outcome.problem
    assert [name for name, row in outcome.errors.items() if not all(e.passed for e in row.values())] == []


def ragged(dtype=torch.float64, scale=1.0):
    """Five images of seven regions, and texts of one to six words."""
    torch.manual_seed(0)
    regions, words = scale * torch.randn(5, 7, 4, dtype=dtype), scale * torch.randn(5, 6, 4, dtype=dtype)
    mask = torch.arange(6) < torch.tensor([3, 1, 6, 4, 2])[:, None]
    return regions.requires_grad_(), words.requires_grad_(), mask


def matching_by_loop(regions, words, mask, double_softmax, divided, pool):
    """Image by image and text by text, as written in the paper (or released)."""
    rows = []
    for image in regions:
        row = []
        for text, real in zip(words, mask, strict=True):
            text = text[real]
            dots = image @ text.T  # [R, n]
            if double_softmax:
                dots = dots.softmax(1)
            seen = (TEMPS[0] * dots).softmax(0).T @ image  # [n, D]
            cosines = F.cosine_similarity(seen, text, dim=1)
            powers = torch.exp(TEMPS[1] * cosines)
            pooled = {"sum": powers.sum(), "mean": powers.mean(), "max": powers.max()}[pool].log()
            row.append(pooled / TEMPS[1] if divided else pooled)
        rows.append(torch.stack(row))
    return torch.stack(rows)


@pytest.mark.parametrize("pool", ["sum", "mean", "max"])
@pytest.mark.parametrize("double_softmax", [False, True])
def test_batched_matching_equals_a_loop(pool, double_softmax):
    regions, words, mask = ragged()
    ours = matching(regions, words, mask, *TEMPS, pool=pool, double_softmax=double_softmax)
    loop = matching_by_loop(regions, words, mask, double_softmax, True, pool)
    torch.testing.assert_close(ours, loop, rtol=1e-10, atol=1e-12)
    weight = torch.randn(5, 5, dtype=torch.float64)
    ours = torch.autograd.grad((weight * ours).sum(), [regions, words])
    loop = torch.autograd.grad((weight * loop).sum(), [regions, words])
    torch.testing.assert_close(ours, loop, rtol=1e-8, atol=1e-11)
    assert ours[1][~mask].abs().max() == 0


def test_undivided_is_the_score_times_temp2():
    features = ragged()
    torch.testing.assert_close(matching(*features, *TEMPS, divided=False), 5 * matching(*features, *TEMPS))


def test_chunks_change_nothing():
    regions, words, mask = ragged()
    grads = []
    for chunk in (None, 1, 2, 5, 9):
        scores = matching(regions, words, mask, *TEMPS, chunk=chunk)
        grads.append((scores.detach(), *torch.autograd.grad((scores**2).sum(), [regions, words])))
    for other in grads[1:]:
        torch.testing.assert_close(other, grads[0], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("double_softmax", [False, True])
def test_padding_changes_nothing(double_softmax):
    regions, words, mask = ragged()
    longer = torch.cat([words, 1e3 * torch.randn(5, 3, 4, dtype=torch.float64)], dim=1)
    score = partial(matching, temp1=TEMPS[0], temp2=TEMPS[1], double_softmax=double_softmax)
    torch.testing.assert_close(
        score(regions, longer, F.pad(mask, (0, 3))), score(regions, words, mask), rtol=1e-12, atol=1e-12
    )


def test_attention_is_a_distribution_and_finds_the_region():
    regions = 3 * torch.eye(4)[None]  # region r shows channel r
    words = 3 * torch.eye(4)[None, 2:3]
    attention = attend(regions, words, torch.ones(1, 1, dtype=torch.bool), TEMPS[0])
    torch.testing.assert_close(attention.sum(-1), torch.ones(1, 1, 1))
    assert attention[0, 0, 0, 2] > 0.999
    scores = word_scores(regions, words, torch.ones(1, 1, dtype=torch.bool), TEMPS[0])
    torch.testing.assert_close(scores, torch.ones(1, 1, 1))


def test_large_features_stay_finite_in_half_precision():
    regions, words, mask = (t.detach() for t in ragged(torch.float32, scale=100))
    scores = matching(regions.bfloat16(), words.bfloat16(), mask, *TEMPS)
    assert scores.dtype == torch.float32 and scores.isfinite().all()


def test_local_loss_by_hand():
    scores = torch.tensor([[1.0, 0.0], [0.5, 0.25]])
    features = torch.zeros(2, 1, 1), torch.zeros(2, 1, 1), torch.ones(2, 1, dtype=torch.bool)
    to_text, to_image = local_loss(*features, 2.0, lambda *_: scores)
    want_text = (F.softplus(torch.tensor(-2.0)) + F.softplus(torch.tensor(0.5))) / 2
    want_image = (F.softplus(torch.tensor(-1.0)) + F.softplus(torch.tensor(-0.5))) / 2
    torch.testing.assert_close(to_text, want_text)
    torch.testing.assert_close(to_image, want_image)


# --- the method -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", ["paper", "released"])
def test_every_parameter_learns_and_the_loss_falls(variant):
    method = build("gloria", variant=variant)
    losses = train(method, 12)
    assert losses[-1] < losses[0] - 0.1
    assert [name for name, p in method.named_parameters() if p.grad is None] == []


@pytest.mark.parametrize("variant", ["paper", "released"])
def test_features_do_not_depend_on_the_batch(variant):
    method = build("gloria", variant=variant).eval()
    together, image = method.encode_text(TOKENIZER(TEXTS)), method.encode_image(batch().images)
    similarity = method.similarity(image, together)
    assert similarity.shape == (4, 4)
    for i, text in enumerate(TEXTS):
        alone = method.encode_text(TOKENIZER([text]))
        torch.testing.assert_close(alone.global_[0], together.global_[i])
        torch.testing.assert_close(method.similarity(image, alone)[:, 0], similarity[:, i])


def test_words_exclude_cls_and_sep():
    text = build("gloria").eval().encode_text(TOKENIZER(TEXTS))
    words = [" ".join(text).replace(".", " .").split() for text in TEXTS]
    assert text.mask.sum(1).tolist() == [len(row) for row in words]
    torch.testing.assert_close(text.global_[3], text.local[3][text.mask[3]].mean(0))


def test_released_counts_characters():
    lengths = character_counts(TOKENIZER)
    text = build("gloria", variant="released").encode_text(TOKENIZER([("the heart is clear",)]))
    assert text.mask.sum().item() == len("the heart is clear")
    assert lengths[TOKENIZER(TEXTS).input_ids[:, 0]].sum() == 0


def test_local_features_are_those_of_the_third_layer_and_may_be_enlarged():
    method = build("gloria")
    assert method.encode_image(batch().images).local.shape == (4, 16, 8)  # 64 / 16 = 4 a side
    assert build("gloria", upsample=96).encode_image(batch().images).local.shape == (4, 36, 8)


def test_variants():
    assert resolve("paper", GloriaVariant) == GloriaVariant()
    assert resolve("released", GloriaVariant) == released(GloriaVariant) != GloriaVariant()
    mixed = resolve(dict(base="released", double_softmax=False), GloriaVariant)
    assert not mixed.double_softmax and mixed.summed_directions
    with pytest.raises(BenchError, match="double_softmax"):
        resolve(dict(double_softmx=True), GloriaVariant)
    with pytest.raises(BenchError, match="paper"):
        build("gloria", variant="papr")
