"""Metrics of phrase grounding: a map over the image, scored against the region that a phrase describes.

Each metric is computed for each phrase. Its value for a test set is the mean over the phrases for which it is
defined. The pixels that count are those of the image; padding of the network's input is NaN in the map.

The contrast-to-noise ratio and the mean IoU are those of BioViL (Boecking et al. 2022, arXiv 2204.09817).
BioViL takes the absolute value of the contrast, which also rewards a map that is low where the finding is:
``cnr`` keeps the sign, ``cnr_absolute`` is the published one. BioViL's thresholds apply to a cosine as it is
(``miou_biovil``); other maps have other scales, so ``miou`` stretches each map to [0, 1] first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from prior_bench.api import Metric, by_name
from prior_bench.errors import unknown_name
from prior_bench.metrics.detection import average_precision
from prior_bench.metrics.detections import Detections
from prior_bench.metrics.names import metric

THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5)
"""Thresholds of a map that the mean IoU averages over (BioViL)."""
IOU_10_50 = (0.1, 0.2, 0.3, 0.4, 0.5)
"""IoU of two boxes that the mean average precision averages over; COCO's are too strict for a map."""
HALF = 0.5
"""Where a map is cut into boxes, as a share of the span from its lowest to its highest value."""


class Grounded(NamedTuple):
    """The map of one phrase and what it is scored against.

    Attributes:
        heat: float [H, W], higher where the phrase is seen; NaN outside the image.
        region: bool [H, W], the annotated region.
        boxes: float [n, 4], the annotated boxes (x1, y1, x2, y2) in pixels of the map.
    """

    heat: np.ndarray
    region: np.ndarray
    boxes: np.ndarray

    @property
    def parts(self) -> tuple[np.ndarray, np.ndarray]:
        """The values of the map inside and outside the region."""
        valid = np.isfinite(self.heat)
        return self.heat[valid & self.region], self.heat[valid & ~self.region]

    @property
    def scored(self) -> bool:
        """Whether the map has pixels of the image both inside and outside the region."""
        return all(len(part) for part in self.parts)


def pointing_game(found: Grounded) -> float:
    """1 if the highest value of the map lies in the region, else 0 (Zhang et al. 2018, arXiv 1608.00507).

    If several pixels share the highest value, their share in the region counts: a constant map scores the
    region's share of the image, which is chance.
    """
    inside, outside = found.parts
    peak = max(inside.max(), outside.max())
    hits, misses = int((inside == peak).sum()), int((outside == peak).sum())
    return hits / (hits + misses)


def pixel_auroc(found: Grounded) -> float:
    """Probability that a pixel inside has a higher value than one outside; a tie counts half."""
    from scipy.stats import rankdata

    inside, outside = found.parts
    # not scikit-learn's, whose checks of its input take ten times as long as the ranks of a map
    ranks = rankdata(np.concatenate([inside, outside]))
    n = len(inside)
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * len(outside)))


def cnr(found: Grounded) -> float:
    """Contrast-to-noise ratio: the mean inside less the mean outside, over the root of the summed variances.

    Positive if the map is higher inside. 0 for a constant map; NaN if the map has one value inside and
    another one outside, which leaves no noise to compare with.
    """
    inside, outside = (part.astype(np.float64) for part in found.parts)
    contrast, noise = inside.mean() - outside.mean(), np.sqrt(inside.var() + outside.var())
    if noise > 0:
        return float(contrast / noise)
    return 0.0 if contrast == 0 else float("nan")


def cnr_absolute(found: Grounded) -> float:
    """The same without its sign, as BioViL reports it."""
    return abs(cnr(found))


def miou(found: Grounded) -> float:
    """IoU of the region and the pixels above a threshold, averaged over :data:`THRESHOLDS`.

    The map is stretched to [0, 1] before. A constant map has no pixel above a threshold and scores 0.
    """
    return _mean_iou(found._replace(heat=_stretched(found.heat)))


def miou_biovil(found: Grounded) -> float:
    """The same for the map as it is, which must be a cosine (BioViL)."""
    return _mean_iou(found)


def map_10_50(found: Grounded) -> float:
    """Average precision of the boxes of a map, averaged over IoU 0.1, 0.2, ..., 0.5.

    The boxes are those around the connected areas above the middle of the map's range, ranked by their
    highest value; they are matched to the annotated boxes of this phrase as COCO matches detections. NaN
    without an annotated box.
    """
    boxes, scores = map_boxes(found.heat)
    none = np.zeros(len(boxes), int)
    truth = np.zeros(len(found.boxes), int)
    detections = Detections(1, 1, none, boxes, scores, none, truth, found.boxes, truth)
    return float(average_precision(detections, IOU_10_50).mean())


