import dataclasses
import json

import numpy as np
import pytest
from planted import numbered_images, planted_backbone

from prior_bench.data.texts import prompts
from prior_bench.errors import BenchError
from prior_bench.metrics.prompt_scores import standardise
from prior_bench.mock import mock_backbone
from prior_bench.suites import protocols
from tasks.zero_shot import ZeroShot

TASK = ZeroShot()
CLEAN = protocols.load("clean/zero_shot")
FIVE = ("Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Pleural Effusion")


@pytest.fixture
def protocol(tmp_path):
    """Prompts that name the number of their class, two for each."""
    path = tmp_path / "numbers.json"
    classes = {name: [f"class {i}", f"this is {i}"] for i, name in enumerate(FIVE)}
    path.write_text(json.dumps({"name": "numbers", "version": 3, "source": "test", "classes": classes}))
    return protocols.load("clean/zero_shot", {"options": {"prompts": str(path), "prompts_per_class": None}})


def five_classes(folder, each=4):
    numbers = list(range(5)) * each
    targets = np.eye(5)[numbers]
    return numbered_images(folder, numbers, labels=FIVE, targets=targets, exclusive=True)


def test_orthogonal_embeddings_are_all_right(tmp_path, context, protocol):
    data = five_classes(tmp_path)
    TASK.check(data, protocol)
    result = TASK.run(planted_backbone(), data, protocol, context)
    assert all(result.metrics[m] == 1 for m in ("accuracy", "f1", "precision", "recall", "kappa", "auroc"))
    assert result.trivial["chance"]["accuracy"] == pytest.approx(0.2)
    assert result.predictions["prompt_score"].shape == (20, 10)
    points = result.predictions["example_embedding"]  # of joint features: five unit vectors, four times each
    assert len(np.unique(points.round(2), axis=0)) == 5 and np.array_equal(points[:5], points[5:10])
    assert result.predictions["example_row"].tolist() == list(range(20))
    assert result.split["prompts"].startswith("numbers v3, hash ") and result.split["test"] == 20


def test_one_class_taken_for_another(tmp_path, context, protocol):
    result = TASK.run(planted_backbone(wrong={4: 3}), five_classes(tmp_path), protocol, context)
    assert result.metrics["accuracy"] == 0.8
    assert result.metrics["recall/Pleural Effusion"] == 0
    assert result.metrics["precision/Edema"] == 0.5
    assert result.metrics["f1"] == pytest.approx((1 + 1 + 1 + 2 / 3 + 0) / 5)
    assert result.metrics["kappa"] == pytest.approx((0.8 - 0.2) / 0.8)


def test_an_untrained_method_is_near_chance(tiny, context):
    options = {"options": {"prompts": "sample", "prompts_per_class": None}}
    protocol = protocols.load("clean/zero_shot", options)
    accuracies = []
    for seed in range(6):
        backbone = mock_backbone(seed=seed)
        accuracies.append(TASK.run(backbone, tiny, protocol, context).metrics["accuracy"])
    assert 0.2 < np.mean(accuracies) < 0.8, "two classes"


def test_multi_label_images_count_where_one_class_is_present(tmp_path, context, protocol):
    targets = np.eye(5)[[0, 1, 2, 3, 4]]
    targets[0, 1] = 1  # two findings
    targets[2] = 0  # none
    data = numbered_images(tmp_path, list(range(5)), labels=FIVE, targets=targets)
    result = TASK.run(planted_backbone(wrong={4: 3}), data, protocol, context)
    assert result.metrics["accuracy"] == pytest.approx(2 / 3)
    assert result.metrics["auroc/Cardiomegaly"] == pytest.approx((1 + 0.5) / 2)
    assert "auroc/Consolidation" not in result.metrics


def test_one_binary_label_has_no_accuracy_by_the_argmax(tmp_path, context, protocol):
    data = numbered_images(tmp_path, [0, 0, 1, 1], labels=FIVE[:1], targets=np.array([[1], [1], [0], [0]]))
    result = TASK.run(planted_backbone(), data, protocol, context)
    assert set(result.metrics) == {"auroc", f"auroc/{FIVE[0]}"}
    assert set(result.undefined) == set(protocol.metrics) - {"auroc"}
    (why,) = set(result.undefined.values())
    assert why.startswith("only one class is scored, so an argmax has no choice; prompts with negatives")
    assert all(set(values) <= set(result.metrics) for values in result.trivial.values())


