"""Phrase grounding: where in the image a backbone sees a phrase, scored against the annotated region."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from prior_bench.api import Backbone, Protocol, RunContext, TaskResult, Work
from prior_bench.data.annotations.phrases import GroundedPhrase, box_tuples
from prior_bench.data.manifest import Manifest
from prior_bench.data.texts import prompts
from prior_bench.errors import BenchError, ErrorList
from prior_bench.metrics import defined
from prior_bench.metrics import grounding as metrics
from prior_bench.suites import work

from .protocols.grounding import GroundingOptions, GroundingProtocol
from .protocols.prompted import as_change

if TYPE_CHECKING:
    from prior_bench.features.extract import Feed

EXAMPLES = 6
"""Number of phrases, evenly spaced, whose map is kept for the report."""

PROMPTED = "boxed_findings"
"""The shipped prompt set for data sets with boxes, which messages name."""


class Grounding:
    """Phrase grounding; for the protocol see :mod:`tasks.protocols.grounding`.

    The samples are the pairs of an image of the test split and a phrase that describes a region of it. The
    map of a phrase is resized bilinearly to the input of the network. The region goes through the transform
    of the images; what the transform pads does not count. A phrase whose region vanishes in it, or fills the
    image, is kept with undefined values, which means leave out.
    """

    name = "grounding"
    needs_text = True
    needs = ("regions",)
    version = 1
    machinery = ("images", "eval_transform", "annotations", "features", "phrase_maps")
    metrics = metrics.DESCRIBED
    default_protocol = "clean/grounding"
    uses_labels = False
    galleries = ("grounding",)
    protocol_model = GroundingProtocol

    def versions(self, protocol: Protocol) -> dict[str, int]:
        """The version of the prompt set, if one is used."""
        given = GroundingProtocol.of(protocol).options.prompts
        if given is None:
            return {}
        found = prompts.load(given)
        return {f"prompts {found.name}": found.version}

    def with_prompts(self, given: str | Path | Mapping[str, Any]) -> dict[str, Any]:
        """Changes to a protocol under which the boxes are named by other prompts."""
        return as_change(given)

    def lacks(self, method: type, protocol: Protocol) -> str:
        """Why methods of a class cannot be evaluated; see :class:`prior_bench.api.Task`."""
        from prior_bench.explain.contract import lacking

        return lacking(method, GroundingProtocol.of(protocol).options.map)

    def check(self, data: Manifest, protocol: Protocol) -> None:
        """Raise BenchError where data or protocol do not fit."""
        typed, errors = GroundingProtocol.attempt(protocol)
        if typed is not None:
            try:
                grounded_images(data, typed.options)
            except BenchError as error:
                errors += getattr(error, "errors", [error])
        if errors:
            raise ErrorList(f"grounding with protocol '{protocol.name}' cannot run:", errors, where=data.name)

    def run(self, backbone: Backbone, data: Manifest, protocol: Protocol, context: RunContext) -> TaskResult:
        """Evaluate one backbone on one data set; see :class:`prior_bench.api.Task`."""
        from prior_bench.explain.phrase_maps import other_phrase_maps, phrase_maps
        from prior_bench.features.extract import Feed

        options = GroundingProtocol.of(protocol).options
        images = grounded_images(data, options)
        texts = [[phrase.text for phrase in some] for some in images.table["phrases"]]
        owner = np.repeat(np.arange(len(texts)), [len(some) for some in texts])
        feed = Feed.of(backbone, protocol)
        maps = phrase_maps(backbone, images, texts, options.map, context, feed)
        ids, patients = (images.table[name].to_numpy(dtype=str)[owner] for name in ("id", "patient_id"))
        category = [phrase.category for some in images.table["phrases"] for phrase in some]
        others = None
        if metrics.PHRASE_GAIN in protocol.metrics:
            others = other_phrase_maps(backbone, images, options.map, context, feed)
        scored = _score(images, owner, maps, others, feed, options, protocol.metrics)

        number = np.arange(len(owner)) - np.searchsorted(owner, owner)
        predictions = {
            "id": np.array([f"{image}#{n}" for image, n in zip(ids, number, strict=True)]),
            "patient_id": patients,
            "image_id": ids,
            "phrase": np.array([text for some in texts for text in some]),
            "category": np.array(category, dtype=str),
            "meta_classes": np.array(sorted(set(category) - {""}), dtype=str),
            "share": scored.share,
            **scored.values,
            **scored.examples,
        }
        usable = np.isfinite(scored.share)
        unmet = [] if usable.any() else ["partial_region"]
        values = self.score(predictions, protocol.metrics)
        undefined = defined.undefined(protocol.metrics, values, self.metrics, unmet)
        trivial = {
            kind: self.score({**predictions, **found}, tuple(n for n in protocol.metrics if n in found))
            for kind, found in (("chance", metrics.chance(scored.share)), ("centre", scored.centre))
        }
        return TaskResult(
            metrics=defined.kept(values, undefined),
            predictions=predictions,
            split={
                **images.split_summary(),
                "phrases": len(owner),
                "phrases without a region in the input": int((~usable).sum()),
                "map": options.map,
                **({} if options.prompts is None else {"prompts": prompts.load(options.prompts).label()}),
            },
            trivial={kind: defined.kept(found, undefined) for kind, found in trivial.items()},
            undefined=undefined,
        )

    def estimate(self, protocol: Protocol, sizes: tuple[int, int, int], fraction: float) -> Work | None:
        """The test images."""
        return work.of_features(protocol, (0, 0, sizes[2]))

    def score(self, predictions: dict[str, np.ndarray], names: tuple[str, ...]) -> dict[str, float]:
        """The named metrics from stored predictions: means over the phrases for which they are defined.

        If the phrases are of several findings, pixel AUROC and CNR have a part for each of them.
        """
        category = predictions["category"]
        findings = [str(name) for name in predictions["meta_classes"]]
        values = {}
        for name in names:
            values[name] = metrics.mean(predictions[name])
            parts = findings if self.metrics[name].parts and len(findings) > 1 else ()
            for finding in parts:
                values[f"{name}/{finding}"] = metrics.mean(predictions[name][category == finding])
        return values


@dataclass
class Scored:
    """What is known of P phrases.

    Attributes:
        values: each metric, float64 [P].
        centre: each metric of the map that prefers the centre, float64 [P].
        share: of its image that each region covers, float64 [P]; NaN where the region vanishes or fills it.
        examples: arrays of a few phrases, for the report.
    """

    values: dict[str, np.ndarray]
    centre: dict[str, np.ndarray]
    share: np.ndarray
    examples: dict[str, np.ndarray]


def grounded_images(data: Manifest, options: GroundingOptions) -> Manifest:
    """The images of the test split that have phrases, in the column ``phrases``.

    Raises:
        BenchError: there are none, or a phrase without text or region.
    """
    test = data.split("test")
    table = test.table
    prompt_set = None if options.prompts is None else prompts.load(options.prompts)
    if prompt_set is not None:
        if not data.has("boxes"):
            fix = "leave options.prompts out" if data.has("phrases") else "use a data set with boxes"
            raise BenchError("there are no boxes for options.prompts", where=data.name, fix=fix)
        phrases = [_prompted(boxes, data.box_classes, prompt_set) for boxes in table["boxes"]]
    elif not data.has("phrases"):
        fix = f"give the boxes phrases: options.prompts={PROMPTED}"
        raise BenchError("has boxes, but no phrases", where=data.name, fix=fix)
    else:
        phrases = [tuple(some or ()) for some in table["phrases"]]
    problems = [
        BenchError(problem, where=f"image {image}", fix="prior-bench data check lists all of them")
        for image, some in zip(table["id"], phrases, strict=True)
        for problem in (phrase.problem() for phrase in some)
        if problem
    ]
    if problems:
        raise problems[0]
    kept = np.array([len(some) > 0 for some in phrases], bool)
    if not kept.any():
        what = "no image of the test split has a phrase with a region"
        if prompt_set is not None:
            classes = ", ".join(data.box_classes)
            what = f"no image of the test split has a box that prompt set '{prompt_set.name}' has words for"
            fix = "name another prompt set, or give prompts of your own with --prompts FILE.json"
            raise BenchError(f"{what} (classes: {classes})", where=data.name, fix=fix)
        raise BenchError(what, where=data.name, fix="use another split rule")
    column = np.empty(len(phrases), dtype=object)
    column[:] = phrases
    return replace(test, table=table.assign(phrases=column)).select(kept)


def _prompted(
    boxes: np.ndarray | None, classes: tuple[str, ...], prompt_set: prompts.PromptSet
) -> tuple[GroundedPhrase, ...]:
    """One phrase for each class that has boxes and each of its prompts."""
    if boxes is None:
        return ()
    return tuple(
        GroundedPhrase(prompt, box_tuples(boxes[boxes[:, 4] == index]), category=name)
        for index, name in enumerate(classes)
        if (boxes[:, 4] == index).any()
        for prompt in prompt_set.classes.get(name, ())
    )


def _score(
    images: Manifest,
    owner: np.ndarray,
    maps: np.ndarray,
    others: np.ndarray | None,
    feed: Feed,
    options: GroundingOptions,
    wanted: tuple[str, ...],
) -> Scored:
    """Every metric of every phrase, image by image.

    Args:
        owner: int [P], the row of the image that each phrase belongs to.
        maps: float32 [P, G, G].
        others: the same for another patient's phrase over the same image, NaN where there is none; None if
            the protocol does not compare with it.
        feed: how the images were fed.
        wanted: metrics of the protocol, for the trivial map.
    """
    from prior_bench.explain.contract import COSINES
    from prior_bench.explain.grounded import grounded_images as placed

    names = [n for n in metrics.METRICS if options.map in COSINES or n not in metrics.OF_COSINES]
    example_rows = np.unique(np.linspace(0, len(owner) - 1, EXAMPLES).astype(int))
    wanted = tuple(name for name in wanted if name != metrics.PHRASE_GAIN)
    values, centred, swapped, share, examples = [], [], [], [], []
    boxes_only = options.region == "boxes"
    for row, one_image in enumerate(placed(images, maps, feed, others=others, boxes_only=boxes_only)):
        found, numbers = one_image.phrases, np.flatnonzero(owner == row)
        prior = metrics.centre(one_image.valid)
        values.append(metrics.of_phrases(found, names))
        centred.append(metrics.of_phrases([one._replace(heat=prior) for one in found], wanted))
        if others is not None:
            swapped.append(metrics.of_phrases(one_image.others, ("pixel_auroc",))["pixel_auroc"])
        share += [metrics.share(one.region, one_image.valid) for one in found]
        examples += [np.packbits(found[k].region) for k, n in enumerate(numbers) if n in example_rows]
    by_name = {name: np.concatenate([one[name] for one in values]) for name in names}
    by_centre = {name: np.concatenate([one[name] for one in centred]) for name in wanted}
    if swapped:
        by_name[metrics.PHRASE_GAIN] = metrics.phrase_gain(by_name["pixel_auroc"], np.concatenate(swapped))
        # whatever the phrase, the map of the centre is the same
        by_centre[metrics.PHRASE_GAIN] = 0.0 * np.array(share)
    return Scored(
        by_name,
        by_centre,
        np.array(share),
        {
            "example_row": example_rows,
            "example_map": maps[example_rows].astype(np.float16),
            "example_region": np.stack(examples),
            "meta_size": np.array(feed.input.size),
        },
    )
