"""Make each change of known_changes.toml in a copy of the working tree and show which test notices it.

python tests/mutants/known_changes.py          exits with 1 where a change goes unnoticed
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

from copying import STATE, copy_tree
from forked import preload, run_tests

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Run all changes; each must make a test fail that passes without it."""
    changes = tomllib.loads((HERE / "known_changes.toml").read_text())["change"]
    copy, output = copy_tree("known_changes"), STATE / "known_changes.txt"
    preload(tomllib.loads((HERE / "guards.toml").read_text())["preload"])
    sound, unnoticed = {}, 0
    for change in changes:
        tests = tuple(change["tests"])
        if tests not in sound:
            sound[tests] = run_tests(copy, list(tests), 900, output=output).outcome == "passed"
        found = _outcome(copy, change, output) if sound[tests] else "the tests fail without the change"
        unnoticed += not found.startswith("killed")
        print(f"{change['name']}: {found}", flush=True)
    return int(unnoticed > 0)


def _outcome(copy: Path, change: dict, output: Path) -> str:
    place = copy / change["module"]
    original = place.read_text()
    if original.count(change["before"]) != 1:
        return f"'{change['before']}' does not stand in {change['module']} once"
    for compiled in (place.parent / "__pycache__").glob(f"{place.stem}.*"):
        compiled.unlink()
    place.write_text(original.replace(change["before"], change["after"]))
    try:
        ran = run_tests(copy, change["tests"], 900, output=output)
    finally:
        place.write_text(original)
    failed = re.search(r"^FAILED (\S+)", output.read_text(), re.MULTILINE)
    return f"killed by {failed[1]}" if ran.outcome == "failed" and failed else f"SURVIVED ({ran.outcome})"


if __name__ == "__main__":
    sys.exit(main())
