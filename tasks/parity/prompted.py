"""How zero-shot classification treats planted similarities or embeddings.

The inputs of a fixture (``given``) are ``similarity`` [images][prompts], or vectors of ``images`` and
``texts``, from which the code for stored embeddings makes it; ``prompts``, the number of prompts of each
class, or pairs of numbers (of presence, of absence); and ``order``, in which batches take the images.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from prior_bench.api import Features, Protocol
from prior_bench.backbones.stored_embeddings import StoredEmbeddings
from prior_bench.data.manifest import Manifest
from prior_bench.data.texts import prompts
from prior_bench.features.text_means import mean_texts
from prior_bench.metrics.prompt_scores import class_scores
from prior_bench.protocol_parity.ingredients import Values, suite_of
from prior_bench.suites.suite import seeds_of

from ..prompt_classes import Prompted
from ..protocols.zero_shot import ZeroShotProtocol
from ..zero_shot import ZeroShot, judgement
from .data import listed

Vectors = Sequence[Sequence[float]]


def texts(protocol: Protocol, given: Values) -> Values:
    """Return the prompts of each class, those drawn with the seeds of the suite, and these seeds."""
    options = ZeroShotProtocol.of(protocol).options
    known = prompts.load(options.prompts)
    found: Values = {}
    for label, positive in known.classes.items():
        of_absence = known.negatives.get(label, ())
        found |= {f"{label}, {name}": value for name, value in listed([*positive, *of_absence]).items()}
    if "suite" not in given:
        return found
    suite = suite_of(given)
    entry = next(one for one in suite.evaluations if one["protocol"] == protocol.name)
    found["seeds"] = seeds_of(suite, entry)
    for seed in found["seeds"]:
        assert options.prompts_per_class is not None, "the fixture is of a protocol that draws prompts"
        drawn = known.sample(options.prompts_per_class, seed)
        found |= {f"{label}, seed {seed}": list(chosen) for label, chosen in drawn.classes.items()}
    return found


def class_embeddings(protocol: Protocol, given: Values) -> Values:
    """Return the mean embedding of each class or, where scores are pooled, the pooled score [N, C]."""
    options, asked = ZeroShotProtocol.of(protocol).options, _asked(given)
    if options.pooling == "embedding":
        vectors = torch.tensor(given["texts"], dtype=torch.float32)
        return {"embeddings": mean_texts([Features(vectors)], asked.groups()).global_.numpy()}
    similarity, present = _similarity(asked, given), ~asked.negative
    return {"pooled": class_scores(similarity[:, present], asked.owner[present], options.pooling)}


def scores(protocol: Protocol, given: Values) -> Values:
    """Return the score of each class, [N, C]."""
    options, asked = ZeroShotProtocol.of(protocol).options, _asked(given)
    groups = asked.groups() if options.pooling == "embedding" else []
    found: Values = {}
    for name in given.get("sets", [""]):
        values = given[name] if name else given
        similarity = _similarity(asked, values, groups)
        order = np.array(given["order"]) if options.shuffled else None
        found[f"{name} scores".strip()] = asked.scores(similarity, options, protocol.batch_size, order)
    return found


def metrics(protocol: Protocol, given: Values) -> Values:
    """Return the protocol's metrics of planted scores and targets, those of single classes too."""
    options = ZeroShotProtocol.of(protocol).options
    predictions = {
        "score": np.array(given["scores"]),
        "target": np.array(given["targets"], np.float32),
        "meta_classes": np.array(given["classes"]),
        **judgement(prompts.load(options.prompts), options.score),
    }
    return dict(ZeroShot().score(predictions, protocol.metrics))


def similarity_of(
    images: Vectors, named: Sequence[str], vectors: Vectors, groups: Sequence[Sequence[int]] = ()
) -> np.ndarray:
    """Return the cosines of planted vectors as the code for stored embeddings computes them."""
    ids = [str(row) for row in range(len(images))]
    stored = StoredEmbeddings(
        ids=np.array(ids),
        vectors=np.array(images),
        texts=np.array(named),
        text_vectors=np.array(vectors),
    )
    table = pd.DataFrame({"id": ids, "patient_id": ids, "image": ids, "split": "test"})
    return stored.similarity(Manifest("planted", Path(), table), [(text,) for text in named], groups)


def _similarity(asked: Prompted, given: Values, groups: Sequence[Sequence[int]] = ()) -> np.ndarray:
    if "similarity" in given:
        return np.array(given["similarity"])
    return similarity_of(given["images"], asked.texts, given["texts"], groups)


def _asked(given: Values) -> Prompted:
    """Return as many planted prompts as the fixture has, in the order in which a run has them."""
    counts = [count if isinstance(count, list) else [count, 0] for count in given["prompts"]]
    texts = [(c, kind, n) for kind in (0, 1) for c, pair in enumerate(counts) for n in range(pair[kind])]
    return Prompted(
        tuple(f"class {c}" for c in range(len(counts))),
        [f"class {c}, kind {kind}, number {n}" for c, kind, n in texts],
        np.array([c for c, _, _ in texts]),
        np.array([bool(kind) for _, kind, _ in texts]),
    )
