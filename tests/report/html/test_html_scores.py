"""What a page makes of class scores: curves, intervals, calibration, confusion, prompts."""

import math
import re

import numpy as np
import pytest
from scored_store import save, scored

from prior_bench.report.html.figures.row_look import colours_of
from prior_bench.report.html.figures.unit_panel import BOTTOM, HEIGHT, LEFT, SIDE, thinned
from prior_bench.report.html.page import build_page
from prior_bench.report.html.sections.calibration import are_probabilities, bins, error_table, expected_error
from prior_bench.report.html.sections.confusion import confusion_matrices
from prior_bench.report.html.sections.cost import cost_table
from prior_bench.report.html.sections.operating_curves import precision_recall_curves, roc_curves
from prior_bench.report.html.sections.per_class import auroc_interval
from prior_bench.report.html.sections.prompts import prompt_table
from prior_bench.report.runs.class_scores import ClassScores, scores_of
from prior_bench.report.runs.reported_runs import ReportedRun, reported_runs
from prior_bench.statistics.bootstrap import interval
from prior_bench.store.store import Store
from prior_bench.suites.suite import Suite

NAMES = ["A", "B"]

TENTH = 0.06 / SIDE
"""Positions are rounded to a tenth of a point."""


PROBABILITIES = ("class_scores", "probabilities")


def one_class(score, truth, name="A", seed=0, kinds=PROBABILITIES) -> ClassScores:
    """A class and its opposite, of patients with one image each."""
    score, truth = np.asarray(score, float), np.asarray(truth, float)
    both = np.stack([score, 1 - score], axis=1), np.stack([truth, 1 - truth], axis=1)
    patient = np.array([f"p{i}" for i in range(len(score))])
    return ClassScores(name, seed, kinds, ("Yes", "No"), *both, patient, False)


def path_of(svg: str, name: str = "A") -> list[tuple[float, float]]:
    """Points of a row's first curve, back in [0, 1]."""
    colour = colours_of(NAMES)[name]
    drawn = re.search(rf'<path d="M([^"]*)" fill="none" stroke="{colour}"', svg).group(1)
    pairs = [tuple(map(float, pair.split())) for pair in drawn.split("L")]
    return [((x - LEFT) / SIDE, (HEIGHT - BOTTOM - y) / SIDE) for x, y in pairs]


def test_a_roc_curve_goes_through_its_corners_and_tells_its_area():
    runs = [
        one_class([0.9, 0.8, 0.7, 0.1], [1, 0, 1, 0]),
        one_class([0.9, 0.1, 0.8, 0.2], [1, 0, 1, 0], seed=1),
    ]
    made = roc_curves(runs, "a title", colours_of(NAMES))
    corners = [(0, 0), (0, 0.5), (0.5, 0.5), (0.5, 1), (1, 1)]
    assert np.allclose(path_of(made.plots[0].svg), corners, atol=TENTH)
    assert "<desc>AUROC × 100, mean over seeds: A 87.5</desc>" in made.plots[0].svg
    assert made.plots[0].caption == "Yes (2 of 4 images)" and made.names == ["A"]


def test_precision_falls_in_steps_and_has_no_invented_point():
    made = precision_recall_curves([one_class([0.9, 0.8, 0.7, 0.1], [0, 1, 1, 0])], "t", colours_of(NAMES))
    points = path_of(made.plots[0].svg)
    assert np.allclose(points[0], (1, 0.5), atol=TENTH)
    straight = [one[0] == two[0] or one[1] == two[1] for one, two in zip(points, points[1:], strict=False)]
    assert all(straight) and np.allclose(points[-1], (0, 0), atol=TENTH)
    assert "AUPRC × 100, mean over seeds: A 58.3" in made.plots[0].svg


def test_a_class_with_one_label_has_no_curve_and_is_named():
    run = one_class([0.9, 0.8], [1, 1])
    made = roc_curves([run], "t", colours_of(NAMES))
    assert made.plots == [] and "all known labels are the same: Yes, No." in made.note


def test_curves_are_thinned_without_losing_their_turns():
    steps = [(0, 0), (0, 0.25), (0, 0.5), (0.0001, 0.5001), (0.5, 0.5), (0.5, 0.1), (0.5, 0.3)]
    assert thinned(steps) == [(0, 0), (0, 0.5), (0.5, 0.5), (0.5, 0.1), (0.5, 0.3)]


