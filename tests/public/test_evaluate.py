"""``evaluate``: what it gives, where it keeps it, and what it refuses."""

from pathlib import Path

import numpy as np
import pytest

import prior_bench as pb
from prior_bench.store.store import Store

MINE = {"name": "mine", "type": "fake"}
PLAIN = dict(protocol="fake/plain", device="cpu")


@pytest.fixture(autouse=True)
def data(tmp_path):
    (tmp_path / "data" / "fake").mkdir(parents=True)


def test_one_run_gives_its_numbers_intervals_and_predictions():
    result = pb.evaluate(MINE, "fake", "fake", **PLAIN)
    assert isinstance(result, pb.Result) and result.primary == "auroc"
    assert result.metrics["auroc"] == pytest.approx(0.65, abs=0.011)
    # the score that is resampled is the same for all samples, so the interval is a point
    assert result.interval("auroc", 20) == pytest.approx([result.metrics["auroc"]] * 2)
    assert result.predictions["score"].shape == (4, 2)
    assert result.record.spec["backbone"] == MINE
    table = result.table(20)
    assert list(table.columns) == ["value", "lower", "upper", "chance"]
    assert table.loc["auroc", "chance"] == 0.5 and np.isnan(table.loc["auroc/Edema", "lower"])
    assert "mine · fake · fake · fake/plain · 100 % · seed 0: auroc 0.6" in repr(result)
    assert "<table" in result._repr_html_() and f"{result.metrics['auroc']:.3f}" in result._repr_html_()
    assert f"record {result.record.key}" in result.text(0)


def test_an_interval_of_an_unknown_metric_names_the_known_ones():
    result = pb.evaluate(MINE, "fake", "fake", **PLAIN)
    with pytest.raises(pb.BenchError, match="'auprc'.*\n.*auroc"):
        result.interval("auprc", 10)


def test_several_seeds_fractions_and_protocols_give_a_list_and_a_table():
    results = pb.evaluate(
        MINE,
        "fake",
        "fake",
        protocol=["fake/plain", "fake/odd"],
        fraction=[0.5, 1.0],
        seed=[0, 3],
        device="cpu",
    )
    assert isinstance(results, pb.Results) and len(results) == 8
    table = results.table()
    assert set(table["seed"]) == {0, 3} and set(table["fraction"]) == {0.5, 1.0}
    assert set(table["protocol"]) == {"fake/plain", "fake/odd"}
    assert (table["auroc"] == [result.metrics["auroc"] for result in results]).all()
    assert "auroc/Edema" not in table.columns
    assert "<table" in results._repr_html_() and repr(results).count("<Result") == 8
    # a list of one is a list, too
    assert isinstance(pb.evaluate(MINE, "fake", "fake", seed=[0], **PLAIN), pb.Results)


def test_records_go_where_those_of_the_command_line_go_and_are_found_again(parts, tmp_path):
    first = pb.evaluate(MINE, "fake", "fake", **PLAIN)
    again = pb.evaluate(MINE, "fake", "fake", **PLAIN)
    assert again.record.key == first.record.key and len(parts.FakeTask.runs) == 1
    assert (tmp_path / "results/eval/runs" / first.record.key / "record.json").is_file()
    pb.evaluate(MINE, "fake", "fake", overwrite="all", **PLAIN)
    assert len(parts.FakeTask.runs) == 2


@pytest.mark.parametrize("store, place", [("mine", "results/mine"), (Path("here"), "here")])
def test_a_store_is_a_name_or_a_folder(store, place, tmp_path):
    result = pb.evaluate(MINE, "fake", "fake", store=store, **PLAIN)
    assert list(Store(tmp_path / place).records()) == [result.record.key]
    assert not (tmp_path / "results/eval").exists()


def test_without_a_store_nothing_is_left_behind(parts, tmp_path):
    result = pb.evaluate(MINE, "fake", "fake", store=None, **PLAIN)
    folder = result.store.root
    assert folder.is_dir() and not (tmp_path / "results").exists()
    assert result.predictions["score"].shape == (4, 2)  # there as long as the result is
    pb.evaluate(MINE, "fake", "fake", store=None, **PLAIN)
    assert len(parts.FakeTask.runs) == 2
    del result
    assert not folder.exists()


def test_the_shared_store_keeps_what_other_evaluations_noted():
    pb.evaluate(MINE, "fake", "fake", **PLAIN)
    pb.evaluate({**MINE, "value": 3.0}, "fake", "fake", name="other", **PLAIN)
    frame = pb.table(stores="eval", test=False).frame()
    assert set(frame["backbone"]) == {"mine", "other"}


