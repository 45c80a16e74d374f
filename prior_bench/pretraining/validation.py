"""Validation of a method during training: retrieval and zero-shot on held-out pairs, and health values.

Validation does not affect training: the method is in evaluation mode without gradients, and its modes and all
random states are restored afterwards.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from prior_bench.api import Features, PretrainBatch, TextBatch
from prior_bench.data.images.read import read_image
from prior_bench.data.images.transforms import eval_transform
from prior_bench.data.manifest import Manifest
from prior_bench.data.texts import prompts
from prior_bench.errors import BenchError
from prior_bench.features.extract import evaluating
from prior_bench.features.similarity import TEXTS_AT_ONCE
from prior_bench.metrics import classification, retrieval
from prior_bench.metrics.prompt_scores import class_scores, paired_scores, probability, standardise
from prior_bench.pretraining.best_epoch import OF_PROMPTS, VALID
from prior_bench.pretraining.config import PretrainConfig
from prior_bench.pretraining.dataset import Pairs
from prior_bench.pretraining.health import HEALTH, LikenessAcross, likeness_within
from prior_bench.pretraining.held_out import WatchedPairs, watched_pairs
from prior_bench.runtime import seed_everything

DIRECTIONS = ("image_to_text", "text_to_image")


class Measurement:
    """Function that measures a method on fixed pairs, whose images are decoded once.

    Args:
        pairs: pairs to measure on.
        method: the method; its input and tokenizer are used.
        prompt_set: name of the prompt set for zero-shot metrics, or None.
        device: device of the method.
        why: the reason if the pairs are not held out; otherwise empty.

    Raises:
        BenchError: the prompt set has no label of the data set.
    """

    def __init__(self, pairs: WatchedPairs, method: Any, prompt_set: str | None, device: str, why: str = ""):
        self.why = why
        self.pairs, self.method, self.device = pairs, method, device
        self.reports = list(dict.fromkeys(pairs.texts))
        number = {text: i for i, text in enumerate(self.reports)}
        # equal reports share a column, so that they have exactly the same similarity
        self.column = np.array([number[text] for text in pairs.texts])
        self.classes: tuple[str, ...] = ()
        self.prompts: list[tuple[str, ...]] = []
        if prompt_set is not None:
            self._use(prompts.load(prompt_set))

    def _use(self, prompt_set: prompts.PromptSet) -> None:
        self.classes = tuple(label for label in self.pairs.labels if label in prompt_set.classes)
        if not self.classes:
            raise BenchError(
                f"prompt set '{prompt_set.name}' knows no label of the pre-training data set "
                f"(it has {', '.join(self.pairs.labels) or 'none'})",
                where="validation.prompts",
                fix=f"name another set; this one is for {', '.join(prompt_set.classes)}",
            )
        texts = [(c, prompt, False) for c in self.classes for prompt in prompt_set.classes[c]]
        texts += [(c, prompt, True) for c in self.classes for prompt in prompt_set.negatives.get(c, ())]
        self.prompts = [(prompt,) for _, prompt, _ in texts]
        self.owner = np.array([self.classes.index(c) for c, _, _ in texts])
        self.negative = np.array([of_absence for _, _, of_absence in texts])

    def __call__(self) -> dict[str, float]:
        """Measure, and return the finite values by their names in the history."""
        with _same_random_state(), evaluating(self.method, self.device):
            values = self._measured()
        return {name: float(value) for name, value in values.items() if math.isfinite(value)}

    def _measured(self) -> dict[str, float]:
        texts = [self.method.encode_text(text) for text in self._tokens]
        prompt_tokens = _tokenised(self.method, self.prompts, self.device)
        prompt_texts = [self.method.encode_text(text) for text in prompt_tokens]
        reports, scores, within = [], [], []
        for images in self._batches():
            image = self.method.encode_image(images)
            if image.local is not None:
                within.append(likeness_within(image.local, image.mask).cpu())
            if self.pairs.held_out:
                reports.append(_similarities(self.method, image, texts))
                scores.append(_similarities(self.method, image, prompt_texts))
        values = self._health(texts, within)
        if self.pairs.held_out:
            values |= {f"{VALID}{k}": v for k, v in self._retrieval(np.concatenate(reports)).items()}
            values[f"{VALID}pairs"] = len(self.pairs)
            if self.prompts:
                found = self._zero_shot(np.concatenate(scores))
                values |= {f"{VALID}{k}": v for k, v in found.items()}
        return values

    def _retrieval(self, similarity: np.ndarray) -> dict[str, float]:
        """Compute metrics of both directions and their means from similarities [N, distinct texts]."""
        similarity, own = similarity[:, self.column], np.arange(len(similarity))
        values: dict[str, float] = {}
        for direction, matrix in zip(DIRECTIONS, (similarity, similarity.T), strict=True):
            ranks = retrieval.ranks(matrix, own)
            found = {f"recall_at_{k}": retrieval.recall_at(k, ranks) for k in retrieval.KS}
            found["median_rank"] = float(np.median(ranks.rank))
            values |= {f"{name}/{direction}": value for name, value in found.items()}
        names = [name.partition("/")[0] for name in values]
        means = {n: float(np.mean([values[f"{n}/{d}"] for d in DIRECTIONS])) for n in dict.fromkeys(names)}
        return {**means, **values}

    def _zero_shot(self, similarity: np.ndarray) -> dict[str, float]:
        """Compute the AUROC of all images, and the accuracy of images with exactly one of the classes.

        The score of a class is that of its best prompt, as z-score over the images. With negative prompts,
        each label is decided separately, as in the task.
        """
        assert self.pairs.target is not None, "there are labels"
        target = self.pairs.target[:, [self.pairs.labels.index(c) for c in self.classes]]
        if self.negative.any():
            scores = paired_scores(similarity, self.owner, self.negative, "max")
            values = classification.evaluate(scores, target, self.classes, ("auroc",))
            values |= classification.evaluate(probability(scores), target, self.classes, ("accuracy",))
            return {name: values[name] for name in OF_PROMPTS}
        scores = standardise(class_scores(similarity, self.owner, "max"), "whole_set", len(similarity))
        single = (target == 1).sum(1) == 1
        values = classification.evaluate(scores, target, self.classes, ("auroc",))
        values |= classification.evaluate(
            scores[single], target[single], self.classes, ("accuracy",), exclusive=True
        )
        return {name: values[name] for name in OF_PROMPTS}

    def _health(self, texts: list[Features], within: list[Tensor]) -> dict[str, float]:
        values: dict[str, float] = {}
        if within:
            values["image_likeness"] = torch.cat(within).mean().item()
        across = LikenessAcross()
        for text in texts:
            if text.local is not None:
                across.add(text.local, text.mask)
        values["text_likeness"] = across.mean()
        if hasattr(self.method, "health"):
            values |= self.method.health(self._pretrain_batches())
        return {f"{HEALTH}{name}": float(value) for name, value in values.items()}

    # --- inputs -----------------------------------------------------------------------------------------

    @cached_property
    def _images(self) -> Tensor:
        transform = eval_transform(self.method.image_encoder.input)
        return torch.stack([transform(read_image(path)) for path in self.pairs.images])

    @cached_property
    def _tokens(self) -> list[TextBatch]:
        return list(_tokenised(self.method, self.reports, self.device))

    def _batches(self) -> Iterator[Tensor]:
        for images in self._images.split(128 if self.device.startswith("cuda") else 32):
            yield images.to(self.device)

    def _pretrain_batches(self) -> Iterator[PretrainBatch]:
        """Yield the same pairs in the form of training batches."""
        tokenizer, start = self.method.text_encoder.tokenizer, 0
        for images in self._batches():
            texts = list(self.pairs.texts[start : start + len(images)])
            start += len(images)
            yield PretrainBatch(images, tokenizer(texts).to(self.device))


def measurement(
    config: PretrainConfig, method: Any, manifest: Manifest, pairs: Pairs, device: str
) -> Measurement | None:
    """Build the measurement of a run; None if its config has no validation.

    Args:
        config: config of the run.
        method: method of the run.
        manifest, pairs: data set of the run, and the pairs that it trains on.
        device: device of the method.

    Raises:
        BenchError: the config needs held-out pairs or labels that the data set does not have.
    """
    watched, why = watched_pairs(config, manifest, pairs)
    if watched is None or config.validation is None:
        return None
    return Measurement(watched, method, config.validation.prompts, device, why)


def _tokenised(method: Any, texts: Sequence[tuple[str, ...]], device: str) -> Iterator[TextBatch]:
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        yield method.text_encoder.tokenizer(list(texts[start : start + TEXTS_AT_ONCE])).to(device)


def _similarities(method: Any, image: Features, texts: list[Features]) -> np.ndarray:
    found = [method.similarity(image, text).float() for text in texts]
    return torch.cat(found, dim=1).cpu().numpy() if found else np.zeros((len(image.global_), 0), np.float32)


@contextmanager
def _same_random_state() -> Iterator[None]:
    """Use a fixed seed, and restore all random generators afterwards."""
    python, numpy = random.getstate(), np.random.get_state()
    devices = [torch.cuda.current_device()] if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices=devices):
        seed_everything(0)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)
