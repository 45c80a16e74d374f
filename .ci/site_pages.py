"""Pages of the documentation site that are written from the code, and the links between all pages.

MkDocs loads this file as a hook (``mkdocs.yml``). README and the other files of the top level become pages;
commands, data sets, models, metrics, protocols and the Python interface get reference pages. ``make docs``.
"""

from __future__ import annotations

import argparse
import os
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("COLUMNS", "100")  # argparse wraps its help to the terminal

ROOT = Path(__file__).resolve().parent.parent
TOP_LEVEL = {
    "README.md": "index.md",
    "CHANGELOG.md": "project/changelog.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "CODE_OF_CONDUCT.md": "project/code_of_conduct.md",
    "SECURITY.md": "project/security.md",
}
"""Files of the top level, and the pages that they become."""
REPORT = ROOT / "results" / "demo" / "report.html"
"""The demo's report, which the gallery shows if ``make demo`` has written it."""
EMBEDDED = "gallery/demo.html"
"""Its place in the site."""
EMBEDDING = f"""
[The report on a page of its own]({EMBEDDED})

<iframe src="{EMBEDDED}" title="The demo's report" loading="lazy" style="width: 100%; height: 80vh"></iframe>
"""

FENCE = re.compile(r"^(```.*?^```)", re.M | re.S)
NAMED_PAGE = re.compile(r"(?<!\[)`(docs/[\w/]+\.md|[A-Z_]+\.md)`")
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)#\s:]+)(#[^)\s]*)?\)")


def on_files(files, config):
    """Add the pages that are written from the code."""
    from mkdocs.structure.files import File

    pages = dict(generated())
    if REPORT.is_file():
        pages[EMBEDDED] = REPORT.read_text("utf-8")
    for path, text in pages.items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown, page, config, files):
    """Point links and named files to the pages of the site; what has no page stays as its name."""
    known = {file.src_uri for file in files}
    if page.file.src_uri == "gallery.md" and EMBEDDED in known:
        markdown += EMBEDDING
    return linked(markdown, page.file.src_uri, known)


def linked(markdown: str, page: str, known: set[str]) -> str:
    """Return a page whose links to Markdown files lead to pages of the site.

    Args:
        markdown: text of the page.
        page: its place in the site, e.g. ``"project/security.md"``.
        known: places of all pages and files of the site.
    """
    origin = next((file for file, place in TOP_LEVEL.items() if place == page), f"docs/{page}")
    parts = FENCE.split(markdown)
    for number in range(0, len(parts), 2):
        text = LINK.sub(lambda found: _relinked(found, origin, page, known), parts[number])
        parts[number] = NAMED_PAGE.sub(lambda found: _named(found, page, known), text)
    return "".join(parts)


def _relinked(found: re.Match, origin: str, page: str, known: set[str]) -> str:
    picture, text, target, anchor = found.groups()
    place = _place(posixpath.normpath(posixpath.join(posixpath.dirname(origin), target)))
    if place in known:
        return f"{picture}[{text}]({_relative(place, page)}{anchor or ''})"
    return text if text.startswith("`") else f"{text} (`{target}`)" if text != target else f"`{target}`"


def _named(found: re.Match, page: str, known: set[str]) -> str:
    place = _place(found.group(1))
    return f"[{found.group(0)}]({_relative(place, page)})" if place in known else found.group(0)


def _place(file: str) -> str:
    """Return the place in the site of a file of the repository."""
    return TOP_LEVEL.get(file, file.removeprefix("docs/") if file.startswith("docs/") else "")


def _relative(place: str, page: str) -> str:
    return posixpath.relpath(place, posixpath.dirname(page) or ".")


def generated() -> Iterator[tuple[str, str]]:
    """Yield the places and texts of all pages that are written from the code."""
    for file, place in TOP_LEVEL.items():
        yield place, (ROOT / file).read_text("utf-8")
    yield "reference/commands.md", commands()
    yield "reference/python.md", python_interface()
    yield "reference/data_sets.md", data_sets()
    yield "reference/models.md", models()
    yield "reference/metrics.md", metrics()
    yield "reference/protocols.md", protocols()


