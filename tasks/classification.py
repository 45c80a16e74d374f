"""Classification by a linear probe or by fine-tuning, depending on the protocol."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from prior_bench.api import Backbone, Metric, NeededVectors, Protocol, RunContext, TaskResult, Work
from prior_bench.api.finite_scores import require_finite_scores
from prior_bench.data.images.corruptions import conditions
from prior_bench.data.manifest import SPLITS, Manifest
from prior_bench.data.splitting.shots import few_shot_parts, few_shot_summary
from prior_bench.errors import BenchError, ErrorList
from prior_bench.metrics import classification, defined, resampled, robustness
from prior_bench.suites import work
from prior_bench.suites.stored import changed_images

from .protocols.classification import ClassificationProtocol, GradientProtocol, ProbeProtocol

if TYPE_CHECKING:
    from prior_bench.probing.outcome import ProbeOutcome


class Classification:
    """Multi-label or multi-class classification of whole images.

    For the protocol, see :mod:`tasks.protocols.classification`. With the options ``corruptions`` and
    ``severities``, corrupted images are also tested (:mod:`prior_bench.data.images.corruptions`,
    :mod:`prior_bench.metrics.robustness`). The head is fitted, and its strength and thresholds are chosen, on
    clean images.
    """

    name = "classification"
    needs_text = False
    needs = ("labels",)
    version = 1
    machinery = ("images", "eval_transform", "train_transform", "fractions", "features", "linear_probe")
    metrics = {
        **classification.DESCRIBED,
        **robustness.described(classification.DESCRIBED),
        "classes_left_out": Metric(
            "classes_left_out",
            "lower",
            "classes without both labels",
            scale=1.0,
            digits=0,
            bounds=(0.0, None),
        ),
    }
    default_protocol = "clean/linear_probe"
    uses_labels = True
    few_shot = True
    predictions = ("class_scores", "probabilities")
    protocol_model = ClassificationProtocol

    def check(self, data: Manifest, protocol: Protocol) -> None:
        """Raise BenchError if the data or the protocol cannot be used."""
        typed, errors = ClassificationProtocol.attempt(protocol)
        known = tuple(m for m in robustness.bases(protocol.metrics) if m in classification.METRICS)
        errors += classification.check_metrics(
            known, exclusive=data.exclusive, where="metrics", classes=len(data.labels)
        )
        present = set(data.table["split"])
        errors += [BenchError(f"split '{s}' is empty", where=data.name) for s in SPLITS if s not in present]
        if isinstance(typed, GradientProtocol):
            errors += _monitor_errors(data, typed.stopping.monitor)
        if errors:
            raise ErrorList(
                f"classification with protocol '{protocol.name}' cannot run:", errors, where=data.name
            )

    def needs_pixels(self, protocol: Protocol) -> str:
        """Return why the images themselves are needed; see :class:`prior_bench.api.Task`."""
        typed = ClassificationProtocol.of(protocol)
        if typed.options.pool == "mean":
            return "the mean of the last map is the feature"
        if isinstance(typed, GradientProtocol):
            if not all(protocol.frozen.values()):
                return "the backbone is trained"
            if protocol.transform.get("train"):
                return "training images are augmented"
        return changed_images(protocol)

    def needed_vectors(self, data: Manifest, protocol: Protocol) -> NeededVectors:
        """Return all images."""
        return NeededVectors(data)

    def run(self, backbone: Backbone, data: Manifest, protocol: Protocol, context: RunContext) -> TaskResult:
        """Evaluate one backbone on one data set; see :class:`prior_bench.api.Task`."""
        from prior_bench.probing.pooled import pooled

        parts = {name: data.split(name) for name in SPLITS}
        typed = ClassificationProtocol.of(protocol)
        backbone = pooled(backbone, typed.options.pool)
        if context.shots is not None:
            parts = few_shot_parts(parts, context.shots, context.seed, typed.few_shot)
            rows = np.arange(len(parts["train"]))
        else:
            rows = labelled_rows(parts["train"], protocol, context)
        if isinstance(typed, ProbeProtocol):
            outcome = _logistic(backbone, parts, rows, protocol, typed, context)
        else:
            from prior_bench.probing.gradient import train_classifier

            outcome = train_classifier(backbone, parts, rows, protocol, context)

        require_finite_scores(outcome.test, "scores of test images", backbone.name)
        targets, test = {name: part.targets() for name, part in parts.items()}, parts["test"]
        corruptions = conditions(protocol.options)
        threshold = typed.options.threshold
        predictions = {
            "id": _ids(test),
            "patient_id": test.table["patient_id"].to_numpy(dtype=str),
            "score": outcome.test,
            "target": targets["test"],
            "meta_classes": np.array(data.labels),
            "meta_exclusive": np.array(data.exclusive),
            "meta_thresholds": classification.best_f1_thresholds(outcome.valid, targets["valid"])
            if threshold == "validation_f1"
            else np.full(len(data.labels), float(threshold)),
            **robustness.corrupted_predictions(
                corruptions, _corrupted(backbone, test, outcome, protocol, context)
            ),
        }
        if context.shots is not None:
            predictions |= {f"meta_{name}_id": _ids(parts[name]) for name in ("train", "valid")}
        elif context.fraction == 1 and all(protocol.frozen.values()):
            predictions |= _embedding(backbone, test, protocol, context)
        values = self.score(predictions, protocol.metrics)
        unmet = classification.unmet(outcome.test, targets["test"], exclusive=data.exclusive)
        undefined = defined.undefined(protocol.metrics, values, self.metrics, unmet)
        prevalence = _prevalence(targets["train"][rows])
        trivial = classification.trivial(
            targets["test"],
            prevalence,
            data.labels,
            robustness.bases(protocol.metrics),
            exclusive=data.exclusive,
        )
        without = [
            label
            for label, chosen in zip(data.labels, predictions["meta_thresholds"], strict=True)
            if np.isnan(chosen)
        ]
        split = _split(data, _ids(parts["train"])[rows], _ids(parts["valid"]))
        if context.shots is not None:
            split["few_shot"] = few_shot_summary(parts, context.shots, context.seed, typed.few_shot)
        if without:
            split["without_threshold"] = without  # validation has only one label, so no threshold
        trivial = robustness.trivial(trivial, protocol.metrics, corruptions)
        return TaskResult(
            metrics={
                **defined.kept(values, undefined),
                "classes_left_out": float(classification.left_out(targets["test"]).sum()),
            },
            predictions=predictions,
            split=split,
            trivial={kind: defined.kept(found, undefined) for kind, found in trivial.items()},
            history=outcome.history,
            undefined=undefined,
        )

    def estimate(self, protocol: Protocol, sizes: tuple[int, int, int], fraction: float) -> Work | None:
        """Return the work: features once for a frozen backbone, otherwise the images of every epoch."""
        if protocol.transform.get("train") or not all(protocol.frozen.values()):
            return work.of_training(protocol, sizes, fraction)
        return work.of_features(protocol, sizes)

    def score(self, predictions: dict[str, np.ndarray], metrics: tuple[str, ...]) -> dict[str, float]:
        """Compute the given metrics from stored predictions; NaN if undefined."""
        return robustness.score(_clean_score, predictions, metrics)

    def score_resamples(
        self, predictions: dict[str, np.ndarray], metrics: tuple[str, ...], counts: np.ndarray
    ) -> dict[str, np.ndarray] | None:
        """Compute metrics of clean images on resamples; see :class:`prior_bench.api.Task`."""
        case = classification.Case(
            predictions["score"],
            predictions["target"],
            bool(predictions["meta_exclusive"]),
            predictions["meta_thresholds"],
        )
        return resampled.evaluate(case, tuple(map(str, predictions["meta_classes"])), metrics, counts)


def _clean_score(predictions: dict[str, np.ndarray], metrics: tuple[str, ...]) -> dict[str, float]:
    return classification.evaluate(
        predictions["score"],
        predictions["target"],
        tuple(str(name) for name in predictions["meta_classes"]),
        metrics,
        exclusive=bool(predictions["meta_exclusive"]),
        thresholds=predictions["meta_thresholds"],
    )


def labelled_rows(train: Manifest, protocol: Protocol, context: RunContext) -> np.ndarray:
    """Return the positions of the training rows with labels at the context's label fraction and seed."""
    from prior_bench.data.splitting.fractions import training_part

    kept = training_part(train, protocol.fraction_sampler, context.fraction, context.seed).table["id"]
    return np.flatnonzero(train.table["id"].isin(kept))


