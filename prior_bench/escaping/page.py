"""Text that a browser shows as it is."""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prior_bench.escaping.signs import visible

if TYPE_CHECKING:
    from jinja2 import Environment


def markup(text: str) -> str:
    """Escape a text for HTML, inside an element or a quoted attribute."""
    return html.escape(visible(text))


def environment(*folders: Path) -> Environment:
    """Return the Jinja environment of our pages: every value is escaped, and an unknown name is an error.

    Args:
        folders: where templates are looked for.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        finalize=_finalized,
        undefined=StrictUndefined,
        trim_blocks=True,
    )


def _finalized(value: Any) -> Any:
    """What Jinja prints of a value; it escapes HTML afterwards, but for what is marked as safe."""
    from markupsafe import Markup

    if not isinstance(value, str):
        return value
    return Markup(visible(value)) if isinstance(value, Markup) else visible(value)
