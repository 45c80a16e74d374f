"""Zero-shot classification: images against sentences that stand for the classes.

GLoRIA (Huang et al. 2021, section 3.4) scores a class by its best prompt and standardises each class's
scores; over which images they are standardised changes the result, so the protocol says it.

Prompts with negatives decide each label by itself, as in CheXzero (Tiu et al. 2022) and BioViL (Boecking et
al. 2022): with the pooled similarities s+ and s- of an image to the positive and to the negative prompts, its
score is s+ - s-, and the label is predicted where the score is 0 or above. This is CheXzero's
exp(s+) / (exp(s+) + exp(s-)) at one half, for every temperature: a temperature would change probabilities,
but neither ranking nor decision. The similarities are the method's own, with the scale that it gives them.
``options.score`` names other scores, and ``options.pooling`` how the prompts of a class are pooled:
docs/zero_shot.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from prior_bench.api import Backbone, NeededVectors, Protocol, RunContext, TaskResult, Work
from prior_bench.api.finite_scores import require_finite_scores
from prior_bench.data.images.corruptions import conditions
from prior_bench.data.manifest import Manifest
from prior_bench.data.texts import prompts
from prior_bench.errors import BenchError, ErrorList
from prior_bench.metrics import classification, defined, prompt_wording, resampled, robustness
from prior_bench.metrics.prompt_scores import probability, standardise
from prior_bench.suites import work
from prior_bench.suites.stored import changed_images

from .prompt_classes import Prompted, decided_one_by_one, further_queries, prompted_classes
from .protocols.zero_shot import ZeroShotProtocol, with_prompts

RANKING = ("auroc", "auprc")
"""Metrics that judge each class by itself; they use all images. The others judge the argmax, or, of prompts
with negatives and of the sigmoid, the decision for each label."""
NEGATIVES_HELP = "prompts with negatives decide a single label (docs/own_pairs.md)"
NO_ARGMAX = "each label is decided by itself; this metric needs a choice between labels"
"""Reason of a metric that is left out."""


class ZeroShot:
    """Zero-shot classification; for the protocol see :mod:`tasks.protocols.zero_shot`.

    Option ``normalise`` is the z-score of each class over the ``whole_set``, ``per_batch`` of ``batch_size``
    images in the order of the manifest or, if ``shuffled``, in a random order drawn by the run's seed
    (compat: it makes the score of an image depend on its neighbours), or ``none``. On corrupted images
    (:mod:`prior_bench.data.images.corruptions`, :mod:`prior_bench.metrics.robustness`) each condition is
    standardised by itself.

    The classes are the data set's labels that the prompt set knows. Where labels are not exclusive, the
    metrics of the argmax use the images with exactly one of these findings; where there is one class, or
    these images show one only, an argmax has no choice and they are left out. Prompts with negatives need no
    argmax (see the module). Beside the classification metrics there are those of
    :mod:`prior_bench.metrics.prompt_wording`.
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
        found = prompts.load(ZeroShotProtocol.of(protocol).options.prompts)
        return {f"prompts {found.name}": found.version}

    def with_prompts(self, given: str | Path | Mapping[str, Any]) -> dict[str, Any]:
        """Changes to a protocol under which other prompts are used."""
        return with_prompts(given)

    def check(self, data: Manifest, protocol: Protocol) -> None:
        """Raise BenchError where data or protocol do not fit."""
        typed, errors = ZeroShotProtocol.attempt(protocol)
        if typed is not None:
            try:
                Prompted.of(prompts.load(typed.options.prompts), data, typed.options)
            except BenchError as error:
                errors.append(BenchError(error.what, where=f"options.prompts: {error.where}", fix=error.fix))
        if errors:
            raise ErrorList(f"zero-shot with protocol '{protocol.name}' cannot run:", errors, where=data.name)

    def needs_pixels(self, protocol: Protocol) -> str:
        """Why the images themselves are needed; see :class:`prior_bench.api.Task`."""
        return changed_images(protocol)

    def needed_vectors(self, data: Manifest, protocol: Protocol) -> NeededVectors:
        """The test images and all prompts of the classes, of which a run may draw some."""
        options = ZeroShotProtocol.of(protocol).options
        found = prompts.load(options.prompts)
        classes = prompted_classes(found, data, options.score, options.queries == "prompt_set")
        texts = [(t,) for c in classes for t in (*found.classes[c], *found.negatives.get(c, ()))]
        texts += [(t,) for t in further_queries(found, classes, options)]
        return NeededVectors(data.split("test"), list(dict.fromkeys(texts)))

    def run(self, backbone: Backbone, data: Manifest, protocol: Protocol, context: RunContext) -> TaskResult:
        """Evaluate one backbone on one data set; see :class:`prior_bench.api.Task`."""
        from prior_bench.features.extract import Feed, extract
        from prior_bench.features.similarity import similarity_matrices
        from prior_bench.probing.embedding import example_embedding, example_rows

        options, test = ZeroShotProtocol.of(protocol).options, data.split("test")
        prompt_set = prompts.load(options.prompts)
        if options.prompts_per_class:
            prompt_set = prompt_set.sample(options.prompts_per_class, context.seed)
        asked = Prompted.of(prompt_set, data, options)
        feed, corruptions = Feed.of(backbone, protocol), conditions(protocol.options)
        feeds = [feed, *(feed._replace(condition=condition) for condition in corruptions)]
        groups = asked.groups() if options.pooling == "embedding" else ()
        further = further_queries(prompt_set, asked.classes, options)
        texts: list[tuple[str, ...]] = [(prompt,) for prompt in (*asked.texts, *further)]
        compared = similarity_matrices(backbone, test, texts, context, feeds, groups)
        found = next(compared)
        similarity = found[:, : len(asked.texts)]

        order = np.random.default_rng(context.seed).permutation(len(test)) if options.shuffled else None

        def scored(found: np.ndarray) -> np.ndarray:
            kept = found if groups else found[:, : len(asked.texts)]
            scores = asked.scores(kept, options, protocol.batch_size, order)
            require_finite_scores(scores, "scores of classes", backbone.name)
            return scores

        predictions = {
            "id": test.table["id"].to_numpy(dtype=str),
            "patient_id": test.table["patient_id"].to_numpy(dtype=str),
            "score": scored(found),
            "target": test.targets()[:, [data.labels.index(c) for c in asked.classes]],
            "prompt_score": similarity,
            "meta_classes": np.array(asked.classes),
            "meta_exclusive": np.array(data.exclusive),
            "meta_prompts": np.array(asked.texts),
            "meta_prompt_class": asked.owner,
            **({"meta_prompt_negative": asked.negative} if asked.negative.any() else {}),
            **judgement(prompt_set, options.score),
            **robustness.corrupted_predictions(corruptions, map(scored, compared)),
        }
        if set(protocol.metrics) & set(prompt_wording.METRICS) and not _one_by_one(predictions):
            alone = standardise(similarity, options.normalise, protocol.batch_size, order)
            predictions["prompt_standardised"] = alone
        shown = example_rows(len(test))
        joint = extract(backbone, test.select(shown), context, "joint", feed)
        predictions |= {"example_row": shown, "example_embedding": example_embedding(joint)}
        values = self.score(predictions, protocol.metrics)
        undefined = self._undefined(predictions, protocol.metrics, values)
        trivial = robustness.trivial(
            _trivial(predictions, robustness.bases(protocol.metrics)), protocol.metrics, corruptions
        )
        return TaskResult(
            metrics=defined.kept(values, undefined),
            predictions=predictions,
            split={**test.split_summary(), "prompts": prompt_set.label()},
            trivial={kind: defined.kept(found, undefined) for kind, found in trivial.items()},
            undefined=undefined,
        )

    def estimate(self, protocol: Protocol, sizes: tuple[int, int, int], fraction: float) -> Work | None:
        """The test images, once for each corruption, too."""
        return work.of_features(protocol, (0, 0, sizes[2]))

    def _undefined(
        self, predictions: dict[str, np.ndarray], metrics: tuple[str, ...], values: dict[str, float]
    ) -> dict[str, str]:
        """Why metrics are left out, by name."""
        score, target, apart = predictions["score"], predictions["target"], _one_by_one(predictions)
        judged = None if apart else _single(predictions)
        unmet = classification.unmet(score, target, exclusive=not apart, judged=judged)
        found = defined.undefined(metrics, values, self.metrics, unmet)
        if apart:
            compared = [m for m in metrics if robustness.base(m) in _of_argmax(score.shape[1])]
            return {**found, **dict.fromkeys(compared, NO_ARGMAX)}
        if score.shape[1] == 1:
            alone = defined.REASONS["two_scored_classes"]
            found = {m: f"{why}; {NEGATIVES_HELP}" if why == alone else why for m, why in found.items()}
        return found

    def score(self, predictions: dict[str, np.ndarray], metrics: tuple[str, ...]) -> dict[str, float]:
        """The named metrics from stored predictions."""
        if _one_by_one(predictions):
            left_out = _of_argmax(predictions["score"].shape[1])
            metrics = tuple(m for m in metrics if robustness.base(m) not in left_out)
        of_wording = tuple(m for m in metrics if m in prompt_wording.METRICS)
        others = tuple(m for m in metrics if m not in prompt_wording.METRICS)
        values = robustness.score(_clean_score, predictions, others)
        if of_wording:
            single, owner = _single(predictions), predictions["meta_prompt_class"]
            scores, target = predictions["prompt_standardised"][single], predictions["target"][single]
            values |= prompt_wording.evaluate(scores, owner, target, of_wording)
        return values

    def score_resamples(
        self, predictions: dict[str, np.ndarray], metrics: tuple[str, ...], counts: np.ndarray
    ) -> dict[str, np.ndarray] | None:
        """Compute metrics of clean images on resamples; see :class:`prior_bench.api.Task`."""
        alone = _one_by_one(predictions)
        if alone:
            left_out = _of_argmax(predictions["score"].shape[1])
            metrics = tuple(m for m in metrics if m not in left_out)
        values: dict[str, np.ndarray] = {}
        for names, case, rows in _cases(predictions, metrics):
            classes = tuple(map(str, predictions["meta_classes"]))
            found = resampled.evaluate(case, classes, names, counts[:, rows])
            if found is None:
                return None
            values |= found
        return values


