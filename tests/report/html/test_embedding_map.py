"""Embedding maps: which images they show as what, what is counted on them, and how they are drawn."""

import re

import numpy as np
import pytest
from scored_store import CLASSES, save

from prior_bench.probing.embedding import example_embedding
from prior_bench.report.html.figures.scatter_panel import MARGIN, SIDE
from prior_bench.report.html.sections import embedding_map as maps
from prior_bench.report.runs.draws import load_predictions
from prior_bench.report.runs.image_classes import OTHER, image_classes
from prior_bench.store.store import Store

EACH = 20
"""Images of a cluster."""


def clusters(count: int, spread: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Points around the corners of a simplex, and the corner of each."""
    corner = np.repeat(np.arange(count), EACH)
    noise = np.random.default_rng(0).normal(scale=spread, size=(count * EACH, count))
    return np.eye(count)[corner] + noise, corner


def kept(target, names=None, rows=None) -> dict[str, np.ndarray]:
    target = np.asarray(target, float)
    names = names or [f"c{i}" for i in range(target.shape[1])]
    rows = np.arange(len(target)) if rows is None else np.asarray(rows)
    return {"target": target, "meta_classes": np.array(names), "example_row": rows}


def with_embedding(store: Store, name: str, features: np.ndarray, target: np.ndarray):
    entry = save(store, name, 1.0)
    found = store.predictions(entry.key) | kept(target, list(CLASSES))
    ids = np.array([f"i{i}" for i in range(len(target))])
    found |= {
        "id": ids,
        "patient_id": ids,
        "score": target * 0.5,
        "example_embedding": example_embedding(features),
    }
    store.save(entry.record, found)
    load_predictions.cache_clear()
    return entry


def test_images_with_one_label_are_shown_by_it():
    target = np.concatenate([np.repeat(np.eye(3), 6, axis=0), [[1, 1, 0], [0, 0, 0], [np.nan, 0, np.nan]]])
    shown = image_classes(kept(target))
    assert shown.images.tolist() == list(range(18)) and shown.classes.tolist() == [0] * 6 + [1] * 6 + [2] * 6
    assert shown.names == ["c0", "c1", "c2"]
    assert shown.note == "Shown are 18 of 21 images, which have exactly one of the labels."
    assert image_classes(kept(target[:18])).note == ""


def test_labels_are_those_of_the_rows_that_were_kept():
    target = np.repeat(np.eye(2), 10, axis=0)
    shown = image_classes(kept(target, rows=[0, 1, 2, 3, 4, 15, 16, 17, 18, 19]))
    assert shown.images.tolist() == list(range(10)) and shown.classes.tolist() == [0] * 5 + [1] * 5


def test_where_few_images_have_one_label_the_commonest_finding_is_shown():
    target = np.array([[1, 1, 0]] * 8 + [[0, 1, 0]] * 4 + [[0, 0, 0]] * 5 + [[1, np.nan, 1]])
    shown = image_classes(kept(target))
    assert shown.names == ["c1", "without c1"]
    assert shown.images.tolist() == list(range(17)) and shown.classes.tolist() == [0] * 12 + [1] * 5
    one = image_classes(kept(np.array([[1.0]] * 3 + [[0.0]] * 4)))
    assert one.names == ["c0", "without c0"] and one.classes.tolist() == [0] * 3 + [1] * 4


def test_the_smaller_of_many_classes_are_shown_as_one():
    sizes = [9, 5, 8, 7, 6, 12, 11, 10, 5, 14]
    shown = image_classes(kept(np.repeat(np.eye(10), sizes, axis=0)))
    assert shown.names == ["c0", "c2", "c3", "c5", "c6", "c7", "c9", OTHER]
    assert np.bincount(shown.classes).tolist() == [9, 8, 7, 12, 11, 10, 14, 5 + 6 + 5]
    looks = maps.looks_of(shown.names)
    assert len(set(looks)) == 8 and looks[-1] == ("#7f7f7f", "o")


def test_agreement_is_one_for_clusters_and_chance_for_shuffled_classes():
    points, classes = clusters(4)
    assert maps.agreement(points, classes) == 1
    assert maps.chance_of(classes) == pytest.approx((EACH - 1) / (4 * EACH - 1))
    shuffled = np.random.default_rng(1).permutation(classes)
    assert maps.agreement(points, shuffled) == pytest.approx(maps.chance_of(classes), abs=0.08)
    # by hand: on a line, each point's two neighbours, of three points
    assert maps.agreement(np.array([[0.0], [1.0], [5.0]]), np.array([0, 0, 1])) == pytest.approx(2 / 6)


def test_clusters_stay_apart_on_the_map_and_it_is_made_once(monkeypatch):
    points, classes = clusters(3)
    places = maps.layout(points)
    centres = np.array([places[classes == c].mean(0) for c in range(3)])
    inner = max(np.linalg.norm(places[classes == c] - centres[c], axis=1).max() for c in range(3))
    between = min(np.linalg.norm(centres[i] - centres[j]) for i in range(3) for j in range(i))
    assert between > 1.5 * inner
    monkeypatch.setattr(maps, "_tsne", None)  # would fail if it were called
    assert np.array_equal(maps.layout(points.copy()), places)


def test_features_that_do_not_vary_are_one_point():
    assert not maps.layout(np.zeros((12, 3))).any()


def test_a_map_for_each_backbone_with_its_number_in_words(tmp_path):
    store = Store(tmp_path / "s")
    points, corner = clusters(2)
    target = np.eye(2)[corner]
    good = with_embedding(store, "Good", points, target)
    bad = with_embedding(store, "Bad", np.random.default_rng(2).normal(size=points.shape), target)
    found = maps.embedding_map([good, bad, save(store, "Older", 1.0)])
    assert [plot.caption for plot in found.maps.plots][0] == "Good: 100\N{NO-BREAK SPACE}%"
    assert found.maps.plots[1].caption.startswith("Bad: ") and len(found.maps.plots) == 2
    assert found.maps.names == list(CLASSES) == list(found.signs) and "Chance: 49 %." in found.maps.note
    svg = found.maps.plots[0].svg
    assert "100 % have its class; chance is 49 %. Images: Edema 20, Effusion 20." in svg
    assert "<title>Embedding map of Good: " in svg
    uses = re.findall(r'<use x="([\d.]+)" y="([\d.]+)" href="#[^"]*-(\d)"', svg)
    assert [sum(marker == n for *_, marker in uses) for n in "01"] == [20, 20] and len(svg) < 5000
    x, y = (np.array(n, float) for n in list(zip(*uses, strict=True))[:2])
    assert min(x.min(), y.min()) >= MARGIN - 0.1 and max(x.max(), y.max()) <= SIDE - MARGIN + 0.1


def test_records_without_an_embedding_have_no_map(tmp_path):
    assert maps.embedding_map([save(Store(tmp_path / "s"), "Older", 1.0)]) is None
