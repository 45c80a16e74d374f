"""Classification and zero-shot on corrupted images: one run gives the clean and all corrupted scores."""

import dataclasses
import json

import numpy as np
import pytest
from planted import STEP, numbered_images, planted_backbone

from prior_bench.errors import BenchError
from prior_bench.mock import mock_backbone
from prior_bench.registry import CORRUPTIONS
from prior_bench.statistics.bootstrap import interval
from prior_bench.suites import protocols
from tasks.classification import Classification
from tasks.zero_shot import ZeroShot

PROBE = protocols.load("clean/linear_probe")
FIVE = ("Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Pleural Effusion")


@pytest.fixture(autouse=True)
def made_up(monkeypatch):
    """Corruptions whose effect is known: nothing at all, and one number further."""
    monkeypatch.setattr(CORRUPTIONS, "_module_dict", dict(CORRUPTIONS._module_dict))
    CORRUPTIONS._module_dict["nothing"] = lambda image, severity, random: image
    CORRUPTIONS._module_dict["next"] = lambda image, severity, random: image + np.uint8(STEP * severity)


def corrupted(protocol, *metrics, **options):
    return dataclasses.replace(protocol, metrics=metrics, options={**protocol.options, **options})


# --- linear probe ---


def test_the_probe_is_fitted_on_clean_images_and_tested_on_all(tiny, context):
    task, backbone = Classification(), mock_backbone()
    protocol = corrupted(
        PROBE, "auroc", "auroc_corrupted", "auroc_drop", corruptions=("nothing", "noise"), severities=(1, 5)
    )
    task.check(tiny, protocol)
    plain = task.run(mock_backbone(), tiny, dataclasses.replace(PROBE, metrics=("auroc",)), context)
    result = task.run(backbone, tiny, protocol, context)
    assert backbone.image_encoder.images_seen == 4 * 12, "the test images again, under each condition"
    for name, values in plain.predictions.items():
        assert np.array_equal(result.predictions[name], values), name
    assert result.history == plain.history and result.metrics["auroc"] == plain.metrics["auroc"] > 0.9
    scores = result.predictions["corrupted_score"]
    assert scores.shape == (12, 4, 2) and scores.dtype == np.float32
    assert result.predictions["meta_corruptions"].tolist() == ["nothing_1", "nothing_5", "noise_1", "noise_5"]
    assert np.array_equal(scores[:, 0], result.predictions["score"])
    assert result.metrics["auroc_corrupted/nothing"] == result.metrics["auroc"]
    assert result.metrics["auroc_drop/nothing"] == 0
    assert np.abs(scores[:, 3] - scores[:, 0]).mean() > np.abs(scores[:, 2] - scores[:, 0]).mean() > 0
    assert result.trivial["chance"]["auroc_corrupted/noise_5"] == 0.5
    bounds = interval(lambda p: task.score(p, protocol.metrics), result.predictions, n=20)
    assert bounds["auroc_corrupted/noise"][0] <= result.metrics["auroc_corrupted/noise"]


def test_corrupted_features_come_from_the_cache_by_their_condition(tiny, context):
    protocol = corrupted(PROBE, "auroc_corrupted", corruptions=("noise", "blur"), severities=(1, 5))
    first = Classification().run(mock_backbone(), tiny, protocol, context).predictions["corrupted_score"]
    assert len({scores.tobytes() for scores in first.transpose(1, 0, 2)}) == 4, "none is taken for another"
    other = dataclasses.replace(context, fraction=0.5)
    again = mock_backbone()
    Classification().run(again, tiny, protocol, other)
    assert again.image_encoder.images_seen == 0
    repeated = Classification().run(again, tiny, protocol, context).predictions["corrupted_score"]
    assert np.array_equal(first, repeated)


def test_a_head_trained_by_gradient_is_refused(tiny):
    for name in ("clean/finetune", "mgca/linear_chexpert"):
        protocol = corrupted(protocols.load(name), "auroc", "auroc_corrupted", corruptions=("noise",))
        with pytest.raises(BenchError, match="corruptions need a head.*\n.*logistic_regression"):
            Classification().check(tiny, protocol)


def test_wrong_conditions_are_said_before_anything_runs(tiny):
    wrong = corrupted(PROBE, "auroc_corrupted", corruptions=("blurr",), severities=(6,))
    with pytest.raises(
        BenchError,
        match="(?s)options.corruptions.0.: .*did you mean blur.*severities.0.: is 6; must be at most 5",
    ):
        Classification().check(tiny, wrong)
    with pytest.raises(BenchError, match="did you mean auroc"):
        Classification().check(tiny, corrupted(PROBE, "aurok_corrupted", corruptions=("blur",)))


@pytest.mark.parametrize("name", ["clean/linear_probe_corrupted", "demo/linear_probe_corrupted"])
def test_shipped_probe_protocols_fit(name, tiny):
    Classification().check(tiny, protocols.load(name))