def _logistic(
    backbone: Backbone,
    parts: dict[str, Manifest],
    rows: np.ndarray,
    protocol: Protocol,
    typed: ProbeProtocol,
    context: RunContext,
) -> ProbeOutcome:
    from prior_bench.features.extract import Feed, extract
    from prior_bench.probing.logistic import probe

    feed, stored = Feed.of(backbone, protocol), _stored_as(protocol)
    features = {n: extract(backbone, part, context, feed=feed, stored=stored) for n, part in parts.items()}
    if len(rows) < len(features["train"]):  # all of them would be copied, too
        features["train"] = features["train"][rows]
    targets = {"train": parts["train"].targets()[rows], "valid": parts["valid"].targets()}
    exclusive = parts["train"].exclusive
    strengths, iterations = typed.head.strengths, typed.head.max_iterations
    if context.rehearsal is None:
        return probe(
            features,
            targets,
            exclusive=exclusive,
            strengths=strengths,
            max_iterations=iterations,
            scratch=context.cache_dir / "scratch",
        )
    real, done = len(strengths) * iterations, context.rehearsal.steps(iterations)
    with context.rehearsal.timed("iterations of the probe, at most", "host", done, real):
        return probe(features, targets, exclusive=exclusive, strengths=strengths[:1], max_iterations=done)


