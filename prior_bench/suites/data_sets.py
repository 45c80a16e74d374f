"""The data sets of a plan, each read once."""

from __future__ import annotations

import json
from typing import Any

from prior_bench.data.manifest import Manifest
from prior_bench.data.open import open_dataset
from prior_bench.data.splitting.seeded import split_name
from prior_bench.io.plain import plain


class DataSets:
    """Manifests by reference and split, each read once.

    A split is that of a protocol; with ``split.by_seed``, it depends on the seed of the run, too.
    """

    def __init__(self):
        self._read: dict[tuple[str, str], Manifest] = {}
        self._fingerprints: dict[tuple[str, str], str] = {}

    def open(self, data: dict[str, Any], protocol: dict[str, Any], seed: int) -> Manifest:
        """The manifest of a resolved reference, split by the protocol's rule."""
        key = _key(data, protocol, seed)
        if key not in self._read:
            self._read[key] = open_dataset(dict(data), split=key[1])
        return self._read[key]

    def already_read(self, data: dict[str, Any], protocol: dict[str, Any], seed: int) -> Manifest | None:
        """The manifest, where it has been read."""
        return self._read.get(_key(data, protocol, seed))

    def fingerprint(self, data: dict[str, Any], protocol: dict[str, Any], seed: int) -> str:
        """Hash of the manifest's content."""
        key = _key(data, protocol, seed)
        if key not in self._fingerprints:
            self._fingerprints[key] = self.open(data, protocol, seed).fingerprint()
        return self._fingerprints[key]


def _key(data: dict[str, Any], protocol: dict[str, Any], seed: int) -> tuple[str, str]:
    return json.dumps(plain(data), sort_keys=True), split_name(protocol["split"], seed)
