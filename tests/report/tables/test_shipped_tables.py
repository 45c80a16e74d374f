"""Every shipped suite and table loads, names what exists, and a table asks for what its suite runs."""

import math

import pytest
from shipped_configs import shipped

from prior_bench.data.references import resolve
from prior_bench.registry import BACKBONES, TASKS
from prior_bench.report.runs.reported_runs import EVERY_SUITE, same_data
from prior_bench.report.tables.table import load_table
from prior_bench.suites import protocols
from prior_bench.suites.suite import entry_errors, fractions_of, load_suite


@pytest.mark.parametrize("name", shipped("suites"))
def test_suite_names_what_exists(name):
    suite = load_suite(name)
    assert entry_errors(suite) == []
    assert {row["type"] for row in suite.backbones} <= set(BACKBONES.names())
    for entry in suite.evaluations:
        assert entry["task"] in TASKS.names() and resolve(entry["data"])
        assert protocols.load(entry["protocol"], entry.get("overrides")).task == entry["task"]
    for table in suite.tables:
        load_table(table)


@pytest.mark.parametrize("name", shipped("tables"))
def test_every_column_is_run_by_the_table_s_suites(name):
    config = load_table(name)
    columns = [column for column in config.columns if column.protocol]
    if not columns:  # shows published numbers beside whatever was run: see test_published_tables.py
        assert all(column.published for column in config.columns)
        return
    suites = shipped("suites") if config.suites == [EVERY_SUITE] else config.suites
    entries = [entry for suite in suites for entry in load_suite(suite).evaluations]
    for column in columns:
        runs = [
            entry
            for entry in entries
            if (entry["task"], entry["protocol"]) == (column.task, column.protocol)
            and same_data(resolve(entry["data"]), column.data)
            and any(math.isclose(fraction, column.fraction) for fraction in fractions_of(entry))
        ]
        assert runs, f"no suite runs {column}"
        assert column.metric.partition("/")[0] in protocols.load(column.protocol).metrics
