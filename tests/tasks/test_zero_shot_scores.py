"""Scores and poolings of zero-shot classification: each against its formula, on planted similarities."""

import dataclasses

import numpy as np
import pytest
from planted import numbered_images, planted_backbone
from tiny_data import CLASSES, tiny_manifest

from prior_bench.errors import BenchError
from prior_bench.mock import mock_backbone
from prior_bench.suites import protocols
from tasks.zero_shot import NO_ARGMAX, ZeroShot

TASK = ZeroShot()
PAIRS = {
    "Edema": {"positive": ["edema", "pulmonary edema"], "negative": ["no edema", "dry lungs", "clear"]},
    "Pleural Effusion": {"positive": ["effusion", "fluid seen"], "negative": ["no effusion"]},
}
SWAPPED = {
    label: {"positive": given["negative"], "negative": given["positive"]} for label, given in PAIRS.items()
}
CLASSES_ALONE = {label: given["positive"] for label, given in PAIRS.items()}
METRICS = ("auroc", "accuracy", "f1", "recall")


@pytest.fixture
def data(tmp_path):
    (tmp_path / "data").mkdir()
    return tiny_manifest(tmp_path / "data", size=64)


def protocol_with(prompts, name="clean/zero_shot_pairs", metrics=METRICS, **options):
    changes = {f"options.{key}": value for key, value in options.items()}
    return protocols.load(name, {**TASK.with_prompts(prompts), "metrics": metrics, **changes})


@pytest.fixture
def run(data, context):
    def with_options(prompts, backbone=None, data=data, **options):
        options = {"normalise": "none", **options}
        return TASK.run(backbone or mock_backbone(), data, protocol_with(prompts, **options), context)

    return with_options


def pooled(predictions, pool):
    """[N, 2] of the positive and of the negative prompts, from the stored similarities."""
    similarity, owner = predictions["prompt_score"].astype(float), predictions["meta_prompt_class"]
    absent = predictions.get("meta_prompt_negative", np.zeros(len(owner), bool))
    return [
        np.stack([pool(similarity[:, (owner == c) & (absent == kind)], axis=1) for c in range(2)], axis=1)
        for kind in (False, True)
        if (absent == kind).any()
    ]


def test_by_default_the_score_of_a_pair_is_the_difference(run):
    found = run(PAIRS, score="similarity", pooling="max").predictions
    present, absent = pooled(found, np.max)
    assert found["score"] == pytest.approx(present - absent, abs=1e-6)
    assert protocols.load("clean/zero_shot").options.get("score") is None, "old protocols have old keys"


@pytest.mark.parametrize("pooling", ["max", "mean"])
@pytest.mark.parametrize("scale", [1.0, 7.5])
def test_pair_softmax_is_chexzeros_probability(run, pooling, scale):
    found = run(PAIRS, score="pair_softmax", pooling=pooling, scale=scale)
    present, absent = pooled(found.predictions, {"max": np.max, "mean": np.mean}[pooling])
    by_hand = np.exp(scale * present) / (np.exp(scale * present) + np.exp(scale * absent))
    assert found.predictions["score"] == pytest.approx(by_hand, rel=1e-5)
    for c, name in enumerate(CLASSES):
        positive = found.predictions["target"][:, c] == 1
        decided = by_hand[:, c] >= 0.5
        assert found.metrics[f"accuracy/{name}"] == pytest.approx((decided == positive).mean())
        assert found.metrics[f"recall/{name}"] == pytest.approx(decided[positive].mean())


def test_the_difference_and_the_pair_softmax_rank_and_decide_alike(run):
    difference, softmax = (run(PAIRS, score=score) for score in ("similarity", "pair_softmax"))
    assert difference.metrics == pytest.approx(softmax.metrics)
    by_hand = 1 / (1 + np.exp(-difference.predictions["score"].astype(float)))
    assert softmax.predictions["score"] == pytest.approx(by_hand, rel=1e-5)


