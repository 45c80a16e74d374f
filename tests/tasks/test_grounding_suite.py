"""Phrase grounding on the tiny sample by the command line: suite, table with trivial rows, report."""

import shutil

import numpy as np
import pytest

from prior_bench.cli import main
from prior_bench.sample import benchmark_folder
from prior_bench.store.store import Store

SUITE = """
name = "grounded"
table = "{table}"
backbones = [
    dict(name=name, type="random", config=name + "_sample") for name in ("convirt", "gloria", "prior")
]
evaluations = [
    dict(task="grounding", data="sample:ms_cxr", protocol="demo/grounding"),
    dict(task="grounding", data="sample:ms_cxr", protocol="demo/grounding_similarity"),
    dict(task="grounding", data="sample:rsna_pneumonia", protocol="demo/grounding_prompts", seeds=[0]),
]
"""
TABLE = """
suite = "grounded"
rows = "all"
columns = [
    dict(group="MS-CXR", label="AUROC", task="grounding", data="sample:ms_cxr", protocol="demo/grounding",
         metric="pixel_auroc"),
    dict(group="MS-CXR", label="CNR", task="grounding", data="sample:ms_cxr", protocol="demo/grounding",
         metric="cnr"),
    dict(group="RSNA", label="pointing game", task="grounding", data="sample:rsna_pneumonia",
         protocol="demo/grounding_prompts", metric="pointing_game"),
]
"""
METHODS = ("gloria", "prior")


@pytest.fixture(scope="module")
def finished(tiny_sample, tmp_path_factory):
    """The suite, run once; the folder of its configs."""
    folder = tmp_path_factory.mktemp("grounded")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRIOR_BENCH_SAMPLE_SIZE", "tiny")
        for name in ("DATA", "RESULTS", "CACHE"):
            patch.setenv(f"PRIOR_BENCH_{name}", str(folder / name.lower()))
        (folder / "data").mkdir()
        shutil.copytree(tiny_sample, benchmark_folder("tiny"))
        suite, table = folder / "grounded.py", folder / "grounded_table.py"
        suite.write_text(SUITE.format(table=table))
        table.write_text(TABLE)
        assert main(["run", str(suite), "--device", "cpu"]) == 0
        yield folder


def records():
    found = Store.of("grounded").records().values()
    return {(r.spec["backbone"]["name"], r.spec["protocol"]["name"]): r for r in found}


def test_every_method_with_local_features_has_maps(finished):
    found = records()
    assert {backbone for backbone, _ in found} == set(METHODS) and len(found) == 6
    for (backbone, protocol), record in found.items():
        assert record.status == "done" and 0 < record.metrics["pixel_auroc"] < 1, (backbone, protocol)
        assert record.trivial["chance"]["pixel_auroc"] == 0.5 != record.trivial["centre"]["pixel_auroc"]
        assert record.split["phrases"] >= 5 and record.split["train"] == 0
    for backbone in METHODS:
        one, other = (found[backbone, f"demo/{name}"] for name in ("grounding", "grounding_similarity"))
        assert one.metrics != other.metrics and one.trivial == other.trivial
        maps = Store.of("grounded").predictions(one.key)["example_map"]
        assert np.isfinite(maps).all() and maps.min() >= 0, "an attention"


def test_the_table_has_trivial_rows_and_says_why_a_cell_is_empty(finished, capsys):
    assert main(["table", str(finished / "grounded_table.py"), "--trivial"]) == 0
    out = capsys.readouterr().out
    rows = {line.split("|")[1].strip(): line for line in out.splitlines() if line.startswith("|")}
    assert rows["convirt"].count("no local features") == 3
    assert "50.0" in rows["*chance*"] and "50.0" not in rows["*centre*"] and "MS-CXR: CNR" in out


def test_the_report_shows_maps(finished, tmp_path):
    assert main(["report", str(finished / "grounded.py"), "--output", str(tmp_path / "page.html")]) == 0
    page = (tmp_path / "page.html").read_text()
    assert "Phrase grounding: ms_cxr" in page and "the annotated region of the phrase" in page
    assert "Radiograph under the map of prior" in page