def test_the_calibration_error_is_the_weighted_gap():
    score, truth = [0.25] * 4 + [0.95] * 4, [1, 0, 0, 0, 1, 1, 0, 0]
    run = one_class(score, truth)
    assert expected_error(*run.of("Yes")) == pytest.approx(0.5 * 0 + 0.5 * 0.45)
    table = error_table([run], "t")
    assert table.columns == ["Backbone", "Yes", "No", "mean ECE", "mean Brier score"]
    brier = 100 * np.mean((np.array(score) - truth) ** 2)
    assert [cell.sort for cell in table.rows[0][1:]] == pytest.approx([22.5, 22.5, 22.5, brier])


def test_bins_have_the_sizes_of_their_points_at_the_edges_too():
    score = np.array([0.0, 0.05, 0.1, 0.3, 0.55, 0.6, 1.0, 1.0])
    said, seen, share = bins(np.array([0, 1, 0, 1, 0, 1, 1, 1], bool), score)
    assert len(said) == len(seen) == len(share) and share.sum() == pytest.approx(1)
    assert (said * share).sum() == pytest.approx(score.mean())
    assert (seen * share).sum() == pytest.approx(5 / 8)


def test_similarities_are_no_probabilities():
    run = one_class([0.2, 0.8], [0, 1])
    assert are_probabilities([run])
    assert not are_probabilities([one_class([0.2, 0.8], [0, 1], kinds=("class_scores",))])
    assert not are_probabilities([run, one_class([-0.2, 0.8], [0, 1], seed=1)])


def test_confusion_counts_images_with_one_class_over_all_seeds():
    score = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.9, 0.2]])
    target = np.array([[1, 0], [1, 0], [0, 1], [1, 1.0]])  # the last has both
    kinds = ("class_scores", "one_class")
    runs = [ClassScores("A", s, kinds, ("x", "y"), score, target, np.arange(4), False) for s in (0, 1)]
    (matrix,) = confusion_matrices(runs)
    assert matrix.counts == [[2, 2], [2, 0]] and matrix.shares == [[0.5, 0.5], [1, 0]]
    assert confusion_matrices([one_class([0.2, 0.8], [0, 1])]) == []  # several labels per image are possible


def test_the_interval_of_one_seed_is_that_of_a_bootstrap_by_patient(tmp_path):
    (entry,) = reported_runs([scored(tmp_path, {"A": 1.0}, seeds=1)])
    (run,), missing = scores_of([entry])
    value, half = auroc_interval([run], "Edema")
    found = entry.store.predictions(entry.key)

    def area(p):
        from sklearn.metrics import roc_auc_score

        return {"area": roc_auc_score(p["target"][:, 0], p["score"][:, 0])}

    low, high = interval(area, found, n=400)["area"]
    assert not missing and value == pytest.approx(entry.record.metrics["auroc/Edema"])
    assert half == pytest.approx((high - low) / 2, rel=0.15)


def test_seeds_that_disagree_widen_the_interval(tmp_path):
    runs, _ = scores_of(reported_runs([scored(tmp_path, {"A": 1.0}, seeds=1)]))
    other = ClassScores(**{**vars(runs[0]), "seed": 1, "score": -runs[0].score})
    same = auroc_interval([runs[0], ClassScores(**{**vars(runs[0]), "seed": 1})], "Edema")
    assert same == pytest.approx(auroc_interval(runs, "Edema"))
    assert auroc_interval([runs[0], other], "Edema")[1] > 3 * same[1]
    elsewhere = ClassScores(**{**vars(runs[0]), "seed": 1, "patient": runs[0].patient[::-1]})
    assert math.isnan(auroc_interval([runs[0], elsewhere], "Edema")[1])


def zero_shot_entry(store: Store, name: str, **arrays) -> ReportedRun:
    """A stored zero-shot run of two classes, one with two prompts."""
    predictions = {
        "id": np.array(list("abcd")),
        "patient_id": np.array(list("abcd")),
        "score": np.array([[3, 0], [2, 1], [0, 2], [1, 0.5]]),
        "target": np.array([[1, 0], [1, 0], [0, 1], [0, 1.0]]),
        "meta_classes": np.array(["Edema", "Effusion"]),
        "prompt_score": np.array([[3, 0, 0], [2, 5, 1], [0, 1, 2], [1, 4, 0.5]]),
        "meta_prompts": np.array(["water <in> it", "wet", "fluid"]),
        "meta_prompt_class": np.array([0, 0, 1]),
        **arrays,
    }
    entry = save(store, name, 1.0, task="zero_shot")
    entry.record.spec["data"]["root"] = str(store.root / "no_such_folder")  # no images: no galleries
    store.save(entry.record, {k: v for k, v in predictions.items() if v is not None})
    return entry


