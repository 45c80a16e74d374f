"""Write an explanation as pages without network access or scripts: one per image, and one about the model."""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prior_bench.escaping.page import environment
from prior_bench.explain.attention import Attention
from prior_bench.explain.collect import Explained
from prior_bench.explain.explanation import Explanation
from prior_bench.explain.measure import in_words
from prior_bench.io.atomic import write_text
from prior_bench.pictures.heat import overlay, spanned
from prior_bench.pictures.radiographs import Picture, png

if TYPE_CHECKING:
    from jinja2 import Environment

SIDE = 256
"""Side of a picture in pixels."""

WORD_SIDE = 128
"""Side of the picture of a word's attention in pixels."""


@dataclass
class Panel:
    """A picture with a text and a small line below, and with panels for its words."""

    picture: Picture
    text: str
    detail: str = ""
    words: list[Panel] = field(default_factory=list)


def write_pages(explanation: Explanation, folder: Path, command: str) -> Path:
    """Write ``index.html``, ``image-<id>.html`` for each image and ``explanation.json``.

    Pages of an earlier explanation in the folder are removed if this one does not show their images.

    Args:
        explanation: the explanation to write.
        folder: target folder.
        command: command line that made the pages, which is shown on them.

    Returns:
        The path of the index, which is written last.

    Raises:
        BenchError: the folder cannot be written.
    """
    templates = _templates()
    shared = {"explanation": explanation, "command": command, "mean": _mean(explanation)}
    links = []
    for number, one in enumerate(explanation.shown):
        name = f"image-{_file_name(one.id)}.html"
        links.append((name, png(one.seen, WORD_SIDE, f"Radiograph {one.id}"), one))
        page = templates.get_template("image.html.j2").render(
            **shared, **_image(explanation, one), number=number + 1
        )
        write_text(folder / name, page)
    write_text(
        folder / "explanation.json", json.dumps(explanation.to_dict(), indent=1, allow_nan=False) + "\n"
    )
    index = templates.get_template("index.html.j2").render(**shared, links=links)
    written = write_text(folder / "index.html", index)
    for left in set(folder.glob("image-*.html")) - {folder / name for name, *_ in links}:
        left.unlink()
    return written


def _templates() -> Environment:
    here = Path(__file__).parent
    found = environment(here / "templates", here.parent / "report" / "html" / "templates")
    found.filters["in_words"] = in_words
    return found


def _image(explanation: Explanation, one: Explained) -> dict[str, Any]:
    errors = explanation.errors(one)
    rebuilt = [
        Panel(
            png(r.pixels, SIDE, f"Radiograph {one.id} reconstructed from {r.source}"),
            f"From {r.source}",
            f"L1 {errors[r.source]:.1f}",
        )
        for r in one.reconstructed
    ]
    return {
        "one": one,
        "original": png(one.seen, SIDE, f"Radiograph {one.id} as the network saw it"),
        "attention": [_attention(one, a, SIDE) for a in one.attention or []],
        "rebuilt": rebuilt,
        "chance": errors.get("mean training image"),
        "own": set(one.report),
    }


def _attention(one: Explained, attention: Attention, side: int) -> Panel:
    alt = f"Radiograph under the attention of “{attention.text}”"
    picture = png(overlay(one.seen, attention.grid, side), side, alt)
    words = [_attention(one, word, WORD_SIDE) for word in attention.words]
    return Panel(picture, attention.text, spanned(attention.grid), words)


def _mean(explanation: Explanation) -> Picture | None:
    pixels = explanation.mean_picture()
    return None if pixels is None else png(pixels, SIDE, "Mean of the training images")


def _file_name(sample: str) -> str:
    """Convert a sample id to a part of a file name; different ids give different names."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", sample)
    return plain if plain == sample else f"{plain}-{zlib.crc32(sample.encode()):08x}"
