"""Convert any text to LaTeX that every engine compiles without further packages: escaped ASCII only."""

from __future__ import annotations

import re
import unicodedata

SIGNS = {
    "\\": r"\textbackslash{}",
    **{c: f"\\{c}" for c in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "`": "'",
    "±": r"$\pm$",
    "×": r"$\times$",
    "÷": r"$\div$",
    "−": "$-$",
    "→": r"$\rightarrow$",
    "←": r"$\leftarrow$",
    "↔": r"$\leftrightarrow$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "–": "--",
    "—": "---",
    "…": r"\dots{}",
    "·": r"$\cdot$",
    "•": r"$\bullet$",
    "≈": r"$\approx$",
    "≠": r"$\neq$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "∞": r"$\infty$",
    "√": r"$\surd$",
    "°": r"$^\circ$",
    "✓": r"$\surd$",
    "†": r"\dag{}",
    "‡": r"\ddag{}",
    "§": r"\S{}",
    "“": "``",
    "”": "''",
    "„": "''",
    "‘": "`",
    "’": "'",
    "\N{NO-BREAK SPACE}": "~",
    "\N{NARROW NO-BREAK SPACE}": "~",
    "\N{NON-BREAKING HYPHEN}": "-",
    "ß": r"\ss{}",
    "æ": r"\ae{}",
    "Æ": r"\AE{}",
    "œ": r"\oe{}",
    "Œ": r"\OE{}",
    "ø": r"\o{}",
    "Ø": r"\O{}",
    "ł": r"\l{}",
    "Ł": r"\L{}",
    "µ": r"$\mu$",
}
"""LaTeX source of each character that needs escaping."""

ACCENTS = {
    "\u0300": r"\`",
    "\u0301": r"\'",
    "\u0302": r"\^",
    "\u0303": r"\~",
    "\u0304": r"\=",
    "\u0306": r"\u",
    "\u0307": r"\.",
    "\u0308": r"\"",
    "\u030a": r"\r",
    "\u030b": r"\H",
    "\u030c": r"\v",
    "\u0327": r"\c",
}
"""LaTeX commands of combining accents."""


def tex(text: str) -> str:
    """Escape a text; a character without a LaTeX name becomes the nearest ASCII character or ``?``."""
    return "".join(map(_sign, unicodedata.normalize("NFC", text)))


def tex_number(text: str) -> str:
    """Escape the text of a cell with numbers; hyphens before digits become minus signs."""
    return re.sub(r"(?<![\w)])-(?=\d)", "$-$", tex(text))


def _sign(character: str) -> str:
    if character in SIGNS:
        return SIGNS[character]
    if character.isascii():
        return character if character.isprintable() else " "
    kind = unicodedata.decomposition(character).partition(" ")[0]
    plain = unicodedata.normalize("NFKD", character)
    if kind in ("<super>", "<sub>"):
        inner = "".join(map(_sign, plain))
        return rf"\textsuperscript{{{inner}}}" if kind == "<super>" else f"$_{{\\mathrm{{{inner}}}}}$"
    if len(plain) > 1 and plain[0].isascii() and (accent := ACCENTS.get(plain[1])):
        return f"{accent}{{{SIGNS.get(plain[0], plain[0])}}}"
    return _greek(character) or "".join(SIGNS.get(c, c) for c in plain if c.isascii()) or "?"


def _greek(character: str) -> str:
    """Return the command of a Greek letter by its Unicode name; empty for letters that look Latin."""
    named = re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER (\w+)", unicodedata.name(character, ""))
    if not named:
        return ""
    name = named.group(2).lower().replace("lamda", "lambda")
    if named.group(1) == "CAPITAL":
        name = name.capitalize()
    return f"$\\{name}$" if name in GREEK else ""


GREEK = {
    *"alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau".split(),
    *"upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega".split(),
}
"""Greek letters for which LaTeX has a command."""