def test_a_probability_of_one_half_is_decided_as_present(tmp_path, context):
    data = numbered_images(tmp_path, [1, 0, 2, 0], labels=("Edema",), targets=np.array([[1], [0], [0], [1]]))
    prompts = {"Edema": {"positive": ["is 1"], "negative": ["is 0"]}}
    protocol = protocol_with(prompts, score="pair_softmax", scale=2.0, metrics=("recall", "precision"))
    result = TASK.run(planted_backbone(), data, protocol, context)
    e = np.exp(2)
    assert result.predictions["score"].ravel() == pytest.approx([e / (1 + e), 1 / (1 + e), 0.5, 1 / (1 + e)])
    assert result.metrics["recall"] == 0.5 and result.metrics["precision"] == 0.5


@pytest.mark.parametrize("pooling", ["max", "mean", "embedding"])
@pytest.mark.parametrize("score", ["similarity", "pair_softmax"])
def test_swapped_positive_and_negative_prompts_turn_auroc_over(run, pooling, score):
    one, other = (run(prompts, score=score, pooling=pooling) for prompts in (PAIRS, SWAPPED))
    for name in CLASSES:
        assert one.metrics[f"auroc/{name}"] == pytest.approx(1 - other.metrics[f"auroc/{name}"])
        assert one.metrics[f"auroc/{name}"] != 0.5


@pytest.mark.parametrize("score", ["pair_softmax", "sigmoid", "softmax"])
@pytest.mark.parametrize("pooling", ["max", "mean", "embedding"])
def test_prompts_of_other_labels_lose_a_planted_auroc(tmp_path, context, score, pooling):
    """Image k shows class k; the prompts of class k name k, and then those of the next class."""
    labels = ("A", "B", "C")
    data = numbered_images(tmp_path, [0, 1, 2, 0, 1, 2], labels=labels, targets=np.eye(3)[[0, 1, 2] * 2])
    for shift, expected in ((0, 1.0), (1, 0.25)):
        prompts = {
            label: {
                "positive": [f"is {(k + shift) % 3}", f"shows {(k + shift) % 3}"],
                "negative": [f"is {(k + shift + 1) % 3}", f"is {(k + shift + 2) % 3}"],
            }
            for k, label in enumerate(labels)
        }
        protocol = protocol_with(prompts, score=score, pooling=pooling, metrics=("auroc",))
        result = TASK.run(
            planted_backbone(), data, protocol, dataclasses.replace(context, cache_dir=tmp_path / f"{shift}")
        )
        assert result.metrics["auroc"] == pytest.approx(expected), shift


def test_the_ensemble_is_the_cosine_to_the_mean_embedding(run):
    found = run(PAIRS, score="similarity", pooling="embedding").predictions
    method = mock_backbone().text_method.eval()
    tokens = method.text_encoder.tokenizer([(str(prompt),) for prompt in found["meta_prompts"]])
    vectors = method.encode_text(tokens).global_.detach().numpy()
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    owner, absent = found["meta_prompt_class"], found["meta_prompt_negative"]
    for c in range(2):
        cosines = []
        for kind in (False, True):
            mine = (owner == c) & (absent == kind)
            length = np.linalg.norm(units[mine].mean(0))
            cosines.append(found["prompt_score"][:, mine].mean(1) / length)
        assert found["score"][:, c] == pytest.approx(cosines[0] - cosines[1], abs=1e-5)
    other = run(PAIRS, score="similarity", pooling="mean").predictions
    assert np.abs(found["score"] - other["score"]).max() > 1e-3, "else this test shows nothing"


