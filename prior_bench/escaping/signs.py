"""Characters that act on a terminal or hide in a text, replaced by escapes that can be seen."""

from __future__ import annotations

import re

ACTING = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls, but for tab and line feed
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # the direction of the text
    "\u00ad\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb"  # seen by nobody
    "\u2028\u2029"  # further ends of lines
    "\U000e0000-\U000e007f"  # tags: a second, invisible ASCII
    "\ud800-\udfff"  # halves of characters, which no encoding can write
    "]"
)
"""What is replaced. The two joiners stay, because Persian, Indic scripts and emoji need them."""


def visible(text: str) -> str:
    r"""Replace control, direction and invisible characters by escapes such as ``\u001b``.

    The escapes are those of JSON, so that a JSON text keeps its meaning.
    """
    return ACTING.sub(lambda found: _escape(found.group()), text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """Return :func:`visible` text with a blank in place of ends of lines and tabs."""
    return re.sub(r"\s*[\n\t]\s*", " ", visible(text))


def _escape(character: str) -> str:
    code = ord(character)
    if code > 0xFFFF:  # a pair, as in JSON
        code -= 0x10000
        return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
    return f"\\u{code:04x}"