def test_images_of_one_class_leave_the_argmax_out(tmp_path, context, protocol):
    targets = np.eye(5)[[0, 0, 1]]
    targets[2, 2] = 1  # two findings: not judged
    data = numbered_images(tmp_path, [0, 0, 1], labels=FIVE, targets=targets)
    result = TASK.run(planted_backbone(), data, protocol, context)
    assert set(result.metrics) == {"auroc", *(f"auroc/{name}" for name in FIVE[:3])}
    assert "do not show two different classes" in result.undefined["accuracy"]


def test_whole_set_scores_do_not_depend_on_order_but_batches_do(tmp_path, context, protocol):
    data = five_classes(tmp_path)
    rng = np.random.default_rng(0)
    noise = dict(zip(data.table["id"], rng.normal(size=(20, 5)), strict=True))
    order = rng.permutation(20)
    scores = np.stack([noise[i] for i in data.table["id"]])
    assert standardise(scores[order], "whole_set", 4) == pytest.approx(
        standardise(scores, "whole_set", 4)[order]
    )
    assert standardise(scores[order], "per_batch", 4) != pytest.approx(
        standardise(scores, "per_batch", 4)[order]
    )


def test_batches_take_the_images_in_a_given_order():
    scores, order = np.random.default_rng(0).normal(size=(6, 2)), np.array([5, 0, 3, 1, 4, 2])
    found = standardise(scores, "per_batch", 4, order)
    batch = scores[[5, 0, 3, 1]]
    assert found[0] == pytest.approx(((batch - batch.mean(0)) / batch.std(0))[1])
    assert found != pytest.approx(standardise(scores, "per_batch", 4))


def test_prompts_are_drawn_by_the_runs_seed(tmp_path, context):
    data = five_classes(tmp_path)
    draw = prompts.load("chexpert_5x200_gloria").sample(5, seed=1)
    assert draw == prompts.load("chexpert_5x200_gloria").sample(5, seed=1)
    assert draw != prompts.load("chexpert_5x200_gloria").sample(5, seed=2)
    assert all(len(set(p)) == 5 for p in (draw.classes["Atelectasis"], draw.classes["Edema"]))
    backbone = mock_backbone()
    runs = [
        TASK.run(backbone, data, CLEAN, dataclasses.replace(context, seed=seed)).predictions["meta_prompts"]
        for seed in (1, 1, 2)
    ]
    assert runs[0].tolist() == runs[1].tolist() != runs[2].tolist()
    assert runs[0].tolist() == [p for c in FIVE for p in draw.classes[c]]


def test_gloria_prompts_are_the_full_products():
    classes = prompts.load("chexpert_5x200_gloria").classes
    assert [len(classes[name]) for name in FIVE] == [210, 15, 192, 18, 54]
    assert classes["Atelectasis"][0] == " subsegmental atelectasis at the mid lung zone"
    assert classes["Cardiomegaly"][0] == " cardiac silhouette size is upper limits of normal "
    assert "apperance of patchy consolidation at the right uppper lobe" in classes["Consolidation"]
    assert "presistent pulmonary edema " in classes["Edema"]
    assert classes["Pleural Effusion"][3] == " right bilateral pleural effusion"


def test_prior_prompts_and_sample_prompts_name_the_five_classes():
    prior = prompts.load("chexpert_5x200_prior").classes
    assert prior == {name: (f"{name} is observed",) for name in FIVE}
    sample = prompts.load("sample").classes
    assert set(FIVE) <= set(sample) and all(len(sample[name]) >= 3 for name in FIVE)


def test_what_does_not_fit_is_said(tmp_path, tiny):
    with pytest.raises(BenchError, match="(?s)did you mean sample.*options.pooling"):
        protocols.load("clean/zero_shot", {"options": {"pooling": "median", "prompts": "sampel"}})
    other = numbered_images(tmp_path, [0, 1], labels=("Cat", "Dog"), targets=np.eye(2), exclusive=True)
    with pytest.raises(BenchError, match="no prompts for Cat, Dog"):
        TASK.check(other, CLEAN)
    with pytest.raises(BenchError, match="did you mean prompts"):
        protocols.load("clean/zero_shot", {"options": {"promts": "sample"}})