@pytest.mark.parametrize("prompts", [PAIRS, CLASSES_ALONE], ids=["pairs", "classes"])
def test_sigmoid_of_scaled_and_shifted_similarities(run, prompts):
    first = run(prompts, score="sigmoid", pooling="mean")
    bias = -10 * float(np.median(pooled(first.predictions, np.mean)[0]))  # decides both ways
    found = run(prompts, score="sigmoid", pooling="mean", scale=10.0, bias=bias)
    (present,) = pooled(found.predictions, np.mean)
    by_hand = 1 / (1 + np.exp(-(10 * present + bias)))
    assert 0 < (by_hand >= 0.5).mean() < 1
    assert found.predictions["score"] == pytest.approx(by_hand, rel=1e-5)
    assert found.predictions["meta_prompts"].tolist() == [
        "edema",
        "pulmonary edema",
        "effusion",
        "fluid seen",
    ]
    for c, name in enumerate(CLASSES):
        positive, decided = found.predictions["target"][:, c] == 1, by_hand[:, c] >= 0.5
        assert found.metrics[f"accuracy/{name}"] == pytest.approx((decided == positive).mean())
    assert not found.predictions["meta_one_class"]
    assert TASK.score(found.predictions, METRICS) == found.metrics


def test_a_sigmoid_keeps_auroc_and_its_bias_moves_decisions(run):
    low, high = (run(PAIRS, score="sigmoid", scale=5.0, bias=bias) for bias in (-9.0, 9.0))
    for name in CLASSES:
        assert low.metrics[f"auroc/{name}"] == pytest.approx(high.metrics[f"auroc/{name}"])
        assert (low.metrics[f"recall/{name}"], high.metrics[f"recall/{name}"]) == (0, 1)


def test_softmax_over_classes(run):
    found = run(CLASSES_ALONE, score="softmax", pooling="max", scale=3.0)
    (present,) = pooled(found.predictions, np.max)
    by_hand = np.exp(3 * present) / np.exp(3 * present).sum(1, keepdims=True)
    assert found.predictions["score"] == pytest.approx(by_hand, rel=1e-5)
    assert found.predictions["score"].sum(1) == pytest.approx(1)
    single = found.predictions["target"].sum(1) == 1
    right = by_hand.argmax(1) == found.predictions["target"].argmax(1)
    assert found.metrics["accuracy"] == pytest.approx(right[single].mean())
    plain = run(CLASSES_ALONE, score="similarity", pooling="max")
    assert plain.metrics["accuracy"] == found.metrics["accuracy"], "an argmax is the same"
    assert plain.metrics["auroc/Edema"] != found.metrics["auroc/Edema"], "ranks across images are not"


def test_high_probabilities_do_not_become_ties(tmp_path, context):
    """In float32 a sigmoid is 1 from 17 on, and all positives would share the rank of high negatives."""
    data = numbered_images(tmp_path, [1, 2], labels=("Edema",), targets=np.array([[1], [0]]))
    protocol = protocol_with({"Edema": ["is 1"]}, score="sigmoid", scale=1.0, bias=25.0, metrics=("auroc",))
    assert TASK.run(planted_backbone(), data, protocol, context).metrics["auroc"] == 1


def test_metrics_of_a_choice_are_left_out_of_a_sigmoid(run):
    result = run(CLASSES_ALONE, score="sigmoid", metrics=("auroc", "kappa", "accuracy_one_prompt"))
    assert result.undefined == {"kappa": NO_ARGMAX, "accuracy_one_prompt": NO_ARGMAX}
    assert "prompt_standardised" not in result.predictions


def test_corrupted_images_have_the_same_score(data, context):
    changes = {
        "options.corruptions": ("jpeg",),
        "options.severities": (1,),
        "metrics": ("auroc", "auroc_corrupted"),
    }
    protocol = protocols.load("clean/zero_shot_ensemble", {**TASK.with_prompts(PAIRS), **changes})
    found = TASK.run(mock_backbone(), data, protocol, context).predictions
    corrupted = found["corrupted_score"][:, 0]
    assert corrupted.shape == found["score"].shape and (corrupted > 0).all() and (corrupted < 1).all()
    assert np.abs(corrupted - found["score"]).max() < 0.1