def test_a_failed_run_raises_its_message_and_names_its_traceback(tmp_path):
    with pytest.raises(pb.BenchError, match="seed 1 is not lucky") as caught:
        pb.evaluate(MINE, "fake", "fake", protocol="fake/unlucky", seed=[0, 1], device="cpu")
    trace = str(caught.value).rpartition(" in ")[2]
    assert "ValueError" in Path(trace).read_text()
    assert len(Store(tmp_path / "results/eval").records()) == 2  # what had finished is kept


def test_leakage_is_refused_unless_it_is_allowed(parts, monkeypatch):
    monkeypatch.setattr(
        "prior_bench.suites.leakage._patients", lambda manifest, splits: frozenset({"p0", splits[0]})
    )
    with pytest.raises(pb.BenchError, match="test patients are in the training split"):
        pb.evaluate(MINE, "fake", "fake", **PLAIN)
    result = pb.evaluate(MINE, "fake", "fake", allow_leakage=True, **PLAIN)
    assert "test patients are in the training split" in result.record.provenance["leakage"][0]


def test_wrong_arguments_are_refused_together_before_anything_is_run(parts):
    with pytest.raises(pb.BenchError) as caught:
        pb.evaluate({**MINE, "value": -1}, "fake", "fake", protocol="fake/plane", fraction=1.5, seed=-1)
    parts_of_message = (
        "unknown protocol 'fake/plane'",
        "fractions: is [1.5]; must be a share",
        "seeds: is [-1]; must be a seed",
        "must not be negative",
    )
    for part in parts_of_message:
        assert part in str(caught.value)
    assert not parts.FakeTask.runs


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("nonsense", "fake", "fake"), "unknown backbone 'nonsense'"),
        ((MINE, "fak", "fake"), "unknown task 'fak'"),
        ((MINE, "fake", "fake"), "no default protocol"),
        ((MINE, "fake", 3), "is a int, not a data reference"),
        ((3, "fake", "fake"), "is a int, not a torch.nn.Module"),
    ],
)
def test_what_cannot_be_understood_is_one_message(arguments, message):
    with pytest.raises(pb.BenchError, match=message):
        pb.evaluate(*arguments)


def test_the_command_line_and_the_api_share_their_records(parts, monkeypatch, capsys):
    import argparse

    from prior_bench.cli import eval as verb

    for place in ("prior_bench.public.planning", "prior_bench.backbones.reference"):
        monkeypatch.setattr(f"{place}.backbone_row", lambda text, *_, **__: {"name": text, "type": "fake"})
    pb.evaluate("mine", "fake", "fake", overrides={"batch_size": 8}, **PLAIN)
    parser = argparse.ArgumentParser()
    verb.configure(parser)
    line = "fake --backbone mine --data fake --protocol fake/plain --set batch_size=8 --device cpu"
    assert verb.run(parser.parse_args([*line.split(), "--resamples", "0"])) == 0
    assert len(parts.FakeTask.runs) == 1 and "auroc" in capsys.readouterr().out


def test_prompts_of_ones_own_are_used_kept_and_known_by_their_content(my_csv, tmp_path):
    import json

    from prior_bench.mock import MockMethod

    pair = {"Edema": {"positive": ["Pulmonary edema."], "negative": ["No edema.", "Clear lungs."]}}
    method, quiet = MockMethod(32), dict(device="cpu", labels=["Edema"], store="mine")
    result = pb.evaluate(method, "zero_shot", my_csv, prompts=pair, **quiet)
    assert {"accuracy", "f1", "auroc"} <= set(result.metrics)
    assert result.protocol["options"]["prompts"]["classes"] == pair
    path = tmp_path / "any name.json"
    path.write_text(json.dumps(pair))
    assert pb.evaluate(method, "zero_shot", my_csv, prompts=path, **quiet).record.key == result.record.key
    path.write_text(json.dumps({"Edema": {**pair["Edema"], "negative": ["Clear lungs."]}}))
    assert pb.evaluate(method, "zero_shot", my_csv, prompts=path, **quiet).record.key != result.record.key


def test_a_task_without_texts_takes_no_prompts(my_csv):
    with pytest.raises(pb.BenchError, match="classification: this task takes no prompts"):
        pb.evaluate("random:resnet18", "classification", my_csv, prompts={"Edema": ["Edema."]})


def test_an_evaluation_does_not_wait_for_another_one_in_the_same_store():
    other = pb.evaluate(MINE, "fake", "fake", seed=1, **PLAIN)
    store = Store.of("eval")
    with store.claims.take(other.record.key):  # as a process that evaluates with seed 1
        found = pb.evaluate(MINE, "fake", "fake", seed=2, **PLAIN)
    assert found.record.status == "done" and set(store.records()) == {other.record.key, found.record.key}
    assert {cell["key"] for cell in store.plan()} == {other.record.key, found.record.key}
