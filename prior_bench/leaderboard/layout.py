"""The layout of a bundle: names of its members, their limits, and the hashes that are its signature.

::

    bundle.json                    the statement (prior_bench.schema.bundle)
    cards/0.json                   the card of a row
    runs/<key>/record.json         a record, without paths of a machine
    runs/<key>/predictions.npz     its predictions, where they are enclosed

The runs lie as in an exported store, so that ``prior-bench results import`` reads a bundle too. A hash shows
that nothing was changed since the bundle was made. It does not show who made it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from prior_bench.io.bounded import MIB, MOST_JSON, most_arrays
from prior_bench.store.store import PREDICTIONS, RECORD

if TYPE_CHECKING:
    import numpy as np

STATEMENT = "bundle.json"
SUFFIX = ".zip"
CARD = re.compile(r"cards/(0|[1-9][0-9]{0,5})\.json")
RUN = re.compile(rf"runs/([A-Za-z0-9][A-Za-z0-9._-]{{0,99}})/({re.escape(RECORD)}|{re.escape(PREDICTIONS)})")
MOST_CARD = MIB
"""Bytes of the largest card."""
MOST_RECORDS = 20_000
"""Records of a bundle."""


def card_member(number: int) -> str:
    """Return the name of the member with the card of a row."""
    return f"cards/{number}.json"


def run_member(key: str, file: str) -> str:
    """Return the name of the member with a file of a run."""
    return f"runs/{key}/{file}"


def most_bytes(member: str) -> int | None:
    """Return how many bytes a member may have; None if no member of a bundle has this name."""
    if member == STATEMENT:
        return MOST_JSON
    if CARD.fullmatch(member):
        return MOST_CARD
    found = RUN.fullmatch(member)
    if not found:
        return None
    return MOST_JSON if found[2] == RECORD else most_arrays()


def sealed(statement: Mapping[str, Any]) -> str:
    """Return the sha256 of a statement without its key ``sha256``, as compact JSON with sorted keys.

    It covers all members, because the statement holds their hashes.
    """
    rest = {name: value for name, value in statement.items() if name != "sha256"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def arrays_sha256(arrays: Mapping[str, np.ndarray]) -> str:
    """Return the sha256 of arrays: of name, type, shape and content, whatever archive holds them."""
    import numpy as np

    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        digest.update(json.dumps([name, array.dtype.str, list(arrays[name].shape)]).encode("ascii"))
        digest.update(array.tobytes())
    return digest.hexdigest()
