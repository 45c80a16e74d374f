"""The classes of a zero-shot run: their prompts, and their scores under a protocol's options."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from prior_bench.data.manifest import Manifest
from prior_bench.data.texts.prompts import PromptSet
from prior_bench.errors import BenchError, unknown_name
from prior_bench.metrics.prompt_scores import (
    class_probabilities,
    class_scores,
    probability,
    sigmoid,
    standardise,
)

from .protocols.zero_shot import ZeroShotOptions

OF_PAIRS = ("similarity", "pair_softmax")
"""Scores that use negative prompts; the others use the positive ones alone."""


class Prompted(NamedTuple):
    """The prompts that images are compared with.

    Attributes:
        classes: C names.
        texts: P prompts, all positive ones before all negative ones.
        owner: int [P], the class of each prompt.
        negative: bool [P], whether a prompt stands for the absence of its class.
    """

    classes: tuple[str, ...]
    texts: list[str]
    owner: np.ndarray
    negative: np.ndarray

    @classmethod
    def of(cls, prompt_set: PromptSet, data: Manifest, options: ZeroShotOptions) -> Prompted:
        """Return the prompts of the classes that data and prompts share, as far as the score uses them."""
        classes = prompted_classes(prompt_set, data, options.score, options.queries == "prompt_set")
        negatives = prompt_set.negatives if options.score in OF_PAIRS else {}
        texts = [(c, prompt, False) for c in classes for prompt in prompt_set.classes[c]]
        texts += [(c, prompt, True) for c in classes for prompt in negatives.get(c, ())]
        return cls(
            classes,
            [prompt for _, prompt, _ in texts],
            np.array([classes.index(c) for c, _, _ in texts]),
            np.array([of_absence for _, _, of_absence in texts]),
        )

    def groups(self) -> list[list[int]]:
        """Return the positions of the prompts of each class: positive ones, then negative ones if any."""
        kinds = (False, True) if self.negative.any() else (False,)
        return [
            np.flatnonzero((self.owner == c) & (self.negative == kind)).tolist()
            for kind in kinds
            for c in range(len(self.classes))
        ]

    def scores(
        self,
        similarity: np.ndarray,
        options: ZeroShotOptions,
        batch_size: int,
        order: np.ndarray | None = None,
    ) -> np.ndarray:
        """Compute the scores of the classes, [N, C].

        Args:
            similarity: [N, P], or [N, P + groups] where ``options.pooling`` is ``embedding``.
            options: of the protocol.
            batch_size, order: for ``normalise="per_batch"``; see
                :func:`prior_bench.metrics.prompt_scores.standardise`.
        """
        present, absent = self._pooled(similarity, options.pooling)
        if options.score == "softmax":
            return class_probabilities(present, options.scale)
        if options.score == "sigmoid":
            return sigmoid(present, options.scale, options.bias)
        if absent is None:
            return standardise(present, options.normalise, batch_size, order)
        margin = present - absent
        return margin if options.score == "similarity" else probability(options.scale * margin.astype(float))

    def _pooled(self, similarity: np.ndarray, pooling: str) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the pooled scores of the positive and of the negative prompts, each [N, C]."""
        count = len(self.classes)
        if pooling == "embedding":
            means = similarity[:, len(self.texts) :]
            return means[:, :count], means[:, count:] if self.negative.any() else None
        present, absent = (
            class_scores(similarity[:, of_kind], self.owner[of_kind], pooling) if of_kind.any() else None
            for of_kind in (~self.negative, self.negative)
        )
        assert present is not None, "every class has positive prompts"
        return present, absent


def decided_one_by_one(prompt_set: PromptSet, score: str) -> bool:
    """Whether each label is decided by itself; otherwise the class with the highest score is predicted."""
    return score == "sigmoid" or (score in OF_PAIRS and bool(prompt_set.negatives))


def further_queries(prompt_set: PromptSet, classes: tuple[str, ...], options: ZeroShotOptions) -> list[str]:
    """Return the prompts of the other classes, if the protocol wants all of the set to be queries."""
    if options.queries == "classes":
        return []
    negatives = prompt_set.negatives if options.score in OF_PAIRS else {}
    others = [label for label in prompt_set.classes if label not in classes]
    return [text for given in (prompt_set.classes, negatives) for c in others for text in given.get(c, ())]


def prompted_classes(
    prompt_set: PromptSet, data: Manifest, score: str, strangers_fit: bool = False
) -> tuple[str, ...]:
    """Return the labels of the data that the prompts know.

    Args:
        score: the protocol's ``options.score``.
        strangers_fit: whether a user's prompts may be for labels that the data lack, though others have none.

    Raises:
        BenchError: there are none, or too few for the score, or a user's label has another name.
    """
    classes = tuple(label for label in data.labels if label in prompt_set.classes)
    absent = [label for label in data.labels if label not in prompt_set.classes]
    strangers = [label for label in prompt_set.classes if label not in data.labels]
    if (
        prompt_set.own and absent and strangers and not (strangers_fit and classes)
    ):  # a label by another name, most likely
        error = unknown_name("class", strangers[0], list(data.labels), where=data.name)
        raise BenchError(
            f"the prompts name '{strangers[0]}', which is no label of the data",
            where=data.name,
            fix=error.fix.replace("known:", "its labels:")
            + "; a decoder of findings is asked further ones with options.queries=prompt_set",
        )
    alone = decided_one_by_one(prompt_set, score)
    if not classes or (data.exclusive and absent and not alone):
        raise BenchError(
            f"prompt set '{prompt_set.name}' has no prompts for {', '.join(absent) or 'any label'}",
            where=data.name,
            fix=f"it has {', '.join(prompt_set.classes)}; give prompts of your own with --prompts FILE.json "
            "(docs/own_pairs.md), or name another set in options.prompts",
        )
    if score == "softmax" and len(classes) == 1:
        what = f"a softmax over the one class '{classes[0]}' is 1 for every image"
        raise BenchError(what, where=data.name, fix="take options.score 'pair_softmax' or 'sigmoid'")
    return classes
