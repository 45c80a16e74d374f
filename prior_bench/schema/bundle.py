"""The schema of ``bundle.json``: what a bundle of results says of itself (docs/leaderboard.md).

Bundles come from other people. Unknown keys are errors, since nothing in a bundle may go unnoticed; a later
layout has another version.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from prior_bench.schema.base import Index, Strict
from prior_bench.schema.model import ModelCard

FORMAT = "prior-bench bundle"
VERSION = 1
"""Version of the layout that is written; a file of a newer one is refused."""

Said = Annotated[str, Field(max_length=500)]
"""A line that somebody wrote; it may be empty."""
Title = Annotated[str, Field(min_length=1, max_length=200)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
"""A sha256 in hexadecimal digits."""
Digests = dict[str, Digest]


class BundledRow(Strict):
    """A row: a backbone, and the member with its card."""

    name: Annotated[str, Field(min_length=1)]
    """Its name in the records."""
    card: str
    """Name of the member."""


class BundledRecord(Strict):
    """A record, and what is known of its predictions."""

    key: str
    """Key of the record."""
    predictions_sha256: Digest | Literal[""] = ""
    """Hash of the arrays that may be shared; empty if the run predicted nothing."""
    enclosed: bool = False
    """Whether the predictions are in the bundle."""


class Environment(Strict):
    """Versions, revision and machine that made some records."""

    versions: dict[str, str] = {}
    git: dict[str, Any] = {}
    hardware: dict[str, Any] = {}
    records: Annotated[int, Field(ge=1)]
    """How many records it made."""


class BundleStatement(Strict):
    """``bundle.json``."""

    format: Literal["prior-bench bundle"]
    version: Annotated[int, Field(ge=1)]
    title: Title
    """Title of the submission."""
    contact: Said = ""
    """Who answers questions: a name, an address, a link."""
    licence: Said = ""
    """Licence of the numbers."""
    note: Said = ""
    """What a reader should know."""
    made_with: str = ""
    """Version of prior-bench that wrote the file."""
    left_out: Index = 0
    """Records of the store that failed, or are rehearsals, and are not in the bundle."""
    rows: list[BundledRow]
    records: list[BundledRecord]
    environments: list[Environment] = []
    members: Digests
    """sha256 of every other member, by its name."""
    sha256: Digest
    """sha256 of this statement without this key (docs/leaderboard.md says of which text)."""


class BundleCard(Strict):
    """``cards/N.json``: the card of a row, and what its records say of the weights."""

    row: Annotated[str, Field(min_length=1)]
    """Name of the row."""
    card: ModelCard | None = None
    """The card that the submitter gave, in the format of ``configs/models``."""
    weights: dict[str, Any] = {}
    """What the records say: type, identity, where the weights come from, size, input."""
