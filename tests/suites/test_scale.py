"""Suites on other data than their own: on the sample benchmark at toy scale, and on one data set."""

import math
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest

from prior_bench import paths
from prior_bench.cli.run import describe_plan
from prior_bench.data.open import open_dataset
from prior_bench.data.references import resolve
from prior_bench.data.splitting.rules import count_of
from prior_bench.engine.execute import Overwrite, evaluate
from prior_bench.errors import BenchError, ErrorList
from prior_bench.report.runs.reported_runs import same_data
from prior_bench.report.tables.suite_tables import named_table, tables_of
from prior_bench.report.tables.table import build_table, load_table
from prior_bench.sample import VERSION
from prior_bench.store.store import Store
from prior_bench.suites import protocols
from prior_bench.suites.filters import passes, read_filters
from prior_bench.suites.plan import expand
from prior_bench.suites.scale import load_scale, with_data
from prior_bench.suites.suite import Suite, fractions_of, load_suite

PAPERS = ("mgca_", "gloria_", "lovt_", "benchx_", "prior_tasks")
SUITES = sorted(
    path.stem for path in (paths.shipped("configs") / "suites").glob("*.py") if path.stem.startswith(PAPERS)
)


QUICK = ("mgca_tables", "prior_tasks")
"""Between them, they have every task; the others are slow only because they are many."""
EACH = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in SUITES]


@pytest.fixture(scope="module")
def sample_data(tiny_sample, tmp_path_factory) -> Path:
    """A data root that holds the tiny sample benchmark; further data sets come when they are asked for."""
    root = tmp_path_factory.mktemp("data")
    shutil.copytree(tiny_sample, root / f"sample-{VERSION}-tiny")
    return root


@pytest.fixture
def sample(sample_data, monkeypatch) -> None:
    """The tiny sample is what ``sample:`` means."""
    monkeypatch.setenv("PRIOR_BENCH_DATA", str(sample_data))
    monkeypatch.setenv("PRIOR_BENCH_SAMPLE_SIZE", "tiny")


@pytest.mark.parametrize("name", EACH)
def test_every_cell_of_a_papers_suite_can_be_run_on_the_sample(sample, name):
    own, suite = load_suite(name), with_data(load_suite(name), "sample")
    suite.allow_leakage |= name == "benchx_retrieval"  # the tiny sample has too few patients to keep apart
    plan = expand(suite)
    text = describe_plan(plan, Store.of(suite.name), Overwrite.FAILED)
    assert not plan.absent and plan.runnable() == plan.runs
    assert f"{len(plan.runs)} to do, 0 cannot be run" in text
    cells = sum(len(fractions_of(entry)) for entry in own.evaluations)
    assert len(plan.runs) == cells * (len(own.backbones) - 1), "every row but ImageNet, one seed"
    assert all(run.spec.data["root"].startswith("sample:") for run in plan.runs)


@pytest.mark.parametrize("name", EACH)
def test_every_column_of_a_papers_table_is_a_cell_and_compares_with_nothing_published(sample, name):
    suite = with_data(load_suite(name), "sample")
    suite.allow_leakage = True
    specs = [asdict(run.spec) for run in expand(suite, only=["backbone=ConVIRT"]).runs]
    for table in tables_of(suite):
        own = [column for column in load_table(table.name).columns if column.protocol]
        kept = [column for column in own if _asked(column, load_suite(name))]
        assert list(map(_heading, table.columns)) == list(map(_heading, kept))
        assert "synthetic data, toy scale" in table.title and table.suites == [f"{name}-sample"]
        assert not any(column.published for column in table.columns)
        for column in table.columns:
            assert sum(column.takes(spec) for spec in specs) == 1, column
    shown = sum(len(table.columns) for table in tables_of(suite))
    assert shown >= sum(len(fractions_of(entry)) for entry in suite.evaluations) or name in NOT_ALL_SHOWN


NOT_ALL_SHOWN = ("benchx_retrieval",)
"""Suites with evaluations that their tables do not show."""


def _heading(column) -> tuple[str, str, str]:
    return column.group, column.label, column.metric


def _asked(column, suite: Suite) -> bool:
    return any(
        (entry["task"], entry["protocol"]) == (column.task, column.protocol)
        and same_data(resolve(entry["data"]), column.data)
        and any(math.isclose(share, column.fraction) for share in fractions_of(entry))
        for entry in suite.evaluations
    )


