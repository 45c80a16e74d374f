"""Throughput: counts are right, times are plausible, and tables cope without predictions."""

import dataclasses
import time

import pytest
import torch
from tiny_data import tiny_manifest
from torch import nn

from prior_bench.api import Backbone, Features, InputSpec
from prior_bench.engine.execute import evaluate
from prior_bench.errors import BenchError
from prior_bench.mock import mock_backbone
from prior_bench.report.runs.run_text import result_text
from prior_bench.report.tables.render import render
from prior_bench.report.tables.table import Column, TableConfig, build_table
from prior_bench.store.store import Store
from prior_bench.suites import protocols
from prior_bench.suites.plan import expand
from prior_bench.suites.suite import Suite
from tasks.throughput import Throughput, flops

TASK = Throughput()
PROTOCOL = protocols.load("clean/throughput", {"batch_size": 4, "options": {"warmup": 1, "repeats": 3}})


class Slow(nn.Module):
    """One convolution of 1 to 8 channels, 3 x 3, and a nap of 20 ms for every batch of more than one."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(1, 8, 3, padding=1)
        self.shapes, self.modes = [], []

    def forward(self, images):
        self.shapes.append(tuple(images.shape))
        self.modes.append(self.training)
        if len(images) > 1:
            time.sleep(0.02)
        return Features(self.convolution(images).mean((2, 3)))


def backbone():
    return Backbone("slow", Slow().train(), None, InputSpec(size=16, channels=1), "slow")


def test_what_is_counted_and_what_is_timed(tiny, context):
    slow = backbone()
    TASK.check(tiny, PROTOCOL)
    result = TASK.run(slow, tiny, PROTOCOL, context)
    assert result.metrics["parameters"] == 8 * 9 + 8
    assert result.metrics["gflops"] == pytest.approx(2 * 16 * 16 * 8 * 9 / 1e9)
    assert 2 < result.metrics["images_per_second"] <= 4 / 0.02
    assert set(result.metrics) == {"images_per_second", "parameters", "gflops"}, "no method, no CUDA"
    assert slow.image_encoder.shapes == [(1, 1, 16, 16)] + [(4, 1, 16, 16)] * 4
    assert not any(slow.image_encoder.modes) and slow.image_encoder.training
    assert len(result.history) == 3
    rates = sorted(entry["images_per_second"] for entry in result.history)
    assert result.metrics["images_per_second"] == pytest.approx(rates[1])
    assert result.predictions == {} and TASK.score({}, PROTOCOL.metrics) == {}


def test_a_method_counts_all_its_parameters(tiny, context):
    mock = mock_backbone()
    result = TASK.run(mock, tiny, PROTOCOL, context)
    total = sum(p.numel() for p in mock.method.parameters())
    assert result.metrics["parameters_total"] == total > result.metrics["parameters"] > 0


def test_attention_is_counted():
    class Attention(nn.Module):
        def forward(self, tokens):
            return nn.functional.scaled_dot_product_attention(tokens, tokens, tokens)

    with torch.no_grad():  # queries by keys, then weights by values: 2 x (2 x 4 x 4 x 8)
        assert flops(Attention(), torch.randn(1, 1, 4, 8)) == 512


def test_a_wrong_protocol_is_refused(tiny):
    wrong = dataclasses.replace(
        PROTOCOL, metrics=("images_per_secnd",), options={"repeats": 0, "warmpu": 1}, batch_size=0
    )
    with pytest.raises(BenchError) as caught:
        TASK.check(tiny, wrong)
    for part in (
        "did you mean images_per_second",
        "did you mean warmup",
        "repeats: is 0",
        "batch_size: is 0",
    ):
        assert part in str(caught.value)


def test_a_table_of_records_without_predictions(tmp_path, monkeypatch):
    for name in ("RESULTS", "CACHE"):
        monkeypatch.setenv(f"PRIOR_BENCH_{name}", str(tmp_path / name))
    manifest = tiny_manifest(tmp_path)
    manifest.table.drop(columns="report").to_csv(tmp_path / "images.csv", index=False)
    rows = [
        dict(name="small", type="prior_bench.mock:MockSource", size=32),
        dict(name="large", type="prior_bench.mock:MockSource", size=64),
    ]
    entry = dict(
        task="throughput",
        data=str(tmp_path / "images.csv"),
        protocol="clean/throughput",
        overrides={"options": {"repeats": 1, "warmup": 0}},
    )
    store = Store.of("cost")
    outcome = evaluate(expand(Suite("cost", rows, [entry])), store, device="cpu", say=lambda line: None)
    assert not outcome.failed and len(outcome.ran) == 2
    record = next(iter(outcome.records.values()))
    text = result_text(record, store, resamples=50)
    assert "images_per_second" in text and record.provenance["hardware"]["cpu"]
    fields = dict(
        group="cost", task="throughput", data=record.spec["data"], protocol=record.spec["protocol"]["name"]
    )
    columns = [
        Column(label="GFLOPs", metric="gflops", scale=1.0, digits=4, higher_is_better=False, **fields),
        Column(label="parameters", metric="parameters", scale=1.0, digits=0, **fields),
    ]
    table = build_table(TableConfig("cost", columns, "all", ["cost"], "Cost"), [store], trivial=True)
    small, large = table.rows
    assert small.cells[0].mean * 4 == pytest.approx(large.cells[0].mean)
    assert (small.cells[0].mark, large.cells[0].mark) == ("leading", ""), (
        "fewer are better; nothing is claimed"
    )
    assert {row.cells[1].mark for row in table.rows} == {""}, "the same"
    assert "no stored predictions" in " ".join(table.notes)
    for style in ("markdown", "latex", "csv", "html", "json"):
        assert "small" in render(table, style)


@pytest.mark.parametrize(
    "batch_size, options, refused",
    [
        (1, {"warmup": 0, "repeats": 1}, ""),
        (4, {}, ""),
        (0, {}, "batch_size: is 0"),
        (True, {}, "batch_size: is True"),
        (4, {"warmup": -1}, "warmup: is -1"),
        (4, {"warmup": False}, "warmup: is False"),
        (4, {"repeats": 0}, "repeats: is 0"),
        (4, {"repeats": 2.0}, "repeats: is 2.0"),
    ],
)
def test_the_smallest_numbers_that_can_be_measured(tiny, batch_size, options, refused):
    protocol = dataclasses.replace(PROTOCOL, batch_size=batch_size, options=options)
    if not refused:
        TASK.check(tiny, protocol)
        return
    with pytest.raises(BenchError, match=refused):
        TASK.check(tiny, protocol)


def test_twenty_batches_are_timed_by_default_and_floating_point_operations_are_exact(tiny, context, capsys):
    protocol = dataclasses.replace(PROTOCOL, batch_size=1, options={})
    slow = backbone()
    result = TASK.run(slow, tiny, protocol, context)
    assert len(result.history) == 20 and len(slow.image_encoder.shapes) == 1 + 3 + 20
    assert result.metrics["gflops"] == 2 * 16 * 16 * 8 * 9 / 1e9
    assert capsys.readouterr() == ("", "")
