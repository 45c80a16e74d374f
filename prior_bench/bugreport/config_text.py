"""The text of a config file with masked words: its keys and settings, without comments and paths."""

from __future__ import annotations

import io
import tokenize

from prior_bench.bugreport.wording import NUMBER, masked

SKIPPED = (tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
DIGITS = 4
"""Digits up to which an integer is a setting; a longer one could be an identifier."""


def config_text(source: str) -> str:
    """Return the tokens of a Python file, masked one by one; the file is not run.

    A file that is no Python gives its tokens up to the fault.
    """
    lines: list[list[str]] = [[]]
    depth = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            depth += (token.type == tokenize.INDENT) - (token.type == tokenize.DEDENT)
            if token.type in (tokenize.NEWLINE, tokenize.NL):
                lines.append([])
            elif token.type not in SKIPPED:
                lines[-1] += ([] if lines[-1] else ["  " * depth]) + [_token(token)]
    except (tokenize.TokenError, SyntaxError) as error:
        lines.append([f"(cannot be read further: {type(error).__name__})"])
    return "\n".join(" ".join(line).rstrip() for line in lines if line)


def _token(token: tokenize.TokenInfo) -> str:
    if token.type == tokenize.OP:
        return token.string
    if token.type == tokenize.NUMBER:
        whole = token.string.partition(".")[0]
        return token.string if len(whole) <= DIGITS and len(token.string) <= 2 * DIGITS else NUMBER
    return masked(token.string)
