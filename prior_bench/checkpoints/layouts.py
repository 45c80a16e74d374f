"""Layouts of released checkpoints: the mapping of their tensors to those of the methods in this suite.

Layouts are found through the entry points ``prior_bench.layouts``. They are strict: the layout must state a
reason for every tensor of the file that is not used, and for every tensor of our method that does not come
from the file. Any other tensor is reported as a problem.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prior_bench.errors import BenchError

if TYPE_CHECKING:
    from torch import Tensor

Shapes = dict[str, tuple[int, ...]]
"""Shapes of tensors by name."""
POSITIONS = (r".*\.embeddings\.position_ids$", "a constant index, which today's transformers do not store")
"""Entry of ``unused`` for files with a BERT model."""
TEXT_MODEL = "text_model."
"""Beginning of the names of a text encoder that is in another place, beside those of the image file."""


@dataclass(frozen=True)
class ReleasedLayout:
    """The layout of one kind of released file.

    Attributes:
        name: name for display, e.g. ``"GLoRIA, ResNet-50"``.
        marks: prefixes of tensor names; a file of this kind has at least one tensor for each prefix.
        shapes: pairs (name of a tensor, its shape) that tell kinds with the same names apart; None instead of
            a shape if files of this kind have no such tensor.
        rename: pairs (prefix in the file, prefix in our method); the first matching pair is applied.
        method: arguments of METHODS.build except the tokenizer; without ``type``, only an image encoder
            (``{"image_encoder": ...}``). Its ``input`` has no ``mean`` and ``std`` if the authors state none;
            the user must give them then.
        unused: pairs (regular expression for names in the file, reason why they are not needed).
        supplied: triples (our name, value of the tensor or None for the value that the method initialises,
            reason why the file does not have it).
        reshaped: our names of tensors that the file stores with more or fewer axes of length 1.
        wrappers: possible prefixes of all names in a file.
        vocabulary: number of rows of the word embedding; 0 without a text encoder.
        max_tokens: longest text in pre-training, in tokens.
        tokenizer: hub name of the tokenizer that the text encoder was trained with.
        source: repository of the weights.
        notes: facts about preprocessing and scoring that a user should know.
        exposure: pairs (data set whose patients the weights have seen, clause that states it), for the
            leakage check (:mod:`prior_bench.suites.leakage`).
        text_model: for an image encoder whose text encoder is in another place: its name on the hub, with
            the revision that the authors' code takes.
        with_text: for such an image encoder, the name of the layout of both: of the tensors of the file, and
            of those of the text encoder with ``TEXT_MODEL`` before their names.
        keyed_by_image: whether only the image encoder's arguments are part of the identity of the weights,
            as they were when the text encoder was not read yet.
    """

    name: str
    marks: tuple[str, ...]
    rename: tuple[tuple[str, str], ...]
    method: dict[str, Any]
    shapes: tuple[tuple[str, tuple[int, ...] | None], ...] = ()
    unused: tuple[tuple[str, str], ...] = ()
    supplied: tuple[tuple[str, float | None, str], ...] = ()
    reshaped: tuple[str, ...] = ()
    wrappers: tuple[str, ...] = ("", "module.", "model.", "_forward_module.")
    vocabulary: int = 0
    max_tokens: int = 0
    tokenizer: str = "emilyalsentzer/Bio_ClinicalBERT"
    source: str = ""
    notes: tuple[str, ...] = ()
    exposure: tuple[tuple[str, str], ...] = ()
    text_model: str = ""
    with_text: str = ""
    keyed_by_image: bool = False

    @property
    def has_text(self) -> bool:
        """Whether files of this kind contain a text encoder."""
        return bool(self.vocabulary)

    @property
    def image_encoder(self) -> dict[str, Any]:
        """The arguments of ImageEncoder."""
        return self.method["image_encoder"]

    @property
    def of_both(self) -> ReleasedLayout | None:
        """The layout with the text encoder, which may be in another place; None if there is none."""
        return self if self.has_text else layout_named(self.with_text)

    def wrapper(self, given: Shapes) -> str | None:
        """Return the prefix of all names if the file is of this kind, otherwise None."""
        for wrapper in self.wrappers:
            # shapes first: they are looked up, and the marks of most layouts need not be searched for
            if any(given.get(wrapper + name) != shape for name, shape in self.shapes):
                continue
            if all(any(name.startswith(wrapper + mark) for name in given) for mark in self.marks):
                return wrapper
        return None

    def ours(self, name: str) -> str | None:
        """Return our name for a name of the file (without wrapper), or None."""
        for theirs, ours in self.rename:
            if name.startswith(theirs):
                return ours + name.removeprefix(theirs)
        return None

    def theirs(self, name: str) -> str:
        """Return the file's name for one of our names."""
        for theirs, ours in self.rename:
            if name.startswith(ours):
                return theirs + name.removeprefix(ours)
        return name

    def reason_unused(self, name: str) -> str | None:
        """Return why a tensor of the file is not needed, or None."""
        return next((why for pattern, why in self.unused if re.match(pattern, name)), None)