def test_auroc_of_every_finding_can_be_resampled(run):
    """Intervals by patient score resampled predictions; a probability must not be decided twice."""
    result = run(PAIRS, score="pair_softmax", scale=5.0)
    rows = np.arange(len(result.predictions["id"]))[::-1]
    turned = {
        name: value if name.startswith(("meta_", "example_")) else value[rows]
        for name, value in result.predictions.items()
    }
    assert TASK.score(turned, METRICS) == pytest.approx(result.metrics)
    assert {f"auroc/{name}" for name in CLASSES} <= set(result.metrics)


# --- what does not fit ---


def test_a_method_with_local_features_has_no_mean_embedding(run):
    backbone = mock_backbone()
    plain = backbone.text_method.similarity
    backbone.text_method.similarity = lambda image, text: plain(image, text) + text.parts.mean()
    with pytest.raises(BenchError, match="(?s)no function of the cosine.*'mean' or 'max'"):
        run(PAIRS, backbone=backbone, pooling="embedding")
    assert run(PAIRS, backbone=backbone, pooling="mean").metrics


@pytest.mark.parametrize(
    ("prompts", "options", "message"),
    [
        (CLASSES_ALONE, {"score": "pair_softmax"}, r"options\.score: is 'pair_softmax'; the prompts have no"),
        ("sample", {"score": "pair_softmax"}, r"options\.score: is 'pair_softmax'; the prompts have no"),
        (PAIRS, {"score": "pairs"}, r"options\.score: unknown choice 'pairs'"),
        (PAIRS, {"score": "sigmoid", "normalise": "whole_set"}, "options.normalise: is 'whole_set'; prompts"),
        (
            CLASSES_ALONE,
            {"score": "softmax", "normalise": "per_batch"},
            r"options\.normalise: is 'per_batch'; the score 'softmax' needs 'none'",
        ),
        ("nih14_chexzero", {"normalise": "whole_set"}, "prompts with negatives need 'none'"),
        (PAIRS, {"score": "similarity", "scale": 2.0}, r"options\.scale: changes nothing"),
        (PAIRS, {"bias": 2.0}, r"options\.bias: changes nothing for the score 'pair_softmax'"),
        (PAIRS, {"scale": 0.0}, r"options\.scale: is 0.0; must be above 0"),
        (PAIRS, {"pooling": "embeddings"}, "(?s)unknown choice 'embeddings'.*did you mean embedding"),
    ],
)
def test_what_does_not_fit_is_said(prompts, options, message):
    with pytest.raises(BenchError, match=message):
        protocol_with(prompts, **options)


def test_a_softmax_over_one_class_is_refused(data):
    protocol = protocol_with({"Edema": ["Edema."]}, score="softmax")
    with pytest.raises(BenchError, match="softmax over the one class 'Edema' is 1 for every image"):
        TASK.check(data, protocol)


def test_exclusive_labels_may_be_some_of_all_unless_classes_compete(data):
    exclusive = dataclasses.replace(data, exclusive=True)
    for score in ("pair_softmax", "sigmoid"):
        TASK.check(exclusive, protocol_with({"Edema": PAIRS["Edema"]}, score=score))
    with pytest.raises(BenchError, match="has no prompts for Pleural Effusion"):
        TASK.check(exclusive, protocol_with({"Edema": PAIRS["Edema"]}, score="softmax"))


def test_prompts_of_a_data_set_are_one_override():
    for name in ("pairs", "ensemble", "best_prompt", "mean_prompt", "sigmoid"):
        protocol = protocols.load(f"clean/zero_shot_{name}", {"options.prompts": "nih14_chexzero"})
        assert protocol.options["prompts"] == "nih14_chexzero"
        assert TASK.versions(protocol) == {"prompts nih14_chexzero": 1}
    poolings = {
        name: protocols.load(f"clean/zero_shot_{name}").options["pooling"]
        for name in ("ensemble", "best_prompt", "mean_prompt")
    }
    assert poolings == {"ensemble": "embedding", "best_prompt": "max", "mean_prompt": "mean"}
