"""Text that Markdown shows as it is: no table cell, link, picture, HTML or emphasis of its own."""

from __future__ import annotations

import re

from prior_bench.escaping.signs import one_line

PUNCTUATION = r"[!-/:-@\[-`{-~]"
ACTING = re.compile(
    rf"\\(?={PUNCTUATION}|$)"  # a backslash that would escape what follows
    r"|[|`*]"
    r"|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])"  # inside a word it is no emphasis
    r"|<(?=[A-Za-z/!?])"  # HTML, comments, links
    r"|\](?=[(\[:])"  # links and pictures
    r"|&(?=#?\w+;)"
    r"|~(?=~)"
)
"""Characters that mean something in Markdown where they stand; the rest stays, to be read in a terminal."""


def markdown(text: str) -> str:
    """Return a text on one line, with a backslash in front of what Markdown would act on."""
    return ACTING.sub(lambda found: f"\\{found.group()}", one_line(text))
