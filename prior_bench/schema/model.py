"""The schema of model cards (``configs/models``): facts about a public model, and the row that loads it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from prior_bench.registry import DATASETS
from prior_bench.schema.base import OneOf, Several, Strict, Text
from prior_bench.schema.suite import BackboneType, has_colon

FILE = "{weights}"
"""Stands in a row for the path of the weights file."""
Link = Annotated[str, Field(pattern=r"^(https?://\S+)?$")]
DataName = Annotated[
    str, OneOf("data set", DATASETS.names, listed="prior-bench list datasets", accepts=has_colon)
]


class Paper(Strict):
    """The paper that describes the model."""

    title: Text
    """Title."""
    year: Annotated[int, Field(ge=2015, le=2100)]
    """Year of its first publication."""
    link: Link = ""
    """Address, if it was confirmed."""


class Weights(Strict):
    """Where the weights are."""

    where: Text
    """How to obtain them, in words, with the address."""
    link: Link = ""
    """Address, if it was confirmed."""
    file: str = ""
    """Name that the file has in ``models/NAME`` under the data root; empty for models of a hub."""


class AuthorsZeroShot(Strict):
    """How the authors classify without labels."""

    how: Text
    """Prompts and score."""
    protocol: str = ""
    """Protocol of this suite that follows it most closely."""
    prompts: str = ""
    """Prompt set of this suite that follows it most closely."""


class CardRow(Strict):
    """The row of a suite that loads the model, without a name. Further keys are the arguments of its type."""

    model_config = ConfigDict(extra="allow")

    type: BackboneType
    """Source of the weights."""


class ModelCard(Strict):
    """A public model. The name of the file is the name of the model."""

    title: Text
    """Name for display."""
    paper: Paper | None = None
    """The paper, if there is one."""
    repository: Link = ""
    """Address of the authors' code."""
    weights: Weights
    """Where the weights are."""
    access: Literal["open", "registration", "request", "none"]
    """``open``: anybody may download them; ``registration``: after terms are accepted; ``request``: the
    authors send them; ``none``: they were not found."""
    licence: Text
    """Licence of the weights or else of the code, or that none is stated."""
    vision: Text
    """Architecture of the image encoder."""
    text: str = ""
    """Architecture of the text encoder; empty if the model has none."""
    input: Text
    """The input of the image encoder, or who states it."""
    trained_on: dict[DataName, Text] = {}
    """Data sets of this suite whose patients the weights have seen, each with a clause that says so. The
    search for leaks reads it (docs/leakage.md)."""
    other_data: Several[Text] = ()
    """Other data that the model was trained on."""
    zero_shot: AuthorsZeroShot | None = None
    """Zero-shot classification; left out for models without text encoder."""
    loads: Literal["whole", "image", "no"]
    """``whole``: all of it; ``image``: the image encoder of a model that has a text encoder, too; ``no``: it
    cannot be loaded."""
    limits: str = ""
    """Why not all of it loads, and what else can be done."""
    row: CardRow | None = None
    """The row that loads it. ``{weights}`` stands for the path of the file."""
    unconfirmed: Several[Text] = ()
    """What could not be confirmed."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = []
        if (self.row is None) != (self.loads == "no"):
            problems.append("a row is needed exactly if the model loads")
        if self.loads != "whole" and not self.limits:
            problems.append("limits must say why not all of it loads")
        if (self.row is not None and FILE in str(self.row_arguments())) != bool(self.weights.file):
            problems.append(f"a row with {FILE} and the name of the file belong together")
        if (self.zero_shot is not None) and not self.text:
            problems.append("zero_shot needs a text encoder")
        if problems:
            raise PydanticCustomError("allowed", "inconsistent", {"allowed": "; ".join(problems)})
        return self

    def row_arguments(self) -> dict[str, Any]:
        """Return the row as a dict."""
        return {} if self.row is None else {"type": self.row.type, **(self.row.model_extra or {})}