def judgement(prompt_set: prompts.PromptSet, score: str) -> dict[str, np.ndarray]:
    """How the scores are judged, as stored beside them: label by label, and whether as probabilities."""
    one_by_one = decided_one_by_one(prompt_set, score)
    return {
        **({"meta_one_class": np.array(False)} if one_by_one else {}),
        **({} if score == "similarity" else {"meta_probability": np.array(True)}),
    }


def _clean_score(predictions: dict[str, np.ndarray], metrics: tuple[str, ...]) -> dict[str, float]:
    classes = tuple(str(c) for c in predictions["meta_classes"])
    values: dict[str, float] = {}
    for names, case, _ in _cases(predictions, metrics):
        values |= classification.evaluate(case.score, case.target, classes, names, exclusive=case.exclusive)
    return values


def _cases(
    predictions: dict[str, np.ndarray], metrics: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], classification.Case, np.ndarray]]:
    """Yield metrics with the scores they are of, and which samples these are, bool [N].

    Rankings are of all images. Decisions are of images with one finding, or label by label.
    """
    score, target = predictions["score"], predictions["target"]
    everything = np.full(len(score), True)
    yield tuple(m for m in metrics if m in RANKING), classification.Case(score, target), everything
    argmax = tuple(m for m in metrics if m not in RANKING)
    if _one_by_one(predictions):
        decided = score if predictions.get("meta_probability", False) else probability(score)
        yield argmax, classification.Case(decided, target), everything
    else:
        single = _single(predictions)
        yield argmax, classification.Case(score[single], target[single], exclusive=True), single


