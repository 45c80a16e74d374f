"""The data sets of a plan, each read once."""

from __future__ import annotations

import json
from typing import Any

from prior_bench.data.manifest import Manifest
from prior_bench.data.open import open_dataset
from prior_bench.store.store import plain


class DataSets:
    """Manifests by reference and split rule, each read once."""

    def __init__(self):
        self._read: dict[tuple[str, str], Manifest] = {}
        self._fingerprints: dict[tuple[str, str], str] = {}

    def open(self, data: dict[str, Any], protocol: dict[str, Any]) -> Manifest:
        """The manifest of a resolved reference, split by the protocol's rule."""
        key = _key(data, protocol)
        if key not in self._read:
            self._read[key] = open_dataset(dict(data), split=key[1])
        return self._read[key]

    def already_read(self, data: dict[str, Any], protocol: dict[str, Any]) -> Manifest | None:
        """The manifest, where it has been read."""
        return self._read.get(_key(data, protocol))

    def fingerprint(self, data: dict[str, Any], protocol: dict[str, Any]) -> str:
        """Hash of the manifest's content."""
        key = _key(data, protocol)
        if key not in self._fingerprints:
            self._fingerprints[key] = self.open(data, protocol).fingerprint()
        return self._fingerprints[key]


def _key(data: dict[str, Any], protocol: dict[str, Any]) -> tuple[str, str]:
    return json.dumps(plain(data), sort_keys=True), protocol["split"].get("rule", "default")
