"""Image-text retrieval in both directions, in a pool of candidates that the protocol defines."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from prior_bench.api import Backbone, NeededVectors, Protocol, RunContext, TaskResult, Work
from prior_bench.data.manifest import Manifest
from prior_bench.data.views import frontal_first
from prior_bench.errors import BenchError, ErrorList, unknown_name
from prior_bench.metrics import defined, retrieval
from prior_bench.metrics.retrieval_blocks import both_directions
from prior_bench.suites import work
from prior_bench.suites.stored import changed_images

from .protocols.retrieval import RetrievalOptions, RetrievalProtocol

DIRECTIONS = {"image_to_text": "top_texts", "text_to_image": "top_images"}
"""Array with the row numbers of the found candidates, by direction."""

TOGETHER = "the score of a text depends on the other texts: it classifies findings, and ranks no reports"
"""Reason why a method with a decoder of findings is left out."""

NO_STAGES = "its score has no cheaper first stage, so that options.cascade would change nothing"
"""Reason why a method without local scores is left out of a cascade."""


class Retrieval:
    """Retrieval of reports for images and of images for reports.

    For the protocol, see :mod:`tasks.protocols.retrieval`. A pool has one image per study, the first frontal
    one, and its report. Identical reports are one text for the model; :mod:`prior_bench.metrics.retrieval`
    explains the ranks of such ties. For a few images, explanations by the method are stored
    (:mod:`prior_bench.explain.examples`). Precision@K and Hit@K need different labels in the pool, and are
    otherwise left out.
    """

    name = "retrieval"
    needs_text = True
    needs = ("reports",)
    version = 1
    machinery = ("images", "eval_transform", "features")
    metrics = retrieval.DESCRIBED
    default_protocol = "clean/retrieval"
    uses_labels = False
    galleries = ("retrieval", "explanation")
    protocol_model = RetrievalProtocol

    def check(self, data: Manifest, protocol: Protocol) -> None:
        """Raise BenchError if the data or the protocol cannot be used."""
        typed, errors = RetrievalProtocol.attempt(protocol)
        if typed is not None:
            errors += _data_errors(data, typed.options)
        if errors:
            raise ErrorList(f"retrieval with protocol '{protocol.name}' cannot run:", errors, where=data.name)

    def lacks(self, method: type, protocol: Protocol) -> str:
        """Return why methods of a class cannot be evaluated; see :class:`prior_bench.api.Task`."""
        if getattr(method, "texts_together", False):
            return TOGETHER
        cascade = protocol.options.get("cascade")
        return NO_STAGES if cascade and not getattr(method, "cascades", False) else ""

    def needs_pixels(self, protocol: Protocol) -> str:
        """Return why the images themselves are needed; see :class:`prior_bench.api.Task`."""
        return changed_images(protocol)

    def needed_vectors(self, data: Manifest, protocol: Protocol) -> NeededVectors:
        """Return the pool and its reports."""
        pool = candidates(data, RetrievalProtocol.of(protocol).options)
        return NeededVectors(pool, list(dict.fromkeys(pool.table["report"])))

    def run(self, backbone: Backbone, data: Manifest, protocol: Protocol, context: RunContext) -> TaskResult:
        """Evaluate one backbone on one data set; see :class:`prior_bench.api.Task`."""
        from prior_bench.explain.examples import example_arrays
        from prior_bench.explain.inputs import training_reports
        from prior_bench.explain.partners import partner_arrays, partner_losses
        from prior_bench.features import score_blocks
        from prior_bench.features.cascade import cascaded_similarity
        from prior_bench.features.extract import Feed
        from prior_bench.features.similarity import similarity_matrix

        options = RetrievalProtocol.of(protocol).options
        pool = candidates(data, options)
        reports = list(pool.table["report"])
        texts = list(dict.fromkeys(reports))
        number = {text: i for i, text in enumerate(texts)}
        feed = Feed.of(backbone, protocol)
        column = np.array([number[report] for report in reports])  # equal reports are exact ties
        groups = groups_of_labels(pool, options)
        found, large = None, len(pool) * len(texts) > score_blocks.LARGE
        if options.cascade and context.rehearsal is None:  # a rehearsal projects the exact scores
            both = cascaded_similarity(backbone, pool, texts, context, feed, options.cascade)
            found = found_candidates(both[0][:, column], both[1][:, column].T, groups, options)
        elif context.rehearsal is None and backbone.stored is None and large:
            blocks = score_blocks.score_blocks(backbone, pool, texts, context, feed)
            if blocks is not None:
                found = found_in_blocks(lambda: (b[:, column] for b in blocks()), groups, options, len(pool))
        if found is None:
            similarity = similarity_matrix(backbone, pool, texts, context, feed)
            if len(texts) < len(reports):
                similarity = similarity[:, column]
            found = found_candidates(similarity, similarity.T, groups, options)

        predictions = {
            "id": pool.table["id"].to_numpy(dtype=str),
            "patient_id": pool.table["patient_id"].to_numpy(dtype=str),
            **found,
            "meta_pool": np.array(len(pool)),
        }
        if groups is not None:
            predictions |= {"target": pool.targets(), "meta_classes": np.array(data.labels)}
        predictions |= example_arrays(backbone, pool, training_reports(data), context, feed)
        predictions |= partner_arrays(partner_losses(backbone, pool, context))
        unmet = ["labels"] if groups is None else []
        if groups is not None and len(np.unique(groups)) < 2:
            unmet.append("two_label_groups")
        values = self.score(predictions, protocol.metrics)
        undefined = defined.undefined(protocol.metrics, values, self.metrics, unmet)
        trivial = {"chance": retrieval.chance(groups, len(pool), exclude_self=options.exclude_self)}
        if groups is not None:
            trivial["majority"] = retrieval.majority(groups, exclude_self=options.exclude_self)
        return TaskResult(
            metrics=defined.kept(values, undefined),
            predictions=predictions,
            split={**pool.split_summary(), "pool": len(pool), "distinct_texts": len(texts)},
            trivial={
                kind: defined.kept({n: found[n] for n in protocol.metrics if n in found}, undefined)
                for kind, found in trivial.items()
            },
            undefined=undefined,
        )

    def estimate(self, protocol: Protocol, sizes: tuple[int, int, int], fraction: float) -> Work | None:
        """Return the work: the test images once."""
        return work.of_features(protocol, (0, 0, sizes[2]))

    def score(self, predictions: dict[str, np.ndarray], metrics: tuple[str, ...]) -> dict[str, float]:
        """Compute the given metrics from stored predictions; NaN without labels to match.

        When queries are resampled, their ranks still refer to the original pool.
        """
        values = {}
        for name in metrics:
            parts = {d: _value(predictions, name, d) for d in DIRECTIONS}
            values[name] = float(np.mean(list(parts.values())))
            values |= {f"{name}/{direction}": value for direction, value in parts.items()}
        return values


def candidates(data: Manifest, options: RetrievalOptions) -> Manifest:
    """Return the pool: one image with a report per study of the test split.

    Raises:
        BenchError: there are fewer studies than the protocol wants in the pool.
    """
    test = data.split("test")
    table = test.table
    has_report = np.array([isinstance(r, tuple) and len(r) > 0 for r in table["report"]])
    order = frontal_first(table)
    order = order[has_report[order]]
    if "study_id" in table:
        study = table["study_id"].astype(str).to_numpy()[order]
        order = order[np.unique(study, return_index=True)[1]]
    order = np.sort(order)
    if isinstance(options.pool, int):
        wanted = options.pool
        if wanted > len(order):
            fix = "use a smaller options.pool, or 'test_split'"
            what = (
                f"a pool of {wanted} was requested, but the test split has {len(order)} studies with a report"
            )
            raise BenchError(what, where=data.name, fix=fix)
        drawn = np.random.default_rng(options.pool_seed).choice(len(order), wanted, replace=False)
        order = order[np.sort(drawn)]
    return test.select(order)


def found_candidates(
    of_images: np.ndarray, of_texts: np.ndarray, groups: np.ndarray | None, options: RetrievalOptions
) -> dict[str, np.ndarray]:
    """Compute ranks, best candidates and label matches of both directions.

    Args:
        of_images: scores of the texts for each image, [images, texts].
        of_texts: scores of the images for each text, [texts, images].
        groups: numbers of the pool's label vectors, or None without labels.
        options: of the protocol.
    """
    own = np.arange(len(of_images))
    found: dict[str, np.ndarray] = {}
    for (direction, top), scores in zip(DIRECTIONS.items(), (of_images, of_texts), strict=True):
        rank, ties = retrieval.ranks(scores, own)
        shown = retrieval.top(scores, max(retrieval.KS), seed=options.pool_seed)
        found |= {f"{direction}_rank": rank, f"{direction}_ties": ties, top: shown}
        if groups is not None:
            judged = shown
            if options.exclude_self:
                judged = retrieval.top(scores, max(retrieval.KS), seed=options.pool_seed, exclude=own)
            found[f"{direction}_match"] = groups[judged] == groups[:, None]
    return found


def found_in_blocks(
    blocks: Callable[[], Iterator[np.ndarray]],
    groups: np.ndarray | None,
    options: RetrievalOptions,
    pool: int,
) -> dict[str, np.ndarray]:
    """Compute what :func:`found_candidates` does from blocks of scores [B, texts] of images."""
    both = both_directions(
        blocks, pool, max(retrieval.KS), seed=options.pool_seed, exclude_self=options.exclude_self
    )
    found: dict[str, np.ndarray] = {}
    for (direction, top), one in zip(DIRECTIONS.items(), both, strict=True):
        found |= {f"{direction}_rank": one.ranks.rank, f"{direction}_ties": one.ranks.ties, top: one.top}
        if groups is not None:
            found[f"{direction}_match"] = groups[one.judged] == groups[:, None]
    return found


def _value(predictions: dict[str, np.ndarray], name: str, direction: str) -> float:
    ranks = retrieval.Ranks(predictions[f"{direction}_rank"], predictions[f"{direction}_ties"])
    if name == "median_rank":
        return float(np.median(ranks.rank))
    kind, _, k = name.partition("_at_")
    if kind == "recall":
        return retrieval.recall_at(int(k), ranks)
    match = predictions.get(f"{direction}_match")
    if match is None:
        return float("nan")
    return {"precision": retrieval.precision_at, "hit": retrieval.hit_at}[kind](int(k), match)


def groups_of_labels(pool: Manifest, options: RetrievalOptions) -> np.ndarray | None:
    """Number the label vectors of the pool's rows that Precision@K and Hit@K compare; None without labels."""
    labels = options.match_labels or pool.labels
    if not labels:
        return None
    return retrieval.label_groups(pool.table[list(labels)].to_numpy(dtype=np.float32))


def _data_errors(data: Manifest, options: RetrievalOptions) -> list[BenchError]:
    errors = [
        unknown_name("label", label, list(data.labels), where="options.match_labels")
        for label in options.match_labels or ()
        if label not in data.labels
    ]
    try:
        if len(candidates(data, options)) < 2:
            errors.append(BenchError("the pool has fewer than two studies with a report", where=data.name))
    except BenchError as error:
        errors.append(error)
    return errors
