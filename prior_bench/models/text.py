"""Print model cards: one in full, a line for each, and the table of docs/models.md."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill

from prior_bench.models.cards import how_to_get, place_of
from prior_bench.schema.model import FILE, ModelCard

LOADS = {"whole": "whole", "image": "image encoder", "no": "no"}
"""What is loaded of a model, in words."""
ROW_TYPES = {
    "hf": "transformers",
    "open_clip": "open_clip",
    "timm": "timm",
    "checkpoint": "layout",
    "embeddings": "embeddings",
}
"""Who builds a model, by the type of its row."""


def card_as_text(name: str, card: ModelCard) -> str:
    """Return a card for the terminal."""
    facts = {
        "paper": _paper(card),
        "code": card.repository or "none found",
        "weights": how_to_get(card),
        "access": card.access,
        "licence": card.licence,
        "vision": card.vision,
        "text": card.text or "none",
        "input": card.input,
    }
    seen = dict(card.trained_on)
    seen |= {data: "not a data set of this suite" for data in card.other_data}
    lines = [f"{name}: {card.title}", "", *_described(facts), "", "trained on"]
    lines += _described(seen) or ["  not known"]
    if card.zero_shot is not None:
        followed = {"protocol": card.zero_shot.protocol, "prompts": card.zero_shot.prompts}
        told = {"authors": card.zero_shot.how, **{key: value for key, value in followed.items() if value}}
        lines += ["", "zero-shot", *_described(told)]
    lines += ["", "in this suite", *_described(_use(name, card))]
    if card.unconfirmed:
        lines += ["", "not confirmed"]
        lines += [
            fill(text, 98, initial_indent="  - ", subsequent_indent="    ") for text in card.unconfirmed
        ]
    return "\n".join(lines)


def lines_of_cards(cards: Mapping[str, ModelCard]) -> dict[str, str]:
    """Return a line for each card: architecture, text encoder, access, and how it loads."""
    cells = {name: _cells(card) for name, card in cards.items()}
    widths = [max(map(len, column)) for column in zip(*cells.values(), strict=True)]
    return {
        name: "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for name, row in cells.items()
    }


def table_of_cards(cards: Mapping[str, ModelCard]) -> str:
    """Return the table of docs/models.md in Markdown."""
    lines = [
        "| card | model | vision | text | access | loads | trained on |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, card in cards.items():
        vision, text, access, loads = _cells(card)
        seen = ", ".join([*(f"`{data}`" for data in card.trained_on), *card.other_data]) or "not known"
        cells = (f"`{name}`", card.title, vision, text, access, loads, seen)
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def _cells(card: ModelCard) -> tuple[str, str, str, str]:
    loads = LOADS[card.loads]
    if card.row is not None:
        loads = f"{loads}, {ROW_TYPES.get(card.row.type, card.row.type)}"
    return card.vision, card.text or "-", card.access, loads


def _paper(card: ModelCard) -> str:
    if card.paper is None:
        return "none"
    link = f", {card.paper.link}" if card.paper.link else ""
    return f"{card.paper.title}, {card.paper.year}{link}"


def _use(name: str, card: ModelCard) -> dict[str, str]:
    """How the suite loads a model, and what does not load."""
    told: dict[str, str] = {"loads": LOADS[card.loads]}
    if card.limits:
        told["limits"] = card.limits
    place = f"{place_of(name)}"
    if card.row is None:
        return {**told, "backbone": f"--backbone {name}, with embeddings in {place}; or {name}@FILE"}
    told["backbone"] = f"--backbone {name}, or {name}@PATH for weights elsewhere"
    told["file" if card.weights.file else "folder"] = place if card.weights.file else f"{place}, or the hub"
    row = ", ".join(f"{key}={value!r}" for key, value in card.row_arguments().items())
    told["row"] = f"dict(name=…, {row.replace(FILE, 'FILE')})"
    return told


def _described(entries: Mapping[str, str]) -> list[str]:
    width = max(map(len, entries), default=0) + 2
    return [
        fill(
            text,
            100,
            initial_indent=f"  {name:{width}}",
            subsequent_indent=" " * (width + 2),
            break_long_words=False,
            break_on_hyphens=False,
        )
        for name, text in entries.items()
    ]