def test_every_prompt_has_its_own_score(tmp_path):
    table, why = prompt_table([zero_shot_entry(Store(tmp_path), "A")])
    assert why == "" and table.columns == ["Prompt", "Class", "A"]
    told = [[cell.text for cell in row] for row in table.rows]
    assert told[0] == ["water <in> it", "Edema", "100.0 (+2.0)"]
    assert told[1] == ["wet", "Edema", "50.0 (+0.0)"]
    assert table.rows[2][2].sort == 75


def test_a_prompt_for_absence_is_judged_by_the_images_without_the_class(tmp_path):
    arrays = {"meta_prompt_negative": np.array([False, True, True]), "meta_one_class": np.array(False)}
    entry = zero_shot_entry(Store(tmp_path), "A", **arrays)
    table, _ = prompt_table([entry])
    told = [[cell.text for cell in row] for row in table.rows]
    assert told[1] == ["wet", "no Edema", "50.0 (+0.0)"]
    assert told[2] == ["fluid", "no Effusion", "25.0 (-0.75)"]
    scores, _ = scores_of(reported_runs([Store(tmp_path)]))
    assert not confusion_matrices(scores), "labels that are decided one by one are not confused"


def test_what_records_lack_is_left_out_with_a_line(tmp_path):
    store = scored(tmp_path, {"A": 0.5, "B": 1.0}, seeds=1)
    zero_shot_entry(store, "A", prompt_score=None)
    zero_shot_entry(store, "B", score=None)
    text = build_page(Suite("scored", [], [], title="Scored"), store)
    for line in (
        "B: the stored predictions lack &#39;score&#39;",
        "the stored predictions of A lack &#39;prompt_score&#39;",
        "its scores are similarities and not probabilities",
    ):
        assert line in text, line


def test_cost_shows_the_most_memory_of_a_row_s_runs_where_records_tell_it(tmp_path):
    store = Store(tmp_path)
    runs = [save(store, name, 1.0, seed) for name in ("A", "B") for seed in (0, 1)]
    for run, peak in zip(runs, ({"memory": 2.5}, {"memory": 1.5, "gpu": 3.0}, {}, None), strict=True):
        run.record.provenance = {"peak_gib": peak, "wall_seconds": 4.0}
    table = cost_table(runs, ["A", "B"])
    assert table.columns[-3:] == ["memory, GiB", "GPU memory, GiB", "classification, s"]
    assert [[cell.text for cell in row[-3:]] for row in table.rows] == [
        ["2.5", "3.0", "4.0"],
        ["–", "–", "4.0"],
    ]
    assert "Memory is the peak" in table.caption
    assert "Memory" not in cost_table(runs[2:], ["B"]).caption, "older records"


def test_a_suite_with_two_tables_shows_both_and_ranks_over_all_columns(tmp_path):
    column = (
        'dict(group="G", label="L", task="classification", data="sample:chexpert", '
        'protocol="demo/linear_probe", metric="{}")'
    )
    for name, metric in (("first", "auroc"), ("second", "f1")):
        text = f'title = "The {name} table"\ncolumns = [{column.format(metric)}]\n'
        (tmp_path / f"{name}.py").write_text(text)
    tables = [str(tmp_path / f"{name}.py") for name in ("first", "second")]
    suite = Suite("scored", [], [], title="Scored", table=tables)
    text = build_page(suite, scored(tmp_path / "s", {"A": 0.3, "B": 2.0}))
    assert text.count('<table class="comparison">') == 2 and "Mean ranks over 2 columns" in text
    assert "<h3>The first table</h3>" in text and "<h3>The second table</h3>" in text


def test_a_page_of_scores_has_every_section(tmp_path):
    text = build_page(Suite("scored", [], [], title="Scored"), scored(tmp_path, {"A": 0.3, "B": 2.0}))
    for part in ("ranks", "classes", "curves", "calibration", "cost", "provenance"):
        assert f'<h2 id="{part}">' in text and f'href="#{part}"' in text, part
    assert 'id="confusion"' not in text and 'id="prompts"' not in text
    assert "AUROC × 100 [95 % interval]" in text
    panels = re.findall(r"<title>(ROC|Precision-recall|Reliability): ", text)
    assert sorted(panels) == [*["Precision-recall"] * 2, *["ROC"] * 2, *["Reliability"] * 2]  # of two classes
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids)) >= 10, "ids are unique on the page"
    assert "prior-bench run scored\nprior-bench report scored" in text
    assert re.search(r"<desc>A: Edema [\d.]+, Effusion [\d.]+; B: Edema", text)
    assert "<button" not in text  # what needs the script is made by the script
