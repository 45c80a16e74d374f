"""Vega-Lite with all that it needs, as one script for a page that loads nothing from elsewhere."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

CLOSING = re.compile("</(script|body|html)")
"""Ends of elements that a text of the libraries holds, and whose name nobody should take for ours."""

LICENCE = """\
/* Vega, Vega-Lite and Vega-Embed. Copyright (c) 2015-2025, University of Washington Interactive Data Lab and
contributors. BSD 3-Clause licence: redistribution and use in source and binary forms, with or without
modification, are permitted provided that (1) source code keeps this notice, these conditions and the
disclaimer, (2) binary forms reproduce them, and (3) the names of the copyright holders and contributors are
not used to endorse derived products without permission. THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS
AND CONTRIBUTORS "AS IS", WITHOUT ANY WARRANTY; THEY ARE NOT LIABLE FOR ANY DAMAGES ARISING FROM ITS USE.
https://github.com/vega */
"""


@cache
def drawing_script(templates: Path) -> str:
    """Return ``explore.js`` of the templates with Vega-Embed and what it imports, as the text of a module.

    vl-convert carries these libraries and joins them without a network. It takes two seconds.
    """
    from vl_convert import javascript_bundle

    script = javascript_bundle((templates / "explore.js").read_text("utf-8"))
    return LICENCE + CLOSING.sub(r"<\\/\1", script)
