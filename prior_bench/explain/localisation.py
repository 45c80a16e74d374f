"""Do a method's maps show where findings are? Measures over phrases with known regions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from prior_bench.api import Backbone, RunContext
from prior_bench.data.manifest import Manifest
from prior_bench.errors import BenchError
from prior_bench.explain.contract import lacking
from prior_bench.explain.grounded import grounded_images
from prior_bench.explain.measure import Measure, paired_measure
from prior_bench.explain.phrase_maps import other_phrase_maps, phrase_maps
from prior_bench.features.extract import Feed
from prior_bench.metrics import grounding
from prior_bench.pictures.choice import spread

KINDS = ("attention", "similarity", "grad_cam")
"""Kinds of maps in order of preference."""


def localisation(
    backbone: Backbone, data: Manifest, split: str, context: RunContext, at_most: int = 200
) -> list[Measure]:
    """Compare the pixel AUROC of a method's maps with chance, with the centre, and with other phrases' maps.

    Args:
        data: with phrases that have regions.
        split: split whose images are used.
        at_most: largest number of images, evenly spaced.

    Returns:
        Three measures over phrases; empty if the method has no map of a phrase, or no phrase can be scored.

    Raises:
        BenchError: the split has no phrase with a region.
    """
    kind = next((kind for kind in KINDS if not lacking(backbone.text_method, kind)), None)
    if kind is None:
        return []
    images = _with_phrases(data, split, at_most)
    texts = [[phrase.text for phrase in some] for some in images.table["phrases"]]
    counts = [len(some) for some in texts]
    feed = Feed(backbone.input)
    own = phrase_maps(backbone, images, texts, kind, context, feed)
    other = other_phrase_maps(backbone, images, kind, context, feed)

    found: dict[str, list[np.ndarray]] = {"own": [], "centre": [], "other": []}
    for image in grounded_images(images, own, feed, others=other):
        centre = grounding.centre(image.valid)
        maps = {
            "own": image.phrases,
            "centre": [one._replace(heat=centre) for one in image.phrases],
            "other": image.others,
        }
        for name, some in maps.items():
            found[name].append(grounding.of_phrases(some, ("pixel_auroc",))["pixel_auroc"])
    values = {name: np.concatenate(some) for name, some in found.items()}
    values["chance"] = np.full(sum(counts), 0.5)
    patients = np.repeat(images.table["patient_id"].to_numpy(dtype=str), counts)
    who = {"id": np.arange(sum(counts)).astype(str), "patient_id": patients}
    against = {
        "chance": "a map of noise",
        "centre": "a map of the centre of the image",
        "other": "another patient's phrase",
    }
    measures = []
    for name, chance in against.items():
        usable = np.isfinite(values["own"]) & np.isfinite(values[name])
        if usable.any():
            scored = {key: column[usable] for key, column in who.items()}
            title = f"localisation of phrases by {kind}, pixel AUROC"
            measures.append(
                paired_measure(
                    title, chance, scored, values["own"][usable], values[name][usable], of="phrases"
                )
            )
    return measures


def _with_phrases(data: Manifest, split: str, at_most: int) -> Manifest:
    rows = data.split(split)
    fix = "use a data set with phrases: sample:ms_cxr, ms_cxr, padchest_gr"
    if not rows.has("phrases"):
        raise BenchError("has no phrases with regions", where=data.name, fix=fix)
    kept = [n for n, some in enumerate(rows.table["phrases"]) if some]
    if not kept:
        raise BenchError(f"the {split} split has no phrase with a region", where=data.name, fix=fix)
    some = rows.select(np.array(spread(kept, at_most)))
    column = np.empty(len(some), dtype=object)
    column[:] = [tuple(phrases) for phrases in some.table["phrases"]]
    return replace(some, table=some.table.assign(phrases=column))
