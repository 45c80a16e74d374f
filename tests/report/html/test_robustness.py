"""Severity curves from the names and values of corrupted metrics."""

import re

from scored_store import save

from prior_bench.report.html.figures.row_look import colours_of
from prior_bench.report.html.sections.robustness import robustness
from prior_bench.store.store import Store


def corrupted(store: Store, name: str, seed: int, values: dict[str, float], metrics=("auroc",)):
    entry = save(store, name, 1.0, seed, metrics=metrics)
    entry.record.metrics = values
    return entry


def test_a_panel_per_corruption_and_a_line_per_row_from_the_clean_image_on(tmp_path):
    store = Store(tmp_path / "s")
    runs = [
        corrupted(
            store,
            name,
            seed,
            {
                "auroc": top + seed / 100,
                "auroc/Edema": 0.1,
                "auroc_corrupted": 0.3,
                "auroc_corrupted/noise": 0.4,
                "auroc_corrupted/noise_3": top - 0.2 + seed / 100,
                "auroc_corrupted/noise_1": top - 0.1 + seed / 100,
                "auroc_corrupted/low_dose_2": top - 0.3,
            },
        )
        for name, top in (("A", 0.9), ("B", 0.8))
        for seed in (0, 1)
    ]
    found = robustness(runs, colours_of(["A", "B", "C"]))
    assert [plot.caption for plot in found.plots] == ["Noise", "Low dose"] and found.names == ["A", "B"]
    assert found.title == "Classification on chexpert (synthetic) (demo/linear_probe), AUROC × 100"
    told = [re.search(r"<desc>(.*?)</desc>", plot.svg).group(1) for plot in found.plots]
    assert told[0] == "A: 0 90.5, 1 80.5, 3 70.5; B: 0 80.5, 1 70.5, 3 60.5"
    assert told[1] == "A: 0 90.5, 2 60; B: 0 80.5, 2 50"
    assert "severity of low dose" in found.plots[1].svg


def test_the_metric_is_the_protocol_s_first_where_it_was_corrupted(tmp_path):
    values = {"auroc": 0.9, "accuracy": 0.5, "auroc_corrupted/blur_1": 0.8, "accuracy_corrupted/blur_1": 0.4}
    for metrics, told in ((("accuracy", "auroc"), "0 50, 1 40"), (("f1",), "0 90, 1 80")):
        run = corrupted(Store(tmp_path / "s"), "A", 0, values)
        run.spec["protocol"]["metrics"] = list(metrics)
        (plot,) = robustness([run], colours_of(["A"])).plots
        assert f"<desc>A: {told}</desc>" in plot.svg


def test_without_corruptions_there_is_no_section(tmp_path):
    assert robustness([save(Store(tmp_path / "s"), "A", 1.0)], colours_of(["A"])) is None
