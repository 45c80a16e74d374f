"""What made the records of a bundle: versions, revision and machine, each environment once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

MADE_BY = ("versions", "git", "hardware")
"""Keys of a record's provenance that make an environment."""


def environments(records: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the distinct environments of some records with their counts, the most frequent first."""
    texts = Counter(
        json.dumps({k: record.get("provenance", {}).get(k) or {} for k in MADE_BY}, sort_keys=True)
        for record in records
    )
    ordered = sorted(texts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [{**json.loads(text), "records": count} for text, count in ordered]
