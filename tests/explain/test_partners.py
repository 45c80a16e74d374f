"""Wrong partners: a loss that looks at the pair rises with them, and one that does not is named."""

import json

import pytest
import torch
from planted import STEP, numbered_images, planted_backbone

from prior_bench.explain.partners import BATCH, partner_arrays, partner_losses


def numbers(images):
    return (images.mean((1, 2, 3)) * 255 / STEP).round()


def losses(batch):
    """A term that looks at the pair, one at the report only, one that draws, and a number that is no loss."""
    report = batch.text.input_ids[:, 0].float()
    return {
        "loss_pair": (numbers(batch.images) - report).abs().mean(),
        "loss_blind": report.mean(),
        "loss_noisy": report.mean() + torch.randn(()),
        "temperature": torch.tensor(1.0),
    }


def backbone():
    made = planted_backbone()
    made.method.loss = losses
    return made


def compared(tmp_path, context, count, **columns):
    reports = [(f"Study {n % 12}.",) for n in range(count)]
    data = numbered_images(tmp_path, [n % 12 for n in range(count)], report=reports, **columns)
    return {p.term: p for p in partner_losses(backbone(), data, context)}


def test_a_term_that_looks_at_the_pair_is_told_from_one_that_does_not(tmp_path, context):
    found = compared(tmp_path, context, 4 * BATCH)
    assert list(found) == ["pair", "blind", "noisy"] and found["pair"].batches == 4
    assert found["pair"].rise_interval[0] > 0 and found["pair"].verdict == "depends on the pair"
    for term in ("blind", "noisy"):
        assert found[term].rise == 0 and found[term].own == found[term].other, "the same draws for both"
        assert found[term].verdict == "does not depend on the pair"


def test_the_last_incomplete_batch_is_left_out(tmp_path, context):
    assert compared(tmp_path, context, 2 * BATCH + 3)["pair"].batches == 2


def test_few_images_are_one_smaller_batch_and_are_not_tested(tmp_path, context):
    found = compared(tmp_path, context, 5)["pair"]
    assert found.batches == 1 and found.rise > 0 and found.verdict == "not tested"


def test_a_patient_is_never_its_own_wrong_partner(tmp_path, context):
    found = compared(tmp_path, context, 6, patient_id=["a", "a", "a", "b", "b", "b"])
    assert found["pair"].batches == 1
    assert compared(tmp_path, context, 3, patient_id=["a", "a", "a"]) == {}


def test_they_are_stored_with_a_tasks_predictions(tmp_path, context):
    found = compared(tmp_path, context, 2 * BATCH)
    arrays = partner_arrays(list(found.values()))
    assert arrays["meta_partner_term"].tolist() == list(found)
    pair = found["pair"]
    assert arrays["meta_partner_loss"][0].tolist() == [pair.own, pair.other, pair.rise, *pair.rise_interval]
    assert arrays["meta_partner_verdict"][0] == pair.verdict
    assert partner_arrays([]) == {}


def test_at_most_so_many_images_are_used(tmp_path, context):
    data = numbered_images(tmp_path, [n % 12 for n in range(64)], report=[("Study 1.",)] * 64)
    assert partner_losses(backbone(), data, context, at_most=32)[0].batches == 2


def test_a_method_without_a_loss_has_none(tmp_path, context):
    data = numbered_images(tmp_path, [1, 2], report=[("Study 1.",), ("Study 2.",)])
    assert partner_losses(planted_backbone(), data, context) == []


@pytest.mark.parametrize("key", ["term", "own", "other", "rise", "rise_interval", "batches", "verdict"])
def test_they_are_part_of_an_explanation(tmp_path, context, key):
    from prior_bench.explain.explanation import explain

    reports = [(f"Study {n % 12}.",) for n in range(2 * BATCH)]
    data = numbered_images(tmp_path, [n % 12 for n in range(2 * BATCH)], report=reports)
    found = explain(backbone(), data, context, count=1)
    (pair, *_) = json.loads(json.dumps(found.to_dict()))["partners"]
    assert key in pair
    assert any("loss pair" in line and "depends on the pair" in line for line in found.lines())