def map_boxes(heat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Boxes [n, 4] around the areas of a map [H, W] above :data:`HALF` of its range, and their peaks [n].

    Pixels that share a side are connected. A constant map has no box.
    """
    from scipy.ndimage import find_objects, label

    stretched = np.nan_to_num(_stretched(heat))
    areas, _ = label(stretched > HALF)
    places = find_objects(areas)
    boxes = [(x.start, y.start, x.stop, y.stop) for y, x in places]
    peaks = [stretched[place][areas[place] == n].max() for n, place in enumerate(places, 1)]
    return np.array(boxes, np.float64).reshape(-1, 4), np.array(peaks, np.float64)


METRICS: dict[str, Callable[[Grounded], float]] = {
    metric.__name__: metric
    for metric in (pixel_auroc, pointing_game, cnr, cnr_absolute, miou, miou_biovil, map_10_50)
}
"""All metrics by name."""

PHRASE_GAIN = "phrase_gain"
"""Pixel AUROC of a phrase's map less that of another patient's phrase, over the same region.

It needs a second map, so it is not among :data:`METRICS`; see :func:`phrase_gain`."""

OF_COSINES = ("miou_biovil",)
"""Metrics that mean something only for maps of cosines."""

_FACTS: dict[str, dict[str, Any]] = {
    "pixel_auroc": dict(title="pixel AUROC", chance=0.5, parts="class"),
    "pointing_game": dict(title="pointing game"),
    "cnr": dict(title="CNR", scale=1.0, digits=2, bounds=(None, None), chance=0.0, parts="class"),
    "cnr_absolute": dict(title="CNR, absolute", scale=1.0, digits=2, bounds=(0.0, None)),
    "miou": dict(title="mIoU"),
    "miou_biovil": dict(title="mIoU of cosines"),
    "map_10_50": dict(title="mAP, IoU 0.1–0.5"),
    PHRASE_GAIN: dict(title="gain of the phrase, pixel AUROC", bounds=(-1.0, 1.0), chance=0.0),
}

NEEDS = ("partial_region",)
"""What every metric needs: a region that is neither empty nor the whole image."""

DESCRIBED = by_name(Metric(name, needs=NEEDS, **facts) for name, facts in _FACTS.items())
"""What the metrics mean."""


def of_phrases(found: Iterable[Grounded], names: Iterable[str]) -> dict[str, np.ndarray]:
    """The named metrics of each phrase, float64 [P] each; NaN where undefined.

    Raises:
        BenchError: unknown name.
    """
    names = tuple(names)
    for name in names:
        if name not in METRICS:
            raise unknown_name("grounding metric", name, list(METRICS))
    rows = [[metric(name, METRICS)(one) if one.scored else float("nan") for name in names] for one in found]
    values = np.array(rows, np.float64).reshape(len(rows), len(names))
    return {name: values[:, column] for column, name in enumerate(names)}


def phrase_gain(own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """What a phrase adds to its map, float64 [P]; NaN where one of the two is undefined.

    A map that shows where findings usually are, whatever the phrase says, can have a high pixel AUROC; its
    gain is 0.

    Args:
        own: pixel AUROC [P] of each phrase's map.
        other: pixel AUROC [P] of the map of another patient's phrase over the same image and region.
    """
    return np.asarray(own, np.float64) - np.asarray(other, np.float64)


def other_phrases(
    texts: Sequence[str], patients: Sequence[str], categories: Sequence[str]
) -> list[int | None]:
    """For each of P phrases, the next one in order that is another patient's and says something else.

    Something else is another text and, if both phrases have a category, another category. After the last
    phrase comes the first one. None where there is none.
    """
    count = len(texts)
    found: list[int | None] = []
    for n in range(count):
        following = ((n + step) % count for step in range(1, count))
        found.append(
            next(
                (
                    m
                    for m in following
                    if patients[m] != patients[n]
                    and texts[m] != texts[n]
                    and not (categories[m] == categories[n] != "")
                ),
                None,
            )
        )
    return found


def mean(values: np.ndarray) -> float:
    """The mean over the phrases [P] for which a metric is defined; NaN if there is none."""
    defined = values[np.isfinite(values)]
    return float(defined.mean()) if len(defined) else float("nan")


def share(region: np.ndarray, valid: np.ndarray) -> float:
    """The share of the image [H, W] that a region covers; NaN if it is empty or fills the image."""
    covered = float(region[valid].mean())
    return covered if 0 < covered < 1 else float("nan")


def chance(share: np.ndarray) -> dict[str, np.ndarray]:
    """Expected values of a map of independent uniform noise, float64 [P] each.

    The other metrics have no closed form. That of ``miou`` holds for regions of many pixels, where the
    share above a threshold t is 1 - t inside the region and outside.

    Args:
        share: [P], of the image that each region covers; NaN for phrases that are not scored.
    """
    share = np.asarray(share, np.float64)
    above = [1 - t for t in THRESHOLDS]
    overlap = [share * a / (share + (1 - share) * a) for a in above]
    defined = np.where(np.isfinite(share), 1.0, np.nan)
    return {
        "pixel_auroc": 0.5 * defined,
        "pointing_game": share,
        "cnr": 0.0 * defined,
        "miou": np.mean(overlap, axis=0),
        PHRASE_GAIN: 0.0 * defined,
    }


def centre(valid: np.ndarray) -> np.ndarray:
    """A map that prefers the centre whatever the phrase: float32 [H, W], NaN outside the image.

    A Gaussian stretched to the image, with a standard deviation of a quarter of each side, like the centre
    model of saliency benchmarks (Judd et al. 2012).

    Args:
        valid: bool [H, W], the pixels of the image; a rectangle.
    """
    total = np.zeros(valid.shape)
    for axis in (0, 1):
        places = np.flatnonzero(valid.any(axis=1 - axis))
        middle, side = (places[0] + places[-1]) / 2, places[-1] - places[0] + 1
        distance = (np.arange(valid.shape[axis]) - middle) / (side / 4)
        total += np.expand_dims(distance**2, 1 - axis)
    return np.where(valid, np.exp(-total / 2), np.nan).astype(np.float32)


def _stretched(heat: np.ndarray) -> np.ndarray:
    low, high = np.nanmin(heat), np.nanmax(heat)
    return (heat - low) / (high - low) if high > low else heat - low


def _mean_iou(found: Grounded) -> float:
    inside, outside = found.parts
    values = []
    for threshold in THRESHOLDS:
        hits, misses = int((inside > threshold).sum()), int((outside > threshold).sum())
        values.append(hits / (len(inside) + misses))
    return float(np.mean(values))
