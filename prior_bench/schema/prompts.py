"""The schema of prompt files: JSON files with the sentences of classes in zero-shot classification."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import AfterValidator, Discriminator, Tag, model_validator
from pydantic_core import PydanticCustomError

from prior_bench.schema.base import LEFT_OUT, Count, Distinct, Problems, Said, Several, Strict, Text

PLACE = "{}"
"""Where a template takes the name of a finding."""


def _worded(prompt: str) -> str:
    if not prompt.strip():
        raise PydanticCustomError("allowed", "blank", {"allowed": "a prompt, text that is not empty"})
    return prompt


def _with_place(template: str) -> str:
    if template.count(PLACE) != 1 or template.replace(PLACE, "").count("{"):
        allowed = f"a template with {PLACE} once, where the name of the finding goes"
        raise PydanticCustomError("allowed", "no place", {"allowed": allowed})
    return template


def _some(prompts: tuple) -> tuple:
    if not prompts:
        raise PydanticCustomError("allowed", "empty", {"allowed": "a list of at least one"})
    return prompts


def _some_class(classes: dict) -> dict:
    if not classes:
        raise PydanticCustomError("allowed", "empty", {"allowed": "prompts of at least one class"})
    return classes


Templates = Annotated[Distinct[Annotated[str, AfterValidator(_with_place)]], AfterValidator(_some)]
"""A list of templates: texts with ``{}`` in place of the name of a finding."""
Name = Annotated[str, AfterValidator(_worded)]
Names = Annotated[
    Name | Annotated[Distinct[Name], AfterValidator(_some)],
    Said("the name of the finding, or a list of different names"),
]
"""The name of a finding, or several."""
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


class TemplatePair(Strict):
    """Templates for the presence and for the absence of a finding."""

    positive: Templates
    """Templates that state the presence of a finding."""
    negative: Templates
    """Templates that state its absence."""


AnyTemplates = Annotated[
    Annotated[Templates, Tag("list")] | Annotated[TemplatePair, Tag("pair")],
    Discriminator(lambda value: "pair" if isinstance(value, dict) else "list"),
]
"""Templates of all findings that have a name."""


class PromptFile(Strict):
    """Prompts by class, written out (``classes``) or as ``templates`` with ``names``. A file may also consist
    of the content of ``classes`` alone."""

    name: Text = "own"
    """Name of the set, for messages and records."""
    version: Count = 1
    """Raised if the prompts of a shipped set change."""
    source: str = ""
    """Origin of the prompts."""
    data: Distinct[Text] = ()
    """Data sets whose labels the classes are, for `prior-bench list prompts`; no part of a result's key."""
    templates: AnyTemplates = LEFT_OUT
    """Templates with `{}` for the name of a finding: a list, or `positive` and `negative` ones."""
    names: Annotated[dict[Text, Names], AfterValidator(_some_class)] = LEFT_OUT
    """Names of findings by class (a label). Its prompts are all templates with its first name, then all with
    its second."""
    classes: Annotated[dict[Text, ClassPrompts], AfterValidator(_some_class)] = LEFT_OUT
    """Prompts by class (a label): a list, a product, or ``positive`` and ``negative`` prompts, the latter for
    all classes or none. Beside `templates` and `names`: classes that no template fits."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        problems, given = Problems(), self.model_fields_set
        if "names" in given and "templates" not in given:
            problems.add("templates", None, "the key 'templates' is missing", "names need templates")
        if "templates" in given and "names" not in given:
            problems.add("names", None, "the key 'names' is missing", "templates need names by class")
        for label in self.names or {}:
            if label in (self.classes or {}):
                problems.add(("classes", label), None, "is in 'names' too", "leave one of them out")
        problems.raise_any()
        return self

    @model_validator(mode="after")
    def _all_or_none(self) -> Self:
        problems, classes = Problems(), self.classes or {}
        paired = [label for label, given in classes.items() if isinstance(given, PromptPair)]
        with_templates, fix = "templates" in self.model_fields_set, "give them to all or to none"
        pairs = isinstance(self.templates, TemplatePair) if with_templates else bool(paired)
        for label in classes:
            if pairs and label not in paired:
                other = "the templates have" if with_templates else f"{paired[0]} has"
                problems.add(("classes", label), None, f"has no negative prompts, and {other}", fix)
            elif not pairs and label in paired:
                what = "has negative prompts, and the templates have none"
                problems.add(("classes", label), None, what, fix)
        problems.raise_any()
        return self
