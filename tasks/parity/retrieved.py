"""How retrieval treats the drawn data set and planted embeddings, scores and labels."""

from __future__ import annotations

import numpy as np

from prior_bench.api import Protocol
from prior_bench.data.manifest import Manifest
from prior_bench.protocol_parity.ingredients import Values

from ..protocols.retrieval import RetrievalProtocol
from ..retrieval import Retrieval, candidates, found_candidates, groups_of_labels
from . import data
from .prompted import similarity_of


def pool(protocol: Protocol, given: Values) -> Values:
    """Return the candidates in the order of the list, and how many match each of the first queries."""
    rows = candidates(data.manifest(protocol, given), RetrievalProtocol.of(protocol).options)
    groups = _groups(protocol, rows)
    return {
        **data.listed(data.bare_ids(rows)),
        "matches": [int((groups == groups[query]).sum()) for query in range(given["queries"])],
        "first matches": [
            int(np.flatnonzero(groups == groups[query])[0]) for query in range(given["queries"])
        ],
    }


def scores(protocol: Protocol, given: Values) -> Values:
    """Return the score of each pair of planted vectors."""
    names = [f"text {n}" for n in range(len(given["texts"]))]
    return {"scores": similarity_of(given["images"], names, given["texts"])}


def metrics(protocol: Protocol, given: Values) -> Values:
    """Return the protocol's metrics of planted scores [images][texts] and labels, images as queries."""
    options = RetrievalProtocol.of(protocol).options
    similarity, target = np.array(given["scores"]), np.array(given["targets"])
    _, groups = np.unique(target, axis=0, return_inverse=True)
    predictions = found_candidates(similarity, similarity.T, groups.reshape(-1), options)
    return {
        name: value
        for name, value in Retrieval().score(predictions, protocol.metrics).items()
        if name.endswith("/image_to_text")
    }


def _groups(protocol: Protocol, rows: Manifest) -> np.ndarray:
    groups = groups_of_labels(rows, RetrievalProtocol.of(protocol).options)
    assert groups is not None, "the drawn data set has labels"
    return groups
