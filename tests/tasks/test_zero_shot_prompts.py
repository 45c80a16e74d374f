"""Zero-shot classification with a user's own prompts: negatives of a label, keys, and what does not fit."""

import json

import numpy as np
import pytest
from planted import numbered_images, planted_backbone

from prior_bench.errors import BenchError
from prior_bench.suites import protocols
from tasks.zero_shot import NO_ARGMAX, ZeroShot

TASK = ZeroShot()
PAIR = {"Pneumonia": {"positive": ["is 1"], "negative": ["is 0"]}}
"""The planted method likes image k and text k alone."""
TWO = {
    "Pneumonia": {"positive": ["is 1"], "negative": ["is 0", "is 2", "is 3"]},
    "Edema": {"positive": ["is 2", "is 3"], "negative": ["is 0", "is 1"]},
}


def with_prompts(prompts, **changes):
    overrides = {**TASK.with_prompts(prompts), **changes}
    return protocols.load("clean/zero_shot", overrides)


def one_label(folder, numbers, target):
    targets = np.array(target, float)[:, None]
    return numbered_images(folder, numbers, labels=("Pneumonia",), targets=targets)


def test_a_binary_label_has_accuracy_f1_and_auroc(tmp_path, context):
    # image 1 goes to the positive prompt, image 0 to the negative one; one of each is labelled otherwise
    data = one_label(tmp_path, [1, 1, 1, 0, 0, 1], [1, 1, 0, 0, 1, np.nan])
    protocol = with_prompts(PAIR)
    TASK.check(data, protocol)
    result = TASK.run(planted_backbone(), data, protocol, context)
    assert result.predictions["score"].ravel().tolist() == [1, 1, 1, -1, -1, 1]
    assert result.metrics["accuracy"] == pytest.approx(3 / 5)
    assert result.metrics["precision"] == result.metrics["recall"] == pytest.approx(2 / 3)
    assert result.metrics["f1"] == pytest.approx(2 / 3)
    assert result.metrics["auroc"] == pytest.approx((2 * 0.75 + 0.25) / 3)
    assert set(result.undefined) == {"kappa"} and result.undefined["kappa"] == NO_ARGMAX
    assert result.trivial["chance"]["accuracy"] == 0.5
    assert result.trivial["all_positive"]["recall"] == 1
    assert result.predictions["meta_prompt_negative"].tolist() == [False, True]
    assert TASK.score(result.predictions, protocol.metrics) == result.metrics


def test_a_tie_is_decided_as_present(tmp_path, context):
    result = TASK.run(planted_backbone(), one_label(tmp_path, [5, 5], [1, 0]), with_prompts(PAIR), context)
    assert result.metrics["recall"] == 1 and result.metrics["precision"] == 0.5


def test_several_labels_are_decided_one_by_one(tmp_path, context):
    targets = np.array([[1, 0], [0, 1], [0, 0], [1, 1]], float)
    data = numbered_images(tmp_path, [1, 3, 0, 1], labels=("Pneumonia", "Edema"), targets=targets)
    result = TASK.run(planted_backbone(), data, with_prompts(TWO), context)
    # of Edema, image 3 is found; the last image, which has both, looks like Pneumonia alone
    assert result.metrics["recall/Edema"] == 0.5 and result.metrics["precision/Edema"] == 1
    assert result.metrics["accuracy/Pneumonia"] == 1 and result.metrics["accuracy"] == pytest.approx(7 / 8)
    assert not result.predictions["meta_one_class"]


def test_exclusive_labels_may_be_decided_one_by_one(tmp_path, context):
    data = numbered_images(
        tmp_path, [1, 2, 0], labels=("Pneumonia", "Edema"), targets=np.eye(3)[:, :2], exclusive=True
    )
    protocol = with_prompts({"Pneumonia": TWO["Pneumonia"]})
    TASK.check(data, protocol)
    assert TASK.run(planted_backbone(), data, protocol, context).metrics["f1"] == 1