def _one_by_one(predictions: dict[str, np.ndarray]) -> bool:
    """Whether each label is decided by itself, at 0 or at a probability of one half."""
    return not predictions.get("meta_one_class", True)


def _of_argmax(classes: int) -> tuple[str, ...]:
    """Metrics that are undefined where each label is decided by itself: they need a choice."""
    single = ("f1_class_1",) if classes == 1 else ()
    exclusive = tuple(m for m in classification.EXCLUSIVE_ONLY if m not in single)
    return (*exclusive, *prompt_wording.METRICS)


def _single(predictions: dict[str, np.ndarray]) -> np.ndarray:
    """Images with exactly one positive among the prompted classes, bool [N]."""
    return (predictions["target"] == 1).sum(1) == 1


def _trivial(predictions: dict[str, np.ndarray], metrics: tuple[str, ...]) -> dict[str, dict[str, float]]:
    classes = tuple(str(c) for c in predictions["meta_classes"])
    metrics = tuple(m for m in metrics if m not in prompt_wording.METRICS)
    target, single, alone = predictions["target"], _single(predictions), _one_by_one(predictions)
    metrics = tuple(m for m in metrics if not (alone and m in _of_argmax(len(classes))))
    prevalence = np.nanmean(target, axis=0) if len(target) else np.full(len(classes), np.nan)
    if alone:
        return classification.trivial(target, prevalence, classes, metrics, exclusive=False)
    parts: dict[str, dict[str, float]] = {}
    for rows, names, exclusive in (
        (slice(None), tuple(m for m in metrics if m in RANKING), False),
        (single, tuple(m for m in metrics if m not in RANKING), True),
    ):
        values = classification.trivial(target[rows], prevalence, classes, names, exclusive=exclusive)
        parts = {kind: {**parts.get(kind, {}), **values[kind]} for kind in values}
    return parts