@dataclass(frozen=True)
class Match:
    """The mapping of a file's tensors to those of our method.

    Attributes:
        layout: layout of the file.
        wrapper: prefix of all names in the file.
        mapping: name in the file, by our name.
        unused: reason why a tensor is not needed, by its name in the file.
        problems: one per tensor that is missing, unknown or misshapen, with its name in the file.
    """

    layout: ReleasedLayout
    wrapper: str
    mapping: dict[str, str]
    unused: dict[str, str]
    problems: tuple[str, ...]

    @property
    def share(self) -> float:
        """The matched share of our tensors, in [0, 1], without supplied ones."""
        missing = sum(not problem.startswith("unknown") for problem in self.problems)
        return len(self.mapping) / max(1, len(self.mapping) + missing)

    def require_complete(self, where: object) -> None:
        """Check that every tensor is mapped, unused or supplied.

        Raises:
            BenchError: there are problems; the message names the tensors.
        """
        if self.problems:
            shown = "; ".join(self.problems[:6])
            more = f"; and {len(self.problems) - 6} more" if len(self.problems) > 6 else ""
            what = f"looks like {self.layout.name}, but {len(self.problems)} tensor(s) do not fit"
            model, fix = self.layout.image_encoder["model_name"], "download it again"
            if self.layout.has_text:
                fix += (
                    f"; or, to use only its image encoder: --image-encoder {model} (in a suite's row: "
                    f"image_encoder='{model}')"
                )
            raise BenchError(f"{what}: {shown}{more}", where=where, fix=fix)


def shapes_of(tensors: Mapping[str, Tensor]) -> Shapes:
    """Return the shapes of tensors by name; no values are read."""
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def find_layout(given: Shapes) -> tuple[ReleasedLayout, str] | None:
    """Find the layout and the wrapper of a file by its tensors; return None for unknown files.

    Among several layouts, the one that accounts for most names is returned; among equals, the one with most
    marks.
    """
    found = []
    for layout in known_layouts():
        wrapper = layout.wrapper(given)
        if wrapper is not None:
            bare = [name.removeprefix(wrapper) for name in given if name.startswith(wrapper)]
            count = sum(
                layout.ours(name) is not None or layout.reason_unused(name) is not None for name in bare
            )
            found.append(((count, len(layout.marks) + len(layout.shapes)), layout, wrapper))
    best = max(found, key=lambda entry: entry[0], default=None)
    return best[1:] if best else None


def known_layouts() -> list[ReleasedLayout]:
    """Return the layouts of all methods."""
    from prior_bench.registry import LAYOUTS

    return [layout for name in LAYOUTS.names() for layout in LAYOUTS.get(name)()]


def layout_named(name: str) -> ReleasedLayout | None:
    """Return the layout called ``name``, or None."""
    if not name:
        return None
    return next((layout for layout in known_layouts() if layout.name == name), None)


def match(layout: ReleasedLayout, wrapper: str, given: Shapes, wanted: Shapes) -> Match:
    """Map the tensors of a file to those of our method.

    Args:
        layout, wrapper: from :func:`find_layout`.
        given: shapes of the tensors in the file.
        wanted: shapes of the tensors in our method.
    """
    mapping, unused, problems = {}, {}, []
    for name in given:
        bare = name.removeprefix(wrapper)
        ours = layout.ours(bare) if name.startswith(wrapper) else None
        if name.startswith(wrapper) and (reason := layout.reason_unused(bare)):
            unused[name] = reason
        elif ours not in wanted:
            problems.append(f"unknown {name}")
        elif fits(given[name], wanted[ours], reshaped=ours in layout.reshaped):
            mapping[ours] = name
        else:
            problems.append(f"misshapen {name} {list(given[name])} instead of {list(wanted[ours])}")
    supplied = {name for name, _, _ in layout.supplied}
    for ours in wanted:
        source = wrapper + layout.theirs(ours)
        if ours not in mapping and ours not in supplied and source not in given:
            problems.append(f"missing {source}")
    return Match(layout, wrapper, mapping, unused, tuple(sorted(problems)))


def fits(given: tuple[int, ...], wanted: tuple[int, ...], reshaped: bool) -> bool:
    """Whether a stored tensor of shape ``given`` can become one of shape ``wanted``."""
    if not reshaped:
        return given == wanted
    return [side for side in given if side > 1] == [side for side in wanted if side > 1]