def test_all_prompts_are_used_though_the_protocol_draws_some(tmp_path, context):
    many = {"Pneumonia": [f"is {n}" for n in range(9)]}
    data = one_label(tmp_path, [1, 0], [1, 0])
    result = TASK.run(planted_backbone(), data, with_prompts(many), context)
    assert len(result.predictions["meta_prompts"]) == 9
    drawn = with_prompts(many, **{"options.prompts_per_class": 2})
    assert len(TASK.run(planted_backbone(), data, drawn, context).predictions["meta_prompts"]) == 2


def test_the_content_is_in_the_protocol_not_the_path(tmp_path):
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    first.write_text(json.dumps(PAIR))
    second.write_text(json.dumps({"classes": PAIR}))
    one, other = with_prompts(str(first)), with_prompts(str(second))
    assert one == other and one.options["prompts"]["classes"] == PAIR
    assert str(tmp_path) not in json.dumps(one.to_dict())
    second.write_text(json.dumps({"Pneumonia": {"positive": ["is 1"], "negative": ["is 4"]}}))
    assert with_prompts(str(second)) != one
    # the same where a suite, or --set, names a file
    changes = {"prompts": str(first), "prompts_per_class": None, "normalise": "none"}
    assert protocols.load("clean/zero_shot", {"options": changes}).options == one.options
    with pytest.raises(BenchError, match=r"second\.json.*cannot be used"):
        second.write_text("{}")
        protocols.load("clean/zero_shot", {"options.prompts": str(second)})


def test_own_prompts_replace_those_of_a_protocol(tmp_path):
    own = tmp_path / "mine.py"
    own.write_text(
        "options = dict(prompts=dict(Mass=['A mass.']))\n"
        "protocol = dict(task='zero_shot', metrics=('auroc',), options=options)\n"
    )
    assert list(protocols.load(str(own)).options["prompts"]["classes"]) == ["Mass"]
    found = protocols.load(str(own), TASK.with_prompts({"Edema": ["Edema."]}))
    assert list(found.options["prompts"]["classes"]) == ["Edema"]


def test_negatives_are_not_standardised():
    for changes in ({"options.normalise": "whole_set"}, {"options.normalise": "per_batch"}):
        with pytest.raises(
            BenchError, match=r"options\.normalise: is '\w+'; prompts with negatives need 'none'"
        ):
            with_prompts(PAIR, **changes)
    assert with_prompts(PAIR).options["normalise"] == "none"
    assert with_prompts({"Edema": ["Edema."]}).options["normalise"] == "whole_set"


def test_a_class_that_is_no_label_is_named_with_the_nearest_one(tmp_path):
    data = numbered_images(tmp_path, [0, 1], labels=("Pneumonia", "Edema"), targets=np.eye(2))
    with pytest.raises(BenchError, match="(?s)name 'Pneumona', which is no label.*did you mean Pneumonia"):
        TASK.check(data, with_prompts({"Pneumona": ["Pneumonia."]}))
    TASK.check(data, with_prompts({"Edema": ["Edema."]}))
    everything = {name: [name] for name in ("Edema", "Pneumonia", "Mass")}
    TASK.check(data, with_prompts(everything))  # one file for several data sets, or for some of their labels


def test_a_shipped_set_is_known_by_its_name():
    assert TASK.with_prompts("sample") == {"options.prompts": "sample", "options.prompts_per_class": None}
    assert TASK.versions(with_prompts("sample")) == {"prompts sample": 1}
    assert TASK.versions(with_prompts(PAIR)) == {"prompts own": 1}
    assert with_prompts("sample").options["prompts"] == "sample"


def test_conditions_of_corrupted_images_are_decided_alike(tmp_path, context):
    data = one_label(tmp_path, [1, 1, 0, 0], [1, 0, 0, 1])
    overrides = {
        **TASK.with_prompts(PAIR),
        "metrics": ("accuracy", "accuracy_corrupted", "accuracy_prompt_std"),
        "options.corruptions": ("jpeg",),
        "options.severities": (1,),
    }
    protocol = protocols.load("clean/zero_shot_corrupted", overrides)
    result = TASK.run(planted_backbone(), data, protocol, context)
    assert result.metrics["accuracy_corrupted"] == result.metrics["accuracy"] == 0.5
    assert result.undefined == {"accuracy_prompt_std": NO_ARGMAX}