def commands() -> str:
    """The help of every verb of the command line."""
    from prior_bench.cli import build_parser

    lines = ["# The command line", "", "```text", build_parser().format_help().rstrip(), "```"]
    for name, parser in _verbs(build_parser()):
        lines += ["", f"## {name}" if " " not in name else f"### {name}", ""]
        lines += ["```text", parser.format_help().rstrip(), "```"]
    return "\n".join(lines) + "\n"


def _verbs(
    parser: argparse.ArgumentParser, before: str = ""
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, verb in action.choices.items():
                yield f"{before}{name}", verb
                yield from _verbs(verb, f"{before}{name} ")


def python_interface() -> str:
    """The public functions and classes, from their docstrings, and the contract of methods and tasks."""
    import prior_bench

    lines = ["# The Python interface", "", "What it is for: `docs/api.md`.", ""]
    for name in prior_bench.__all__:
        lines += [f"::: {prior_bench._PLACES[name]}.{name}"]
        lines += ["    options:", "      heading_level: 2", ""]
    return "\n".join(lines)


def data_sets() -> str:
    """What ``prior-bench data describe`` prints of every data set."""
    from prior_bench.data.cards import card
    from prior_bench.registry import DATASETS

    lines = [
        "# Data sets",
        "",
        "`prior-bench data describe NAME` prints the same. See `docs/data_sets.md`.",
        "",
    ]
    for name in sorted(DATASETS.names()):
        found = card(name)
        if found is not None:
            lines += [f"## {name}", "", "```text", found.text(name).rstrip(), "```", ""]
    return "\n".join(lines)


def models() -> str:
    """The cards of all public models."""
    from prior_bench.models.cards import model_cards
    from prior_bench.models.text import card_as_text

    lines = ["# Cards of public models", ""]
    lines += ["`prior-bench model describe NAME` prints the same. See `docs/models.md`.", ""]
    for name, card in model_cards().items():
        text = card_as_text(name, card).replace(str(ROOT) + "/", "").rstrip()
        lines += [f"## {name}", "", "```text", text, "```", ""]
    return "\n".join(lines)


def metrics() -> str:
    """What every metric means, by task."""
    from importlib.util import find_spec

    from prior_bench.registry import TASKS

    lines = ["# Metrics", "", "How intervals and tests are made: `docs/statistics.md`.", ""]
    for name in TASKS.names():
        described = getattr(TASKS.get(name), "metrics", {})
        if not described:
            continue
        lines += [f"## {name}", "", "| metric | title | better | range | chance |", "|---|---|---|---|---|"]
        for metric in described.values():
            low, high = ("–" if bound is None else f"{bound:g}" for bound in metric.bounds)
            chance = "depends on the data" if metric.chance is None else f"{metric.chance:g}"
            lines.append(
                f"| `{metric.name}` | {metric.heading} | {metric.direction} | {low} to {high} | {chance} |"
            )
        if find_spec(f"prior_bench.metrics.{name}") is not None:
            lines += ["", f"::: prior_bench.metrics.{name}"]
            lines += ["    options:", "      heading_level: 3", "      show_root_heading: false"]
            lines += ["      members_order: source", "      show_root_toc_entry: false"]
        lines.append("")
    return "\n".join(lines)


def protocols() -> str:
    """The description of every protocol, by folder."""
    from prior_bench.suites.protocols import names

    lines, folder = (
        ["# Protocols", "", "What they reproduce, and what not: `docs/protocols/README.md`.", ""],
        "",
    )
    for name in sorted(names()):
        file = ROOT / "configs" / "protocols" / f"{name}.py"
        if not file.is_file():
            continue
        if name.partition("/")[0] != folder:
            folder = name.partition("/")[0]
            lines += [f"## {folder}", ""]
        about, config = _docstring(file.read_text("utf-8"))
        lines += [f"### {name}", "", about[0], ""]
        if len(about) > 1:
            lines += ["```text", *about[1:], "```", ""]
        lines += ["```python", config.strip(), "```", ""]
    return "\n".join(lines)


def _docstring(source: str) -> tuple[list[str], str]:
    """Return the lines of a config file's docstring, and the rest of the file."""
    import ast

    tree = ast.parse(source)
    about = ast.get_docstring(tree) or ""
    rest = source.split("\n")[tree.body[0].end_lineno or 0 :] if about else source.split("\n")
    first, _, more = about.partition("\n")
    return [first, *more.strip("\n").split("\n")] if more.strip() else [first], "\n".join(rest)
