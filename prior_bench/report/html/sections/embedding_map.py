"""Embedding maps: the test images of an evaluation in the feature space of each backbone, by class."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np

from prior_bench.errors import BenchError
from prior_bench.report.html.figures.plot import Multiples, Plot
from prior_bench.report.html.figures.row_look import PALETTE
from prior_bench.report.html.figures.scatter_panel import MARKERS, Look, scatter_panel, sign
from prior_bench.report.html.wording import NO_BREAK, evaluation_title
from prior_bench.report.runs.array_cache import cached_arrays
from prior_bench.report.runs.draws import load_predictions
from prior_bench.report.runs.image_classes import OTHER, ImageClasses, image_classes
from prior_bench.report.runs.reported_runs import FinishedRun

FEWEST = 10
"""Smallest number of images in a map; fewer have no meaningful neighbourhoods."""

NEIGHBOURS = 5
"""Number of neighbours of each image whose classes are counted."""


@dataclass
class EmbeddingMap:
    """A map for each backbone, and the signs of its legend by class."""

    maps: Multiples
    signs: dict[str, str] = field(default_factory=dict)


def embedding_map(entries: list[FinishedRun]) -> EmbeddingMap | None:
    """Return the maps of an evaluation; None if its records have no embedding.

    Args:
        entries: finished runs of one evaluation, one per backbone.
    """
    title = evaluation_title(entries[0].spec)
    found = EmbeddingMap(Multiples(title, []))
    for entry in entries:
        try:
            predictions = load_predictions(entry.store.root, entry.key)
            shown = image_classes(predictions)
            points = predictions["example_embedding"][shown.images].astype(float)
        except (BenchError, KeyError):
            continue
        if len(points) < FEWEST:
            continue
        found.maps.names, found.maps.note = shown.names, f"Chance: {100 * chance_of(shown.classes):.0f} %."
        if shown.note:
            found.maps.note += f" {shown.note}"
        looks = looks_of(shown.names)
        found.signs = {name: sign(look) for name, look in zip(shown.names, looks, strict=True)}
        found.maps.plots.append(_plot(entry.spec["backbone"]["name"], points, shown, looks, title))
    return found if found.maps.plots else None


def looks_of(names: list[str]) -> list[Look]:
    """Return a colour and a marker for each class; classes that are shown together are grey."""
    looks = [(PALETTE[i % (len(PALETTE) - 1)], MARKERS[i % len(MARKERS)]) for i in range(len(names))]
    return [(PALETTE[-1], "o") if n == OTHER else look for n, look in zip(names, looks, strict=True)]


def agreement(points: np.ndarray, classes: np.ndarray) -> float:
    """Compute the mean share of an image's nearest neighbours in feature space that have its class."""
    from sklearn.neighbors import NearestNeighbors

    count = min(NEIGHBOURS, len(points) - 1)
    near = NearestNeighbors(n_neighbors=count).fit(points).kneighbors(return_distance=False)
    return float((classes[near] == classes[:, None]).mean())


def chance_of(classes: np.ndarray) -> float:
    """Compute the share for uninformative features: the probability that another image has the same class."""
    sizes = np.bincount(classes)
    return float((sizes * (sizes - 1)).sum() / (len(classes) * (len(classes) - 1)))


def layout(points: np.ndarray) -> np.ndarray:
    """Return cached coordinates by t-SNE, [N, 2]."""
    from prior_bench.store.source_hash import code_version

    content = np.ascontiguousarray(points).tobytes() + str(points.shape).encode()
    key = hashlib.sha256(content + code_version(__name__).encode()).hexdigest()[:24]
    return cached_arrays("embedding_map", key, lambda: {"places": _tsne(points)})["places"]


def _tsne(points: np.ndarray) -> np.ndarray:
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(points) - 1) / 3)
    if not np.ptp(points, axis=0).any():
        return np.zeros((len(points), 2))
    return TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(points)


def _plot(name: str, points: np.ndarray, shown: ImageClasses, looks: list[Look], title: str) -> Plot:
    same, chance = agreement(points, shown.classes), chance_of(shown.classes)
    counts = np.bincount(shown.classes, minlength=len(shown.names))
    by_class = ", ".join(f"{label} {count}" for label, count in zip(shown.names, counts, strict=True))
    near = f"{NEIGHBOURS} nearest neighbours in the features"
    svg = scatter_panel(
        layout(points),
        shown.classes,
        looks,
        title=f"Embedding map of {name}: {title}",
        description=f"Of an image's {near}, {100 * same:.0f} % have its class; "
        f"chance is {100 * chance:.0f} %. Images: {by_class}.",
    )
    return Plot(svg, f"{name}: {100 * same:.0f}{NO_BREAK}%")
