"""The suites of the sample benchmark: equal budgets for all methods, and cohorts that are kept apart."""

from dataclasses import replace

import pytest

from prior_bench.pretraining.config import load_config
from prior_bench.report.tables.config import load_table
from prior_bench.suites import protocols
from prior_bench.suites.suite import load_suite

PRETRAINED = {
    "demo": 4,
    "study": 5,
    "study_grounding": 5,
    "study_validation": 5,
    "sample_tuning": 21,
    "sample_tuning_gloria": 6,
    "sample_tuning_finetune": 5,
}


def configs(suite):
    rows = [row for row in load_suite(suite).backbones if row["type"] == "pretrain"]
    return {row["name"]: load_config(row["config"], row.get("overrides")) for row in rows}


@pytest.mark.parametrize("suite", PRETRAINED)
def test_all_methods_have_equal_data_updates_and_encoders(suite):
    found = configs(suite)
    assert len(found) == PRETRAINED[suite]

    def budget(config):
        image, text = config.method["image_encoder"], config.method["text_encoder"]
        # the same network; the pool of the global feature and the stage of the patches are the method's
        encoders = {k: v for k, v in image.items() if k not in ("pool", "local_stage")}, text["config"]
        return config.schedule.ends[-1], config.batch_size, config.data, config.vocab_size, encoders

    first, *others = [budget(config) for config in found.values()]
    assert all(other == first for other in others)


def choices(row):
    config = load_config(row["config"], row.get("overrides"))
    return config.optimizer.lr, config.method["image_encoder"]["local_stage"]


@pytest.mark.parametrize("suite", ["demo", "study"])
def test_learning_rates_and_patches_are_among_those_that_tuning_compares(suite):
    compared = {}
    for row in load_suite("sample_tuning").backbones + load_suite("sample_tuning_gloria").backbones:
        compared.setdefault(row["config"], set()).add(choices(row))
    rates = {frozenset(rate for rate, _ in found) for found in compared.values()}
    assert len(rates) == 1, "one grid of rates for all methods"
    for config, found in compared.items():
        assert len({stage for _, stage in found}) == 1 + (config != "convirt_sample"), "and two of patches"
    for row in load_suite(suite).backbones:
        if row["type"] == "pretrain":
            assert choices(row) in compared[row["config"]], row["name"]


def test_tuning_the_demo_and_the_study_have_cohorts_of_their_own():
    references = {suite: {e["data"] for e in load_suite(suite).evaluations} for suite in PRETRAINED}
    for suite, found in references.items():
        own = {"demo": "sample:", "study": "sample_study:", "study_grounding": "sample_study:"}
        own = own.get(suite, "sample_validation:")
        assert all(reference.startswith(own) for reference in found)


def test_fine_tuning_is_one_of_those_that_tuning_compares():
    tuned, study, chosen = (
        load_suite("sample_tuning_finetune"),
        load_suite("study"),
        protocols.load("demo/finetune"),
    )
    compared = [protocols.load(e["protocol"]) for e in tuned.evaluations]
    settings = {
        (p.head["norm"], p.optimizer["backbone_lr_scale"], p.options.get("pool", "own")) for p in compared
    }
    assert len(settings) == len(compared) == 5
    assert {pool for *_, pool in settings} == {"own", "mean"}
    assert [chosen] == [
        replace(p, name=chosen.name) for p in compared if replace(p, name=chosen.name) == chosen
    ]
    for protocol in compared:
        optimizer = {**protocol.optimizer, "backbone_lr_scale": chosen.optimizer["backbone_lr_scale"]}
        changes = dict(head=chosen.head, optimizer=optimizer, options=chosen.options)
        alike = replace(protocol, name=chosen.name, **changes)
        assert alike == chosen, "they differ in nothing else"
    assert tuned.backbones == study.backbones and set(tuned.seeds) <= set(study.seeds)


def test_the_demo_has_one_seed_and_says_so_and_the_study_has_five():
    assert load_suite("demo").seeds == [0] and load_suite("study").seeds == [0, 1, 2, 3, 4]
    assert any("ranks nothing" in note for note in load_table("demo").notes)


def test_the_study_declares_its_comparisons_among_its_rows():
    rows = {row["name"] for row in load_suite("study").backbones}
    questions = load_table("study").questions
    pairs = sum(questions, [])
    assert {name for pair in pairs for name in pair} == rows
    random = {"Random": "convirt_sample", "Random, attention pool": "prior_sample"}
    of_row = {row["name"]: row["config"] for row in load_suite("study").backbones}
    encoder = {name: load_config(config).method["image_encoder"] for name, config in of_row.items()}
    against = [(one, other) for pairs in questions[:2] for one, other in pairs]
    assert {one for one, _ in against} == rows - set(random), "is every one better than random?"
    for one, other in against:
        assert of_row[other] == random[other]
        assert encoder[one].get("pool") == encoder[other].get("pool"), "random weights of the same network"
    assert not set(random) & {name for pairs in questions[2:] for pair in pairs for name in pair}


def test_the_study_of_grounding_has_the_models_of_the_study_and_random_weights_of_each_network():
    rows = {row["name"]: row for row in load_suite("study_grounding").backbones}
    study = [row for row in load_suite("study").backbones if row["type"] == "pretrain"]
    assert [row for row in rows.values() if row["type"] == "pretrain"] == study
    tested = sum(load_table("study_grounding").questions, [])
    variant = dict(prior_extended_sample="prior_sample")  # which has the same network
    for row in study:
        random = next(
            name
            for name, one in rows.items()
            if one["type"] == "random" and one["config"] == variant.get(row["config"], row["config"])
        )
        assert (row["name"], random) in tested, "is it better than random?"


def test_every_column_of_a_table_is_run_by_its_suite():
    for name in PRETRAINED:
        evaluations = {
            (e["task"], e["data"], e["protocol"], fraction)
            for e in load_suite(name).evaluations
            for fraction in e.get("fractions", [1.0])
        }
        for column in load_table(name).columns:
            assert (column.task, column.data["root"], column.protocol, column.fraction) in evaluations, column


def test_the_study_runs_what_the_demo_runs_for_longer_and_with_three_detectors():
    demo, study = (load_suite(name).evaluations for name in ("demo", "study"))
    grounded = load_suite("study_grounding").evaluations
    demo = [one for one in demo if one["task"] != "grounding"] + [e for e in demo if e["task"] == "grounding"]
    study = [*study, *grounded[:1]]
    assert len(demo) == len(study)
    longer = {}
    for one, other in zip(demo, study, strict=True):
        one = {**one, "data": one["data"].replace("sample:", "sample_study:")}
        if one != other:
            assert (one["task"], one["data"]) == (other["task"], other["data"])
            longer[other["protocol"]] = protocols.load(one["protocol"]), protocols.load(other["protocol"])
    assert set(longer) == {"demo/finetune", "demo/detection_three_heads"}
    short, long = longer["demo/detection_three_heads"]
    assert long.options == {**short.options, "heads": 3}
    assert replace(long, name="", options={}) == replace(short, name="", options={})
    short, long = longer["demo/finetune"]
    assert long.stopping["iterations"] == 3 * short.stopping["iterations"]
    assert replace(long, name="", stopping={}) == replace(short, name="", stopping={})


@pytest.mark.parametrize("suite", PRETRAINED)
def test_the_sample_suites_state_their_threads(suite):
    assert load_suite(suite).threads == 1


def test_the_validation_cohort_sees_the_models_of_the_study():
    assert load_suite("study_validation").backbones == load_suite("study").backbones
    assert load_suite("study_validation").seeds == load_suite("study").seeds
