"""Zero-shot classification: images against sentences that stand for the classes.

GLoRIA (Huang et al. 2021, section 3.4) scores a class by its best prompt and standardises each class's
scores; over which images they are standardised changes the result, so the protocol says it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from prior_bench.api import Backbone, Protocol, RunContext, TaskResult, Work
from prior_bench.data.images.corruptions import conditions
from prior_bench.data.manifest import Manifest
from prior_bench.data.texts import prompts
from prior_bench.errors import BenchError, ErrorList
from prior_bench.metrics import classification, defined, prompt_wording, robustness
from prior_bench.suites import work

from .protocols.zero_shot import ZeroShotProtocol

POOLINGS: dict[str, Any] = {"max": np.max, "mean": np.mean}
RANKING = ("auroc", "auprc")
"""Metrics that judge each class by itself; they use all images. The others judge the argmax."""


class ZeroShot:
    """Zero-shot classification; for the protocol see :mod:`tasks.protocols.zero_shot`.

    Option ``normalise`` is the z-score of each class over the ``whole_set``, ``per_batch`` of ``batch_size``
    images in the order of the manifest (compat: it makes the score of an image depend on its neighbours), or
    ``none``. On corrupted images (:mod:`prior_bench.data.images.corruptions`,
    :mod:`prior_bench.metrics.robustness`) each condition is standardised by itself.

    The classes are the data set's labels that the prompt set knows. Where labels are not exclusive, the
    metrics of the argmax use the images with exactly one of these findings; where there is one class, or
    these images show one only, an argmax has no choice and they are left out. Beside the classification
    metrics there are those of :mod:`prior_bench.metrics.prompt_wording`.
    """

    name = "zero_shot"
    needs_text = True
    needs = ("labels",)
    metrics = {
        **classification.DESCRIBED,
        **robustness.described(classification.DESCRIBED),
        **prompt_wording.DESCRIBED,
    }
    default_protocol = "clean/zero_shot"
    uses_labels = False
    predictions = ("class_scores", "one_class", "prompt_scores")
    galleries = ("zero_shot",)
    protocol_model = ZeroShotProtocol
    version = 1
    machinery = ("images", "eval_transform", "features")

    def versions(self, protocol: Protocol) -> dict[str, int]:
        """The version of the prompt set."""
        name = ZeroShotProtocol.of(protocol).options.prompts
        return {f"prompts {name}": prompts.load(name).version}

    def check(self, data: Manifest, protocol: Protocol) -> None:
        """Raise BenchError where data or protocol do not fit."""
        typed, errors = ZeroShotProtocol.attempt(protocol)
        if typed is not None:
            try:
                _prompted_classes(prompts.load(typed.options.prompts), data)
            except BenchError as error:
                errors.append(BenchError(error.what, where=f"options.prompts: {error.where}", fix=error.fix))
        if errors:
            raise ErrorList(f"zero-shot with protocol '{protocol.name}' cannot run:", errors, where=data.name)

    def run(self, backbone: Backbone, data: Manifest, protocol: Protocol, context: RunContext) -> TaskResult:
        """Evaluate one backbone on one data set; see :class:`prior_bench.api.Task`."""
        from prior_bench.features.extract import Feed, extract
        from prior_bench.features.similarity import similarity_matrices
        from prior_bench.probing.embedding import example_embedding, example_rows

        options, test = ZeroShotProtocol.of(protocol).options, data.split("test")
        prompt_set = prompts.load(options.prompts)
        if options.prompts_per_class:
            prompt_set = prompt_set.sample(options.prompts_per_class, context.seed)
        classes = _prompted_classes(prompt_set, data)
        texts = [(c, prompt) for c in classes for prompt in prompt_set.classes[c]]
        owner = np.array([classes.index(c) for c, _ in texts])
        feed, corruptions = Feed.of(backbone, protocol), conditions(protocol.options)
        feeds = [feed, *(feed._replace(condition=condition) for condition in corruptions)]
        similarities = similarity_matrices(backbone, test, [(p,) for _, p in texts], context, feeds)
        similarity = next(similarities)

        def scored(similarity: np.ndarray) -> np.ndarray:
            scores = class_scores(similarity, owner, options.pooling)
            return standardise(scores, options.normalise, protocol.batch_size)

        predictions = {
            "id": test.table["id"].to_numpy(dtype=str),
            "patient_id": test.table["patient_id"].to_numpy(dtype=str),
            "score": scored(similarity),
            "target": test.targets()[:, [data.labels.index(c) for c in classes]],
            "prompt_score": similarity,
            "meta_classes": np.array(classes),
            "meta_exclusive": np.array(data.exclusive),
            "meta_prompts": np.array([prompt for _, prompt in texts]),
            "meta_prompt_class": owner,
            **robustness.corrupted_predictions(corruptions, map(scored, similarities)),
        }
        if set(protocol.metrics) & set(prompt_wording.METRICS):
            one_by_one = standardise(similarity, options.normalise, protocol.batch_size)
            predictions["prompt_standardised"] = one_by_one
        shown = example_rows(len(test))
        joint = extract(backbone, test.select(shown), context, "joint", feed)
        predictions |= {"example_row": shown, "example_embedding": example_embedding(joint)}
        values = self.score(predictions, protocol.metrics)
        unmet = classification.unmet(
            predictions["score"], predictions["target"], exclusive=True, judged=_single(predictions)
        )
        undefined = defined.undefined(protocol.metrics, values, self.metrics, unmet)
        trivial = robustness.trivial(
            _trivial(predictions, robustness.bases(protocol.metrics)), protocol.metrics, corruptions
        )
        return TaskResult(
            metrics=defined.kept(values, undefined),
            predictions=predictions,
            split={**test.split_summary(), "prompts": f"{prompt_set.name} v{prompt_set.version}"},
            trivial={kind: defined.kept(found, undefined) for kind, found in trivial.items()},
            undefined=undefined,
        )

    def estimate(self, protocol: Protocol, sizes: tuple[int, int, int], fraction: float) -> Work | None:
        """The test images, once for each corruption, too."""
        return work.of_features(protocol, (0, 0, sizes[2]))

    def score(self, predictions: dict[str, np.ndarray], metrics: tuple[str, ...]) -> dict[str, float]:
        """The named metrics from stored predictions."""
        of_wording = tuple(m for m in metrics if m in prompt_wording.METRICS)
        others = tuple(m for m in metrics if m not in prompt_wording.METRICS)
        values = robustness.score(_clean_score, predictions, others)
        if of_wording:
            single, owner = _single(predictions), predictions["meta_prompt_class"]
            scores, target = predictions["prompt_standardised"][single], predictions["target"][single]
            values |= prompt_wording.evaluate(scores, owner, target, of_wording)
        return values


def _clean_score(predictions: dict[str, np.ndarray], metrics: tuple[str, ...]) -> dict[str, float]:
    classes = tuple(str(c) for c in predictions["meta_classes"])
    every = tuple(m for m in metrics if m in RANKING)
    single = _single(predictions)
    score, target = predictions["score"], predictions["target"]
    values = classification.evaluate(score, target, classes, every)
    argmax = tuple(m for m in metrics if m not in RANKING)
    return values | classification.evaluate(score[single], target[single], classes, argmax, exclusive=True)


def class_scores(similarity: np.ndarray, owner: np.ndarray, pooling: str) -> np.ndarray:
    """Similarity to prompts [N, P] pooled over the prompts of each class (``owner``, int [P]): [N, C]."""
    pool = POOLINGS[pooling]
    return np.stack([pool(similarity[:, owner == c], axis=1) for c in range(owner.max() + 1)], axis=1)


def standardise(scores: np.ndarray, how: str, batch_size: int) -> np.ndarray:
    """Scores [N, C] less their mean over the images, in units of their standard deviation, class by class.

    A class whose score is the same for all images becomes 0, as does a batch of one image.
    """
    if how == "none":
        return scores
    if how == "whole_set":
        batch_size = len(scores)
    pieces = [scores[start : start + batch_size] for start in range(0, len(scores), batch_size)]
    return np.concatenate([_z_score(piece) for piece in pieces])


def _z_score(scores: np.ndarray) -> np.ndarray:
    centred = scores - scores.mean(0)
    spread = scores.std(0)
    # below the rounding error of the scores there is nothing to be standardised
    noise = 4 * np.finfo(scores.dtype).eps * np.abs(scores).max(0, initial=0)
    return np.where(spread > noise, centred / np.where(spread > noise, spread, 1), 0).astype(scores.dtype)


def _single(predictions: dict[str, np.ndarray]) -> np.ndarray:
    """Images with exactly one positive among the prompted classes, bool [N]."""
    return (predictions["target"] == 1).sum(1) == 1


def _trivial(predictions: dict[str, np.ndarray], metrics: tuple[str, ...]) -> dict[str, dict[str, float]]:
    classes = tuple(str(c) for c in predictions["meta_classes"])
    metrics = tuple(m for m in metrics if m not in prompt_wording.METRICS)
    target, single = predictions["target"], _single(predictions)
    prevalence = np.nanmean(target, axis=0) if len(target) else np.full(len(classes), np.nan)
    parts: dict[str, dict[str, float]] = {}
    for rows, names, exclusive in (
        (slice(None), tuple(m for m in metrics if m in RANKING), False),
        (single, tuple(m for m in metrics if m not in RANKING), True),
    ):
        values = classification.trivial(target[rows], prevalence, classes, names, exclusive=exclusive)
        parts = {kind: {**parts.get(kind, {}), **values[kind]} for kind in values}
    return parts


def _prompted_classes(prompt_set: prompts.PromptSet, data: Manifest) -> tuple[str, ...]:
    classes = tuple(label for label in data.labels if label in prompt_set.classes)
    absent = [label for label in data.labels if label not in prompt_set.classes]
    if not classes or (data.exclusive and absent):
        raise BenchError(
            f"prompt set '{prompt_set.name}' has no prompts for {', '.join(absent) or 'any label'}",
            where=data.name,
            fix=f"it has {', '.join(prompt_set.classes)}; name another set in options.prompts",
        )
    return classes