def test_only_the_scale_of_a_protocol_changes():
    suite = with_data(load_suite("mgca_tables"), "sample")
    for before, after in zip(suite.instead_of, suite.evaluations, strict=True):
        paper = protocols.load(before["protocol"])
        toy = protocols.load(after["protocol"], after["overrides"])
        assert toy.name.startswith(f"{paper.name} (changed: ")
        for kept in ("split", "fraction_sampler", "metrics", "defects", "frozen", "options", "source"):
            assert getattr(toy, kept) == getattr(paper, kept)
        assert toy.head["type"] == paper.head["type"] and toy.head.get("loss") == paper.head.get("loss")
        assert toy.optimizer["type"] == paper.optimizer["type"]
        assert toy.transform["train"].keys() == paper.transform["train"].keys()
        assert toy.stopping["monitor"] == paper.stopping["monitor"]
        assert toy.stopping["tested"] == paper.stopping["tested"]
        assert toy.transform["input"]["size"] == 64 and toy.stopping["epochs"] < paper.stopping["epochs"]


def test_no_transform_is_larger_than_the_toy_input_allows():
    """A crop or size that the scale forgot would feed images of the paper's size."""
    import numpy as np

    from prior_bench.api import InputSpec
    from prior_bench.data.images.transforms import eval_transform, train_transform

    image = np.zeros((192, 192), np.uint8)
    for name in SUITES:
        for entry in with_data(load_suite(name), "sample").evaluations:
            transform = protocols.load(entry["protocol"], entry["overrides"]).transform
            spec = InputSpec(**{"size": 64, **(transform.get("input") or {})})
            shapes = {train_transform(spec, transform.get("train"))(image).shape[-2:]}
            shapes.add(eval_transform(spec, transform.get("eval"))(image).shape[-2:])
            assert shapes == {(64, 64)}, entry["protocol"]


def test_rows_seeds_store_and_notes_are_those_of_the_scale():
    scale, suite = load_scale(), with_data(load_suite("mgca_tables"), "sample")
    assert suite.name == "mgca_tables-sample" and suite.called == "mgca_tables --data sample"
    assert [row["name"] for row in suite.backbones] == ["Random", "ConVIRT", "GLoRIA", "MGCA", "PRIOR"]
    assert suite.seeds == scale.seeds == [0] and not any("seeds" in entry for entry in suite.evaluations)
    assert any("ImageNet is left out: " in note for note in suite.notes)
    study = {row["name"]: row for row in load_suite("study").backbones}
    assert all(row == study[row["name"]] for row in suite.backbones), "weights of the study are used again"


def test_what_has_no_counterpart_is_named():
    evaluation = dict(task="classification", data="chexpert", protocol="mgca/linear_chexpert")
    rows = [dict(name="Mine", type="random", image_encoder="resnet50")]
    openi = {**evaluation, "data": "openi"}
    with pytest.raises(ErrorList) as caught:
        with_data(Suite("s", rows, [evaluation, openi, {**evaluation, "data": "sample:chexpert"}]), "sample")
    message = str(caught.value)
    assert "no substitute is declared for the row 'Mine'" in message and "scales/sample.py" in message
    assert "unknown sample data set 'openi'" in message and "is synthetic already" in message


def test_options_and_names_of_the_data_are_kept():
    suite = with_data(load_suite("lovt_localised"), "sample")
    swapped = suite.evaluations[2]["data"]
    assert swapped["name"] == "object_cxr (sides swapped) (synthetic)" and swapped["boxes"] == "swapped"
    versions = {
        suite: [e["data"].get("version") for e in with_data(load_suite(suite), "sample").evaluations]
        for suite in ("mgca_linear", "benchx_classification")
    }
    assert versions["mgca_linear"][2] == "9A" and versions["benchx_classification"][2] == "unnamed"


def test_fixed_counts_become_shares():
    assert count_of(5000, 223_414, 960, "fixed") == 5000
    assert count_of(5000, 223_414, 960, "shares") == 21
    assert count_of(5000, 223_414, 10, "shares") == 1
    with pytest.raises(BenchError, match="unknown meaning of fixed counts 'half'"):
        count_of(5000, 223_414, 960, "half")


