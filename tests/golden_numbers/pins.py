"""Pinned numbers: read, compared with those of today, and written."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import declared_parts
from golden_case import Case, Numbers

FOLDER = Path(__file__).parent / "pinned"
COMMAND = "make golden"


def read(kind: str) -> dict[str, Any]:
    """What is pinned of one kind: case to its ``versions`` and ``numbers``."""
    file = FOLDER / f"{kind}.json"
    return json.loads(file.read_text()) if file.is_file() else {}


def write(kind: str, pinned: dict[str, Any]) -> None:
    """Pin a kind's cases, all of them."""
    text = json.dumps({name: pinned[name] for name in sorted(pinned)}, indent=1)
    (FOLDER / f"{kind}.json").write_text(text + "\n")


def problem(case: Case, pinned: dict[str, Any] | None, found: Numbers) -> str:
    """What is wrong between what is pinned and what was found; empty where all agrees."""
    if pinned is None:
        return f"'{case.name}' has no pinned numbers.\nPin them: {COMMAND}"
    if raised := changed_versions(case, pinned):
        return (
            f"The numbers of '{case.name}' are pinned for other versions than today's: {raised}.\n"
            f"Look at its numbers, then pin them again: {COMMAND}"
        )
    return changed_numbers(case, pinned, found)


def changed_versions(case: Case, pinned: dict[str, Any]) -> str:
    """Versions that are not the pinned ones, as text; empty where they are."""
    before, today = pinned["versions"], declared_parts.versions(case.parts)
    names = [name for name in {**before, **today} if before.get(name) != today.get(name)]
    return ", ".join(f"{name} {before.get(name, 'none')} -> {today.get(name, 'none')}" for name in names)


def changed_numbers(case: Case, pinned: dict[str, Any], found: Numbers) -> str:
    """A message where numbers changed and no version did; empty where they are the same."""
    lines = differences(pinned["numbers"], plain(found), case.rtol, case.atol)
    if not lines:
        return ""
    shown = lines[:8] + ([f"and {len(lines) - 8} more"] if len(lines) > 8 else [])
    text = [f"The numbers of '{case.name}' changed, and no version behind them did:"]
    text += [f"  {line}" for line in shown]
    if case.parts:
        text += ["Undo the change; or raise the version of the part that you changed, by one:"]
        text += [f"  {part}: {declared_parts.place(part)}" for part in case.parts]
        text += [f"then pin again: {COMMAND}", "docs/versions.md says what happens to old results."]
    else:
        text += [
            "Undo the change; or, as no record holds these numbers, delete their entry in",
            f"  {FOLDER}",
        ]
        text += [f"and pin again: {COMMAND}"]
    return "\n".join(text)


def differences(pinned: Any, found: Any, rtol: float, atol: float, where: str = "") -> list[str]:
    """Places where two values of plain types differ: integers and texts at all, floats beyond tolerance."""
    if isinstance(pinned, dict) and isinstance(found, dict):
        lines = []
        for key in {**pinned, **found}:
            place = f"{where}.{key}" if where else key
            if key not in pinned or key not in found:
                lines.append(f"{place}: {'not pinned' if key not in pinned else 'no longer there'}")
            else:
                lines += differences(pinned[key], found[key], rtol, atol, place)
        return lines
    if isinstance(pinned, list) and isinstance(found, list) and len(pinned) == len(found):
        scale = max((abs(v) for v in pinned if isinstance(v, float) and math.isfinite(v)), default=0.0)
        pairs = enumerate(zip(pinned, found, strict=True))
        return [
            line
            for i, (a, b) in pairs
            for line in differences(a, b, rtol, max(atol, rtol * scale), f"{where}[{i}]")
        ]
    allowed = atol if where.endswith("]") else atol / 10
    return [] if _equal(pinned, found, rtol, allowed) else [f"{where}: {pinned!r} pinned, {found!r} found"]


def _equal(pinned: Any, found: Any, rtol: float, atol: float) -> bool:
    if not (isinstance(pinned, float) and isinstance(found, float)):
        return type(pinned) is type(found) and pinned == found
    if not (math.isfinite(pinned) and math.isfinite(found)):
        return pinned == found or (math.isnan(pinned) and math.isnan(found))
    return abs(pinned - found) <= atol + rtol * abs(pinned)


def plain(value: Any) -> Any:
    """What JSON gives back; floats with nine digits."""
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return float(f"{value:.9g}") if isinstance(value, float) else value
