"""Figures of a page: an ``<svg>`` with a caption, alone or as one of several small panels."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Plot:
    """A figure: the text of an ``<svg>`` and a caption."""

    svg: str
    caption: str


@dataclass
class Multiples:
    """Small panels of one kind with a common legend.

    Attributes:
        title: title of all panels.
        names: names of rows or classes in the legend.
        plots: the panels, for example one per class.
        note: a sentence below the panels; may be empty.
    """

    title: str
    names: list[str]
    plots: list[Plot] = field(default_factory=list)
    note: str = ""