def test_papers_split_rules_on_the_sample(sample):
    reference = dict(type="rsna_pneumonia", root="sample:rsna_pneumonia")
    with pytest.raises(BenchError, match="split rule 'mgca_detection' cannot be applied to 24 rows"):
        open_dataset(reference, split="mgca_detection")
    shares = open_dataset({**reference, "counts": "shares"}, split="mgca_detection")
    assert [len(shares.split(part)) for part in ("train", "valid", "test")] == [14, 5, 5]
    chexpert = dict(type="chexpert", root="sample:chexpert", counts="shares")
    assert len(open_dataset(chexpert, split="mgca").split("valid")) == 2


def test_plain_names_filter_what_is_changed_or_synthetic():
    fields = dict(
        protocol="mgca/linear_rsna (changed: stopping)", data="object_cxr (sides swapped) (synthetic)"
    )
    assert passes(read_filters(["protocol=mgca/linear_rsna", "data=object_cxr (sides swapped)"]), **fields)
    assert passes(read_filters(["protocol=mgca/linear_rsna (changed: stopping)"]), **fields)
    assert not passes(read_filters(["data=object_cxr"]), **fields)


# --- one data set -----------------------------------------------------------------------------------------


def test_the_same_data_set_elsewhere_leaves_the_suite_and_its_store_as_they_are(tmp_path):
    own = load_suite("pneumoniamnist")
    suite = with_data(own, str(tmp_path / "pneumoniamnist.npz"))
    assert suite.name == own.name and not suite.instead_of
    assert {entry["data"]["root"] for entry in suite.evaluations} == {str(tmp_path / "pneumoniamnist.npz")}
    assert {entry["data"]["subset"] for entry in suite.evaluations} == {"pneumoniamnist"}
    assert [c.data for t in tables_of(suite) for c in t.columns] == [
        c.data for t in tables_of(own) for c in t.columns
    ]


def test_another_data_set_has_a_store_and_a_title_of_its_own():
    suite = with_data(load_suite("pneumoniamnist"), "mine.csv")
    (table,) = tables_of(suite)
    assert suite.name == "pneumoniamnist-mine" and table.suites == ["pneumoniamnist-mine"]
    assert table.title.endswith("– on mine") and {column.data["type"] for column in table.columns} == {"csv"}
    assert len(table.columns) == 4 and suite.called == "pneumoniamnist --data mine.csv"


def test_one_data_set_cannot_stand_for_several():
    with pytest.raises(BenchError, match="has 4 data sets: chexpert, rsna_pneumonia, covidx, siim_acr"):
        with_data(_several(), "mine.csv")


def _several() -> Suite:
    suite = load_suite("mgca_tables")
    suite.evaluations = suite.evaluations[:4]
    return suite


def test_a_table_is_asked_for_by_name():
    suite = with_data(load_suite("mgca_tables"), "sample")
    assert named_table(suite, "mgca_detection").name == "mgca_detection"
    with pytest.raises(BenchError, match="has no table 'lovt'\n  fix: known: mgca_linear, mgca_segm"):
        named_table(suite, "lovt")


@pytest.mark.slow
def test_mgca_tables_run_end_to_end_on_the_tiny_sample(sample):
    suite = with_data(load_suite("mgca_tables"), "sample")
    only = ["backbone=Random", "backbone=ConVIRT", "fraction=0.1", "fraction=1"]
    plan, store = expand(suite, only=only), Store.of(suite.name)
    outcome = evaluate(plan, store, device="cpu", say=lambda text: None)
    assert not outcome.failed and len(outcome.ran) == 2 * 7 * 2
    for table in tables_of(suite):
        built = build_table(table, [store], test=False)
        assert [row.label for row in built.rows] == ["Random", "ConVIRT"]
        filled = [cell for row in built.rows for cell in row.cells if not cell.reason.startswith("not")]
        assert len(filled) == 2 * 2 * len(table.columns) // 3
        assert "Synthetic data: generated phantoms, not patients." in built.notes
        assert any(note.startswith("Toy scale: ") for note in built.notes)
    records = store.records().values()
    assert all(record.synthetic and "(changed: " in record.spec["protocol"]["name"] for record in records)
