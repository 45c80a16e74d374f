"""Schema of grounding protocols."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from prior_bench.explain.contract import COSINES
from prior_bench.metrics import grounding
from prior_bench.schema.base import Distinct, Nothing, OneOf, Problems, Strict
from prior_bench.schema.protocol import ProtocolModel, WhollyFrozen

from .prompted import PromptsOption, with_content


class GroundingOptions(Strict):
    """Options of phrase grounding."""

    map: Literal["attention", "similarity", "similarity_global", "grad_cam"] = "attention"
    """What gives the map of a phrase: the method's own attention of the phrase over the patches; the mean
    cosine of each patch with the text's local vectors; the cosine with its global vector; or Grad-CAM of
    the method's own score. A backbone that lacks it is not evaluated."""
    prompts: PromptsOption | None = None
    """Prompt set that turns the boxes of each class into phrases, for data sets with boxes: a shipped one, a
    .json file (`prior-bench schema --json prompts`), or what such a file holds; none takes the data set's own
    phrases. Of one's own prompts the content is stored, not the path."""
    region: Literal["finest", "boxes"] = "finest"
    """Region of a phrase that has a mask and boxes: the mask, or the boxes filled."""


class GroundingProtocol(ProtocolModel):
    """Phrase grounding: nothing is trained."""

    head: Nothing = Nothing()
    """Not used."""
    frozen: WhollyFrozen = WhollyFrozen(backbone=True, batch_norm=True)
    """All of the backbone."""
    optimizer: Nothing = Nothing()
    """Not used."""
    stopping: Nothing = Nothing()
    """Not used."""
    metrics: Annotated[
        Distinct[Annotated[str, OneOf("metric", lambda: grounding.DESCRIBED)]], Field(min_length=1)
    ]
    """Names of the metrics, the primary one first."""
    options: GroundingOptions = GroundingOptions()
    """What only this task knows."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        problems = Problems()
        if self.options.map not in COSINES:
            for name in set(self.metrics) & set(grounding.OF_COSINES):
                what = f"'{name}' thresholds cosines, and options.map is '{self.options.map}'"
                problems.add("metrics", self.metrics, what, "use miou, or another options.map")
        problems.raise_any()
        return self

    @classmethod
    def settled(cls, values: dict[str, Any]) -> dict[str, Any]:
        """The protocol with the content of a prompt file in place of its path.

        Raises:
            BenchError: no such file, or something is wrong with its content.
        """
        return with_content(values)