@pytest.mark.parametrize(
    "name", [n for n in protocols.names() if n.endswith(("shot_corrupted", "shot_prompts"))]
)
def test_shipped_zero_shot_protocols_fit(name, tiny):
    ZeroShot().check(tiny, protocols.load(name))


# --- zero-shot ---


@pytest.fixture
def zero_shot(tmp_path):
    """Prompts that name the number of their class, two for each."""
    path = tmp_path / "numbers.json"
    classes = {name: [f"class {i}", f"this is {i}"] for i, name in enumerate(FIVE)}
    path.write_text(json.dumps({"name": "numbers", "version": 3, "source": "test", "classes": classes}))
    return protocols.load("clean/zero_shot", {"options": {"prompts": str(path), "prompts_per_class": None}})


def five_classes(folder):
    numbers = list(range(5)) * 4
    return numbered_images(folder, numbers, labels=FIVE, targets=np.eye(5)[numbers], exclusive=True)


def test_zero_shot_under_corruptions_whose_effect_is_known(tmp_path, context, zero_shot):
    protocol = corrupted(
        zero_shot,
        "accuracy",
        "accuracy_corrupted",
        "accuracy_drop",
        corruptions=("nothing", "next"),
        severities=(1, 2),
    )
    data, backbone = five_classes(tmp_path), planted_backbone()
    ZeroShot().check(data, protocol)
    result = ZeroShot().run(backbone, data, protocol, context)
    assert result.metrics["accuracy"] == result.metrics["accuracy_corrupted/nothing"] == 1
    # every image is taken for the next class; those of the last one score alike, and the first class wins
    assert result.metrics["accuracy_corrupted/next"] == 0
    assert result.metrics["accuracy_corrupted"] == result.metrics["accuracy_drop"] == 0.5
    assert result.trivial["chance"]["accuracy_corrupted/next_1"] == pytest.approx(0.2)


def test_each_condition_is_standardised_by_itself(tiny, context):
    options = dict(
        prompts="sample", prompts_per_class=None, corruptions=("noise", "contrast"), severities=(2,)
    )
    protocol = corrupted(protocols.load("clean/zero_shot"), "auroc", "auroc_corrupted", **options)
    backbone, calls = mock_backbone(), []
    encode = backbone.method.encode_text
    backbone.method.encode_text = lambda text: calls.append(len(text.input_ids)) or encode(text)
    result = ZeroShot().run(backbone, tiny, protocol, context)
    assert calls == [10], "all prompts are encoded once for all conditions"
    scores = result.predictions["corrupted_score"]
    assert scores.shape == (12, 2, 2)
    assert scores.mean(0) == pytest.approx(0, abs=1e-4) and scores.std(0) == pytest.approx(1, abs=1e-4)
    assert not np.allclose(scores[:, 0], result.predictions["score"])
    alone = corrupted(protocols.load("clean/zero_shot"), "auroc", prompts="sample", prompts_per_class=None)
    clean = ZeroShot().run(mock_backbone(), tiny, alone, context)
    assert np.array_equal(clean.predictions["score"], result.predictions["score"])
    assert "corrupted_score" not in clean.predictions


def test_wording_is_judged_from_the_stored_scores(tiny, context):
    metrics = ("accuracy", "accuracy_one_prompt", "accuracy_prompt_std", "accuracy_prompt_worst")
    protocol = corrupted(
        protocols.load("clean/zero_shot"), *metrics, prompts="sample", prompts_per_class=None
    )
    ZeroShot().check(tiny, protocol)
    result = ZeroShot().run(mock_backbone(), tiny, protocol, context)
    kept = result.predictions["prompt_standardised"]
    assert kept.shape == (12, 10) and kept.mean(0) == pytest.approx(0, abs=1e-4)
    # with a single prompt per class the task itself must say what the draws say of that pair
    one, two = kept[:, 0], kept[:, 5]
    single = (result.predictions["target"] == 1).sum(1) == 1
    right = (two > one)[single] == (result.predictions["target"][single, 1] == 1)
    pair = dict(result.predictions, prompt_standardised=kept[:, [0, 5]], meta_prompt_class=np.array([0, 1]))
    assert ZeroShot().score(pair, ("accuracy_one_prompt",))["accuracy_one_prompt"] == right.mean()
    assert result.metrics["accuracy_prompt_worst"] <= result.metrics["accuracy_one_prompt"]
    bounds = interval(lambda p: ZeroShot().score(p, metrics), result.predictions, n=20)
    assert set(bounds) == set(metrics)
    unasked = ZeroShot().run(
        mock_backbone(), tiny, dataclasses.replace(protocol, metrics=("accuracy",)), context
    )
    assert "prompt_standardised" not in unasked.predictions
