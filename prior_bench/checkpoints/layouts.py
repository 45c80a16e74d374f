"""How a method's released checkpoints are laid out, and what each of their tensors becomes in our method.

A layout is found through the entry points ``prior_bench.layouts``. It is strict: every tensor of a file is
used, or is unused for a reason that the layout gives; every tensor of our method comes from the file, or is
supplied for a reason that the layout gives. Anything else is a problem that names the tensor.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import prod
from typing import Any

from prior_bench.errors import BenchError

Shapes = dict[str, tuple[int, ...]]
"""Tensors' shapes by name."""
POSITIONS = (r".*\.embeddings\.position_ids$", "a constant index, which today's transformers do not store")
"""An entry of ``unused`` for files with a BERT."""


@dataclass(frozen=True)
class ReleasedLayout:
    """One kind of released file.

    Attributes:
        name: as shown, e.g. ``"GLoRIA, ResNet-50"``.
        marks: beginnings of names; a file of this kind has at least one tensor for each.
        rename: (beginning in the file, beginning in our method); the first that fits is applied.
        method: arguments of METHODS.build, the tokenizer apart; without ``type``, an image encoder only
            (``{"image_encoder": ...}``).
        unused: (regular expression for names of the file, why they are not needed).
        supplied: (our name, value that fills the tensor or None for what the method's arguments make it, why
            the file has none).
        reshaped: our names whose tensors the file stores with further axes of length 1.
        wrappers: what may stand before every name of a file.
        vocabulary: rows of the word embedding, 0 without a text encoder.
        max_tokens: longest text, as in pre-training.
        tokenizer: hub name of the tokenizer that the text encoder was trained with.
        source: repository of the weights.
        notes: what a user should know of preprocessing and scoring.
        exposure: (data set whose patients the weights have seen, a clause that says so), for tables of its
            results (:mod:`prior_bench.suites.leakage`).
    """

    name: str
    marks: tuple[str, ...]
    rename: tuple[tuple[str, str], ...]
    method: dict[str, Any]
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

    @property
    def has_text(self) -> bool:
        """Whether files of this kind bring a text encoder."""
        return bool(self.vocabulary)

    def wrapper(self, names: set[str]) -> str | None:
        """What stands before every name where the file is of this kind, else None."""
        for wrapper in self.wrappers:
            if all(any(name.startswith(wrapper + mark) for name in names) for mark in self.marks):
                return wrapper
        return None

    def ours(self, name: str) -> str | None:
        """Our name for one of the file's (without wrapper), or None."""
        for theirs, ours in self.rename:
            if name.startswith(theirs):
                return ours + name.removeprefix(theirs)
        return None

    def theirs(self, name: str) -> str:
        """The file's name for one of ours."""
        for theirs, ours in self.rename:
            if name.startswith(ours):
                return theirs + name.removeprefix(ours)
        return name

    def reason_unused(self, name: str) -> str | None:
        """Why a tensor of the file is not needed, or None."""
        return next((why for pattern, why in self.unused if re.match(pattern, name)), None)


@dataclass(frozen=True)
class Match:
    """What becomes of each tensor of a file.

    Attributes:
        layout: of the file.
        wrapper: what stands before every name.
        mapping: our name to the file's name.
        unused: the file's name to the reason why it is not needed.
        problems: one per tensor that is missing, unknown or misshapen, with the file's name.
    """

    layout: ReleasedLayout
    wrapper: str
    mapping: dict[str, str]
    unused: dict[str, str]
    problems: tuple[str, ...]

    @property
    def share(self) -> float:
        """Matched share of our tensors, in [0, 1]; those supplied do not count."""
        missing = sum(not problem.startswith("unknown") for problem in self.problems)
        return len(self.mapping) / max(1, len(self.mapping) + missing)

    def require_complete(self, where: object) -> None:
        """Raise where a tensor is not accounted for.

        Raises:
            BenchError: names the tensors.
        """
        if self.problems:
            shown = "; ".join(self.problems[:6])
            more = f"; and {len(self.problems) - 6} more" if len(self.problems) > 6 else ""
            what = f"looks like {self.layout.name}, but {len(self.problems)} tensor(s) do not fit"
            model = self.layout.method["image_encoder"]["model_name"]
            raise BenchError(
                f"{what}: {shown}{more}",
                where=where,
                fix=f"download it again; or name image_encoder='{model}' in the suite's row, to use its "
                "image encoder and nothing else",
            )


def find_layout(names: set[str]) -> tuple[ReleasedLayout, str] | None:
    """The layout of a file, and its wrapper, by the names of its tensors; None where no layout knows them.

    Where several do, it is the one that accounts for most of the names.
    """
    found = []
    for layout in known_layouts():
        wrapper = layout.wrapper(names)
        if wrapper is not None:
            bare = [name.removeprefix(wrapper) for name in names if name.startswith(wrapper)]
            count = sum(
                layout.ours(name) is not None or layout.reason_unused(name) is not None for name in bare
            )
            found.append((count, layout, wrapper))
    best = max(found, key=lambda entry: entry[0], default=None)
    return best[1:] if best else None


def known_layouts() -> list[ReleasedLayout]:
    """All layouts, of all methods."""
    from prior_bench.registry import LAYOUTS

    return [layout for name in LAYOUTS.names() for layout in LAYOUTS.get(name)()]


def layout_named(name: str) -> ReleasedLayout | None:
    """The layout of that name."""
    return next((layout for layout in known_layouts() if layout.name == name), None)


def match(layout: ReleasedLayout, wrapper: str, given: Shapes, wanted: Shapes) -> Match:
    """What becomes of each tensor.

    Args:
        layout, wrapper: from :func:`find_layout`.
        given: of the file.
        wanted: of our method.
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
    """Whether a stored tensor can be ours."""
    if not reshaped:
        return given == wanted
    return prod(given) == prod(wanted) and given[: len(wanted)] == wanted