def _corrupted(
    backbone: Backbone, test: Manifest, outcome: ProbeOutcome, protocol: Protocol, context: RunContext
) -> Iterator[np.ndarray]:
    """Yield scores [N, C] of the test images under each condition of the protocol."""
    from prior_bench.features.extract import Feed, extract

    assert outcome.predict is not None, "corrupted images need a classifier on features"
    feed = Feed.of(backbone, protocol)
    for condition in conditions(protocol.options):
        changed, stored = feed._replace(condition=condition), _stored_as(protocol)
        features = extract(backbone, test, context, feed=changed, stored=stored)
        scores = outcome.predict(features)
        require_finite_scores(scores, f"scores of test images ({condition})", backbone.name)
        yield scores


def _embedding(
    backbone: Backbone, test: Manifest, protocol: Protocol, context: RunContext
) -> dict[str, np.ndarray]:
    from prior_bench.features.extract import Feed, extract
    from prior_bench.probing.embedding import example_embedding, example_rows

    stored = _stored_as(protocol)
    features = extract(backbone, test, context, feed=Feed.of(backbone, protocol), stored=stored)
    rows = example_rows(len(test))
    return {"example_row": rows, "example_embedding": example_embedding(features[rows])}


def _stored_as(protocol: Protocol) -> str:
    return str(protocol.options.get("features", "float32"))


def _monitor_errors(data: Manifest, monitor: str) -> list[BenchError]:
    """Return errors if the monitor is undefined on the validation split."""
    errors = []
    if monitor == "f1_class_1":
        errors += classification.check_metrics(
            (monitor,), exclusive=data.exclusive, where="stopping.monitor", classes=len(data.labels)
        )
    valid = data.select((data.table["split"] == "valid").to_numpy())
    if monitor == "auroc" and len(valid) and classification.left_out(valid.targets()).all():
        fix = "set stopping.monitor to minus_loss"
        what = "no class has both labels in the validation split, so AUROC cannot choose the epoch"
        errors.append(BenchError(what, where=data.name, fix=fix))
    return errors


def _prevalence(target: np.ndarray) -> np.ndarray:
    known = (~np.isnan(target)).sum(0)
    return np.where(known > 0, np.nansum(target, axis=0) / np.maximum(known, 1), np.nan)


def _split(data: Manifest, train_ids: np.ndarray, valid_ids: np.ndarray) -> dict:
    """Summarise the used rows: labelled training rows, validation and test."""
    split, ids = data.table["split"], data.table["id"]
    used = ~split.isin(["train", "valid"]) | ids.isin(train_ids) | ids.isin(valid_ids)
    return data.select(used.to_numpy()).split_summary()


def _ids(part: Manifest) -> np.ndarray:
    return part.table["id"].to_numpy(dtype=str)
