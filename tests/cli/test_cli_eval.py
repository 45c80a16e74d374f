import argparse
from importlib.metadata import entry_points

import pytest

from prior_bench.cli import eval as evaluation
from prior_bench.cli import list as listing
from prior_bench.errors import BenchError, ErrorList
from prior_bench.public import planning as public
from prior_bench.report.runs.run_text import inline, protocol_text
from prior_bench.store.store import Store

FAKE = ("fake", "--backbone", "mine", "--data", "fake", "--device", "cpu")


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    evaluation.configure(parser)
    return parser.parse_args(arguments)


def test_every_shipped_task_has_a_default_protocol_that_is_shipped():
    from prior_bench.suites import protocols

    for task in (point.name for point in entry_points(group="prior_bench.tasks")):
        assert protocols.load(public.default_protocol(task)).task == task
    with pytest.raises(BenchError, match="unknown task 'detektion'"):
        public.default_protocol("detektion")


@pytest.fixture
def one_backbone(parts, tmp_path, monkeypatch):
    """``--backbone mine`` is a fake backbone with a text tower."""
    (tmp_path / "data" / "fake").mkdir(parents=True)
    monkeypatch.setattr(
        "prior_bench.backbones.reference.backbone_row",
        lambda text, *_, **__: {"name": text, "type": "fake", "has_text": text == "mine"},
    )
    return parts


def test_eval_prints_protocol_weights_intervals_trivial_and_summary(one_backbone, capsys, tmp_path):
    given = (*FAKE, "--protocol", "fake/plain")
    settings = ("--seeds", "0", "3", "--fraction", "0.5", "--set", "batch_size=8", "--resamples", "50")
    assert evaluation.run(parse(*given, *settings)) == 0
    out = capsys.readouterr().out
    assert "protocol fake/plain (changed: batch_size)" in out and "  batch_size: 8" in out
    assert "backbone\n  from: nowhere" in out
    assert "split: rule default" in out
    row = next(line.split() for line in out.splitlines() if line.startswith("auroc "))
    # the score that is resampled is the same for all samples, so the interval is a point
    assert row[2:5] == [row[1], "to", row[1]] and row[5] == "0.500"
    assert out.count("mine · fake · fake · fake/plain (changed: batch_size) · 50 % · seed") == 4
    assert len(list((tmp_path / "results/eval/runs").iterdir())) == 2
    # a second time nothing is run, and the same is said
    assert evaluation.run(parse(*given, *settings)) == 0
    assert len(one_backbone.FakeTask.runs) == 2
    assert f"auroc {row[1]} ({row[1]} to {row[1]}) · record " in capsys.readouterr().out


def test_metrics_that_are_undefined_are_left_out_with_their_reason(
    one_backbone, capsys, tmp_path, monkeypatch
):
    run = one_backbone.FakeTask.run

    def undefined(self, *arguments):
        result = run(self, *arguments)
        result.undefined = {"accuracy": "only one class is scored", "f1": "only one class is scored"}
        return result

    monkeypatch.setattr(one_backbone.FakeTask, "run", undefined)
    assert evaluation.run(parse(*FAKE, "--protocol", "fake/plain", "--resamples", "0")) == 0
    assert "Left out: accuracy, f1: only one class is scored." in capsys.readouterr().out
    (record,) = Store.of("eval").records().values()
    assert set(record.undefined) == {"accuracy", "f1"} and "accuracy" not in record.metrics


def test_several_protocols_are_printed_and_evaluated_one_after_the_other(one_backbone, capsys):
    names = ("fake/plain", "fake/odd", "fake/plain")
    given = [argument for name in names for argument in ("--protocol", name)]
    assert evaluation.run(parse(*FAKE, *given, "--resamples", "0")) == 0
    out = capsys.readouterr().out
    assert out.count("protocol fake/plain\n") == out.count("protocol fake/odd\n") == 1
    assert (
        out.index("protocol fake/odd") < out.index("· fake/plain · 100 %") < out.index("· fake/odd · 100 %")
    )
    assert len(one_backbone.FakeTask.runs) == 2


def test_eval_that_fails_says_where_the_traceback_is(one_backbone, capsys):
    assert evaluation.run(parse(*FAKE, "--protocol", "fake/unlucky", "--seed", "1")) == 1
    assert "error: ValueError: seed 1 is not lucky\n  traceback: " in capsys.readouterr().err


def test_eval_without_text_tower_and_with_unknown_options_is_an_error(one_backbone):
    text = ("fake_text", "--backbone", "blind", "--data", "fake", "--protocol", "fake/text")
    with pytest.raises(BenchError, match="blind: cannot be evaluated: no text encoder"):
        evaluation.run(parse(*text))
    options = ("--label", "Edema", "--option", "colour=red")
    with pytest.raises(ErrorList, match="unknown key 'labels'") as caught:
        evaluation.run(parse(*FAKE, "--protocol", "fake/plain", *options))
    assert "unknown key 'colour'" in str(caught.value)


def test_protocol_text_leaves_empty_fields_out():
    fields = {"task": "t", "options": {}, "frozen": {"backbone": True}, "metrics": ["a", "b"]}
    text = protocol_text({"name": "p", **fields})
    assert text == "protocol p\n  task: t\n  frozen: backbone yes\n  metrics: a, b"
    assert inline({"a": {"b": 1, "c": None}, "d": False}) == "a (b 1, c none), d no"


def test_list_says_where_each_thing_comes_from(capsys):
    parser = argparse.ArgumentParser()
    listing.configure(parser)
    assert listing.run(parser.parse_args([])) == 0
    out = capsys.readouterr().out
    assert all(f"{kind}\n" in out for kind in listing.KINDS)
    assert "tasks.zero_shot:ZeroShot (prior-bench" in out
    assert "demo " in out and "suites/demo.py" in out
    assert listing.run(parser.parse_args(["tables"])) == 0
    tables = capsys.readouterr().out
    assert tables.startswith("tables\n") and "\n  demo " in tables
