"""Methods whose score of a text depends on the others: all texts at once, and which texts these are."""

import json

import numpy as np
import pytest
import torch
from planted import Planted, numbered_images, planted_backbone

from prior_bench.api import Backbone, Features
from prior_bench.errors import BenchError
from prior_bench.features.cosine import cosine_fit
from prior_bench.features.similarity import TEXTS_AT_ONCE, similarity_matrix
from prior_bench.suites import protocols
from tasks.retrieval import TOGETHER, Retrieval
from tasks.zero_shot import ZeroShot

TASK = ZeroShot()


class Together(Planted):
    """The score is the cosine less the mean over the texts of the call."""

    texts_together = True

    def similarity(self, image, text):
        cosine = super().similarity(image, Features(text.parts.mean(1)))
        return cosine - cosine.mean(1, keepdim=True)

    def encode_text(self, text):
        found = super().encode_text(text).global_
        return Features(found, torch.stack([found, found], dim=1))


def together():
    method = Together(dim=100)
    return Backbone("together", method.image_encoder, method, planted_backbone().input, "together")


def protocol_with(prompts, **options):
    changes = {f"options.{key}": value for key, value in options.items()}
    changes = {
        "options.normalise": "none",
        "options.prompts_per_class": None,
        "metrics": ("auroc",),
        **changes,
    }
    return protocols.load("clean/zero_shot", {**TASK.with_prompts(prompts), **changes})


def test_all_texts_are_compared_in_one_call(tmp_path, context):
    data, count = numbered_images(tmp_path, [1, 3]), TEXTS_AT_ONCE + 9
    texts = [(f"is {k}",) for k in range(count)]
    found = similarity_matrix(together(), data, texts, context)
    by_hand = np.zeros((2, count))
    by_hand[[0, 1], [1, 3]] = 1
    assert found == pytest.approx(by_hand - 1 / count, abs=1e-6)
    assert cosine_fit(together(), data, texts, context) is None


@pytest.fixture
def data(tmp_path):
    targets = np.array([[1, 0], [0, 1], [0, 0]])
    return numbered_images(tmp_path, [1, 2, 3], labels=("Edema", "Mass"), targets=targets)


PROMPTS = {"Edema": ["is 1"], "Mass": ["is 2"], "Hernia": ["is 3"]}


def test_the_classes_of_the_data_or_all_of_the_set_are_asked(data, context):
    scores = {}
    for queries, others in (("classes", 2), ("prompt_set", 3)):
        result = TASK.run(together(), data, protocol_with(PROMPTS, queries=queries), context)
        scores[queries] = result.predictions["score"]
        wanted = np.eye(3)[:, :2] - np.array([1, 1, others - 2])[:, None] / others
        assert scores[queries] == pytest.approx(wanted, abs=1e-6)
        assert result.predictions["prompt_score"].shape == (3, 2)
        assert result.predictions["meta_prompts"].tolist() == ["is 1", "is 2"]
    assert np.abs(scores["classes"] - scores["prompt_set"]).max() > 0.1


def test_further_queries_change_no_cosine(data, context):
    one, other = (
        TASK.run(planted_backbone(), data, protocol_with(PROMPTS, **given), context).predictions["score"]
        for given in ({}, {"queries": "prompt_set"})
    )
    assert np.array_equal(one, other)
    needed = TASK.needed_vectors(data, protocol_with(PROMPTS, queries="prompt_set")).texts
    assert needed == [("is 1",), ("is 2",), ("is 3",)]
    assert TASK.needed_vectors(data, protocol_with(PROMPTS)).texts == [("is 1",), ("is 2",)]


def test_a_label_without_prompts_is_left_out_only_if_the_set_is_asked_whole(data):
    prompts = {"Edema": ["is 1"], "Hernia": ["is 3"]}
    TASK.check(data, protocol_with(prompts, queries="prompt_set"))
    with pytest.raises(BenchError, match="the prompts name 'Hernia', which is no label"):
        TASK.check(data, protocol_with(prompts))
    with pytest.raises(BenchError, match="which is no label"):
        TASK.check(data, protocol_with({"Hernia": ["is 3"]}, queries="prompt_set"))


def test_no_mean_embedding_is_asked_beside_further_queries():
    pairs = {"Edema": {"positive": ["is 1"], "negative": ["is 0"]}}
    with pytest.raises(
        BenchError, match=r"options\.pooling: is 'embedding', which no decoder of findings has"
    ):
        TASK.check(None, protocol_with(pairs, queries="prompt_set", pooling="embedding"))


def test_retrieval_is_not_planned_and_old_keys_stay():
    protocol = protocols.load("clean/retrieval")
    assert Retrieval().lacks(Together, protocol) == TOGETHER and Retrieval().lacks(Planted, protocol) == ""
    for name in ("clean/zero_shot", "clean/zero_shot_pairs", "gloria/zero_shot"):
        assert "queries" not in json.dumps(protocols.load(name).options), "old protocols have old keys"
