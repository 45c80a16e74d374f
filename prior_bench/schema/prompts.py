"""The schema of prompt files: JSON files with the sentences of classes in zero-shot classification."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import AfterValidator, Discriminator, Tag, model_validator
from pydantic_core import PydanticCustomError

from prior_bench.schema.base import Count, Problems, Several, Strict, Text


def _worded(prompt: str) -> str:
    if not prompt.strip():
        raise PydanticCustomError("allowed", "blank", {"allowed": "a prompt, text that is not empty"})
    return prompt


def _some(prompts: tuple) -> tuple:
    if not prompts:
        raise PydanticCustomError("allowed", "empty", {"allowed": "a list of at least one"})
    return prompts


def _some_class(classes: dict) -> dict:
    if not classes:
        raise PydanticCustomError("allowed", "empty", {"allowed": "prompts of at least one class"})
    return classes


Prompts = Annotated[Several[Annotated[str, AfterValidator(_worded)]], AfterValidator(_some)]
"""A list of prompts."""


class PromptProduct(Strict):
    """Prompts that combine one part of each list in all ways, joined by single spaces."""

    product: Annotated[
        Several[Annotated[Several[str], AfterValidator(_some)]],
        AfterValidator(_some),
    ]
    """Lists of parts; an empty part keeps its space."""


def _form(value: Any) -> str:
    if isinstance(value, dict):
        return "product" if "product" in value else "pair"
    return "list"


def _form_of_wordings(value: Any) -> str:
    return "product" if isinstance(value, dict) else "list"


Wordings = Annotated[
    Annotated[Prompts, Tag("list")] | Annotated[PromptProduct, Tag("product")],
    Discriminator(_form_of_wordings),
]
"""Prompts, as a list or as a product."""


class PromptPair(Strict):
    """Prompts for the presence and for the absence of a finding, which together decide about it."""

    positive: Wordings
    """Prompts that state the presence of the finding."""
    negative: Wordings
    """Prompts that state its absence."""


ClassPrompts = Annotated[
    Annotated[Prompts, Tag("list")]
    | Annotated[PromptProduct, Tag("product")]
    | Annotated[PromptPair, Tag("pair")],
    Discriminator(_form),
]
"""Prompts of a class."""


class PromptFile(Strict):
    """Prompts by class. A file may also consist of the content of ``classes`` alone."""

    name: Text = "own"
    """Name of the set, for messages and records."""
    version: Count = 1
    """Raised if the prompts of a shipped set change."""
    source: str = ""
    """Origin of the prompts."""
    classes: Annotated[dict[Text, ClassPrompts], AfterValidator(_some_class)]
    """Prompts by class (a label): a list, a product, or ``positive`` and ``negative`` prompts, the latter for
    all classes or none."""

    @model_validator(mode="after")
    def _all_or_none(self) -> Self:
        problems = Problems()
        paired = [label for label, given in self.classes.items() if isinstance(given, PromptPair)]
        for label in self.classes:
            if paired and label not in paired:
                what = f"has no negative prompts, and {paired[0]} has"
                problems.add(("classes", label), None, what, "give them to all or to none")
        problems.raise_any()
        return self
