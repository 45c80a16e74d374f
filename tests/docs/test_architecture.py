"""docs/architecture.md names every room, only files that exist, and every long file."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "docs/architecture.md").read_text()
LONG = 300


def test_every_room_is_listed():
    rooms = [p.parent.relative_to(ROOT) for p in (ROOT / "prior_bench").glob("*/__init__.py")]
    table = TEXT.split("## Rooms")[1].split("## ")[0]
    assert len(rooms) > 15
    missing = [str(room) for room in rooms if f"`{room}/`" not in table]
    assert not missing, f"add a row to docs/architecture.md for {missing}"


def test_every_file_named_exists():
    named = re.findall(r"`((?:prior_bench|tests|tasks|baselines)/[^`]*)`", TEXT)
    assert len(named) > 40
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_long_files_are_named_with_a_reason():
    sources = [p for room in ("prior_bench", "baselines", "tasks") for p in (ROOT / room).rglob("*.py")]
    long = {str(p.relative_to(ROOT)) for p in sources if len(p.read_text().splitlines()) > LONG}
    section = TEXT.split("## Files above 300 lines")[1]
    named = set(re.findall(r"^\| `([^`]*)` \| \S", section, re.M))
    assert named == long
